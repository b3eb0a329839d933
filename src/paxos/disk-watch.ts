import type { Context } from "./context.ts";

/**
 * Whether this member's disk still answers (rule 9): something was recorded and nothing became durable for as long as
 * `diskStallMs`. An idle leader records a probe now and then, so that its silence is not taken for health.
 */
export class DiskWatch {
  readonly #context: Context;
  #durable = 0;
  #progressAtMs = 0;
  #recordedAtMs = 0;
  #recordedThrough = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  durable(record: number): void {
    this.#durable = record;
    this.#progressAtMs = this.#context.nowMs;
  }

  /** Notes that records were handed over, if any were. */
  recorded(): void {
    const { outbox, nowMs } = this.#context;
    if (outbox.lastRecord === this.#recordedThrough) return;
    if (this.#durable === this.#recordedThrough) this.#progressAtMs = nowMs;
    this.#recordedThrough = outbox.lastRecord;
    this.#recordedAtMs = nowMs;
  }

  stalled(): boolean {
    const { nowMs, timings } = this.#context;
    return this.#durable < this.#recordedThrough && nowMs - this.#progressAtMs >= timings.diskStallMs;
  }

  /** Until when a leader neither finds its disk stalled nor has to record a probe. */
  get quietUntilMs(): number {
    const { diskStallMs } = this.#context.timings;
    const stalledAtMs = this.#durable < this.#recordedThrough ? this.#progressAtMs + diskStallMs : Infinity;
    return Math.min(stalledAtMs, this.#recordedAtMs + diskStallMs / 2);
  }

  /** Records a probe when nothing was recorded for half the bound. */
  probe(): void {
    const { outbox, nowMs, timings } = this.#context;
    if (nowMs - this.#recordedAtMs >= timings.diskStallMs / 2) outbox.record({ type: "probe" });
  }
}
