import { type Ballot, ballotsEqual } from "../paxos/ballot.ts";

/**
 * Log time as a leader moves it on: from where the state had it when this leadership began, by as much as has passed since then on the
 * leader's monotonic clock. Wall clocks differ between machines and jump; with them a window of ten minutes could end at once. Time in
 * which nobody led does not count, so what expires by log time lives somewhat longer than stated, never shorter.
 */
export class LogClock {
  #ballot: Ballot | null = null;
  #baseMs = 0;
  #sinceMs = 0;

  /** Log time now, for the leader of `ballot`; `appliedMs` is that of the state. */
  read(ballot: Ballot, appliedMs: number, nowMs: number): number {
    if (this.#ballot === null || !ballotsEqual(ballot, this.#ballot)) {
      this.#ballot = ballot;
      this.#baseMs = appliedMs;
      this.#sinceMs = nowMs;
    }
    return Math.floor(this.#baseMs + nowMs - this.#sinceMs);
  }
}
