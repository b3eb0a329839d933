import type { Notice } from "../plan/actions.ts";

const MAX_CLUSTERS = 1_000;

/** The notices that the last pass of each cluster gave: one that lasts is told once, and again only when it was gone in between. */
export class StandingNotices {
  readonly #standing = new Map<string, ReadonlySet<string>>();

  /** Those of `notices` that the last pass did not give. */
  news(uid: string, notices: readonly Notice[]): readonly Notice[] {
    const before = this.#standing.get(uid) ?? new Set();
    this.#standing.delete(uid);
    if (notices.length > 0) this.#standing.set(uid, new Set(notices.map(textOf)));
    const [oldest] = this.#standing.keys();
    if (this.#standing.size > MAX_CLUSTERS && oldest !== undefined) this.#standing.delete(oldest);
    return notices.filter((notice) => !before.has(textOf(notice)));
  }

  forget(uid: string): void {
    this.#standing.delete(uid);
  }
}

function textOf({ type, reason, message }: Notice): string {
  return JSON.stringify([type, reason, message]);
}
