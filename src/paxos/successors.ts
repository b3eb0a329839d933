import type { Incarnation } from "./ids.ts";

const LONGEST_REST_MS = 80_000;

interface Rest {
  readonly ms: number;
  readonly untilMs: number;
}

/**
 * Which voters a leader asked to take over. Each rests after that, twice as long when it is asked again soon: proposals wait while a
 * voter is asked, and one that could not take over mostly cannot a moment later (rule 12).
 */
export class Successors {
  readonly #firstRestMs: number;
  readonly #rests = new Map<Incarnation, Rest>();

  constructor(firstRestMs: number) {
    this.#firstRestMs = firstRestMs;
  }

  asked(voter: Incarnation, nowMs: number): void {
    for (const [other, rest] of this.#rests) if (nowMs >= rest.untilMs + rest.ms) this.#rests.delete(other);
    const before = this.#rests.get(voter);
    const ms = before === undefined ? this.#firstRestMs : Math.min(2 * before.ms, LONGEST_REST_MS);
    this.#rests.set(voter, { ms, untilMs: nowMs + ms });
  }

  mayAsk(voter: Incarnation, nowMs: number): boolean {
    return nowMs >= (this.#rests.get(voter)?.untilMs ?? 0);
  }
}
