import type { Incarnation } from "./ids.ts";

/** As long as a call for a change is tried again, so that each voter is asked at most once for one call. */
const FIRST_REST_MS = 10_000;
const LONGEST_REST_MS = 80_000;

interface Rest {
  readonly ms: number;
  readonly untilMs: number;
}

/**
 * Which voters a leader that is to be removed asked to take over. Each rests after that, twice as long when it is asked again soon:
 * proposals wait while a voter is asked, and one that could not take over mostly cannot a moment later (rules 12 and 16).
 */
export class Successors {
  readonly #rests = new Map<Incarnation, Rest>();

  asked(voter: Incarnation, nowMs: number): void {
    for (const [other, rest] of this.#rests) if (nowMs >= rest.untilMs + rest.ms) this.#rests.delete(other);
    const before = this.#rests.get(voter);
    const ms = before === undefined ? FIRST_REST_MS : Math.min(2 * before.ms, LONGEST_REST_MS);
    this.#rests.set(voter, { ms, untilMs: nowMs + ms });
  }

  mayAsk(voter: Incarnation, nowMs: number): boolean {
    return nowMs >= (this.#rests.get(voter)?.untilMs ?? 0);
  }
}
