/** Exactly one occurrence of `replace` in a file under `src` becomes `by`. */
export interface Patch {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

/** A bug that is planted on purpose: what an author who forgot a rule might have written, with the assertion nearest to it taken off. */
export interface Plant {
  readonly name: string;
  /** The rule of the protocol that it breaks, as `docs/protocol.md` numbers them. */
  readonly rule: string;
  /** The mistake, in one sentence. */
  readonly mistake: string;
  readonly patches: readonly Patch[];
  /** The test of what it breaks, a file under `test`, where neither a seed nor a scenario finds it. */
  readonly test?: string;
}

/** Seeds that a search tries before a plant counts as not found. Fixed before anything was measured. */
export const MOST_SEEDS = 2_000;

/** A source with a plant's patches in it. Throws when a patch does not fit exactly once: a plant that is not planted proves nothing. */
export function patched(source: string, patches: readonly Patch[]): string {
  return patches.reduce((text, { file, replace, by }) => {
    const parts = text.split(replace);
    if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times, not once: ${replace}`);
    return parts.join(by);
  }, source);
}
