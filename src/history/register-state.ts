import { changesState, type Step, type Unseen } from "./key-history.ts";

/** The revision of a register that an unseen write made and that no operation names. */
export const UNNAMED = -1;

/** What the search knows of a register at one point of a linearization. */
export interface RegisterState {
  /** The register's mod revision: 0 when absent, UNNAMED when an unseen write made it. */
  readonly revision: number;
  /** The least that the newest revision of this key can be. The next write's is greater. */
  readonly floor: number;
  readonly putsUsed: number;
  readonly createsUsed: number;
  readonly deletesUsed: number;
}

export const ABSENT: RegisterState = { revision: 0, floor: 0, putsUsed: 0, createsUsed: 0, deletesUsed: 0 };

/** Whether the register allows this operation, as an atomic one would. */
export function allows(state: RegisterState, step: Step): boolean {
  if (changesState(step) && step.revision <= state.floor) return false;
  switch (step.is) {
    case "saw":
      return state.revision === step.revision;
    case "saw-absent":
      return state.revision === 0;
    case "refused":
      return state.revision !== step.prevRevision;
    case "put":
      return true;
    case "cas":
      return state.revision === step.prevRevision;
    case "delete":
      return step.prevRevision === null ? state.revision !== 0 : state.revision === step.prevRevision;
  }
}

export function after(state: RegisterState, step: Extract<Step, { is: "put" | "cas" | "delete" }>): RegisterState {
  return { ...state, revision: step.is === "delete" ? 0 : step.revision, floor: step.revision };
}

/**
 * The states that unseen writes invoked no later than `untilNs` can bring about, short of those that no linearization needs.
 *
 * An unseen write is one whose outcome is unknown and whose value no read returned: it may take effect at any time after its invoke, or never.
 * It matters only through the absence or presence that other operations notice. Take a linearization, an unseen write U in it, and the
 * operation X right after U. If X was also possible before U:
 *  - X only observes: swap them; U is open for ever, so it may come later, and so on until U is last and can be left out;
 *  - X is a put or a delete: the state after X is the same without U, so leave U out (the floor is then lower or equal, which forbids nothing);
 *  - X is a compare-and-set or -delete: impossible, as the state before U and the state after U would both have the revision that X names, but U's
 *    revision is new, and if X names 0, U left an absent register absent, so it did nothing.
 * So unseen writes are needed only right before an operation that is impossible without them, or before another unseen write. Of two in a row
 * the first can be left out, but in two cases: the first is a delete and the second needs absence, or the second is a compare-and-delete of the
 * revision that the first just made, and the register was present before. For: put, put ends as the second does; put, delete on a present register
 * ends as delete does, and on an absent one as nothing does; a compare-and-set needs the revision that the first just made, but a put or create
 * could have had the second's place. Of three in a row the first two or the last two always can: what ends present is done by one or by a delete
 * and a create, and what ends absent by a delete, or by a put or compare-and-set and the compare-and-delete of what it made.
 *
 * Which of several is taken does not matter: once available an unseen write stays available, and nobody saw its value. So puts, creates and
 * deletes are counted, earliest first; a compare-and-set or -delete that needs a revision above 0 can only be used at that revision, which never
 * comes back, so it needs no count and is taken first; a create serves only where a put would as well, so it is taken before one.
 *
 * The revision of an unseen write is free above the floor. It is either one that a compare-and-set or -delete names (a ghost) or another.
 */
export function reachable(state: RegisterState, unseen: Unseen, untilNs: number, ghosts: readonly number[]): RegisterState[] {
  const reached: RegisterState[] = [];
  const { revision } = state;
  const createAvailable = available(unseen.creates, state.createsUsed, untilNs);
  const becomePresent = (from: RegisterState): void => {
    reached.push({ ...from, revision: UNNAMED, floor: from.floor + 1 });
    for (const ghost of ghosts) if (ghost > from.floor) reached.push({ ...from, revision: ghost, floor: ghost });
  };

  if (revision === 0 && createAvailable) becomePresent({ ...state, createsUsed: state.createsUsed + 1 });
  else {
    const overwritten = overwrite(state, unseen, untilNs);
    if (overwritten !== null) becomePresent(overwritten);
  }
  if (revision === 0) return reached;

  const deleted = remove(state, unseen, untilNs);
  if (deleted !== null) {
    const absent = { ...deleted, revision: 0, floor: deleted.floor + 1 };
    reached.push(absent);
    if (createAvailable) becomePresent({ ...absent, createsUsed: absent.createsUsed + 1 });
  }
  return reached.concat(overwrittenAndRemoved(state, unseen, untilNs, ghosts));
}

/** What it costs to write the register with an unseen write whatever it holds; null: there is none. */
function overwrite(state: RegisterState, unseen: Unseen, untilNs: number): RegisterState | null {
  if (state.revision > 0 && isNamed(unseen.casByRevision, state.revision, untilNs)) return state;
  return available(unseen.puts, state.putsUsed, untilNs) ? { ...state, putsUsed: state.putsUsed + 1 } : null;
}

/** What it costs to delete a present register with an unseen delete; null: there is none. */
function remove(state: RegisterState, unseen: Unseen, untilNs: number): RegisterState | null {
  if (state.revision > 0 && isNamed(unseen.cadByRevision, state.revision, untilNs)) return state;
  return available(unseen.deletes, state.deletesUsed, untilNs) ? { ...state, deletesUsed: state.deletesUsed + 1 } : null;
}

/** Absence by an unseen write and a compare-and-delete of the revision that it made. */
function overwrittenAndRemoved(state: RegisterState, unseen: Unseen, untilNs: number, ghosts: readonly number[]): RegisterState[] {
  const overwritten = overwrite(state, unseen, untilNs);
  if (overwritten === null) return [];
  const removed = ghosts.filter((ghost) => ghost > state.floor && isNamed(unseen.cadByRevision, ghost, untilNs));
  return removed.map((ghost) => ({ ...overwritten, revision: 0, floor: ghost + 1 }));
}

const available = (times: readonly number[], used: number, untilNs: number): boolean => (times[used] ?? Infinity) <= untilNs;
const isNamed = (byRevision: ReadonlyMap<number, number>, revision: number, untilNs: number): boolean => (byRevision.get(revision) ?? Infinity) <= untilNs;
