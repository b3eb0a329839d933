import { InvariantError } from "../codec/assert.ts";
import { SeededRandom } from "../scenario/seeded-random.ts";
import { EventQueue } from "./event-queue.ts";

/** Events at one moment: many times what there are in the busiest run. */
export const MOST_AT_ONCE = 100_000;

/** Lets every promise that is settled be followed as far as it goes. It must neither wait nor draw. */
export type Settle = () => Promise<void>;

/**
 * Time and chance of a simulation, and the one loop in which all of it happens. Nothing else in it knows a clock. Two worlds of
 * the same seed to which the same is done go through the same events.
 */
export class World {
  readonly random: SeededRandom;
  readonly #queue = new EventQueue();
  readonly #settle: Settle;
  #nowMs = 0;
  #events = 0;
  #atOnce = 0;
  #lasts = 0;
  #pending = false;
  #failure: unknown = null;

  constructor(seed: number, settle: Settle) {
    this.random = new SeededRandom(seed);
    this.#settle = settle;
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get events(): number {
    return this.#events;
  }

  /** Runs `task` after `delayMs`, which may be 0 and a fraction. */
  after(delayMs: number, task: () => void): void {
    this.#queue.add(this.#nowMs + delayMs, task);
  }

  /** Runs `task` at `atMs`, which must not be past, behind all else that happens then but what has a higher `order`. */
  at(atMs: number, task: () => void, order: number): void {
    this.#queue.add(atMs, task, order);
  }

  /** An order for `at` that is higher than all that were given before. */
  lastOfItsMoment(): number {
    return EventQueue.LAST + this.#lasts++;
  }

  /** What happens in this event may have settled promises: they are followed before the next one. */
  expectPromises(): void {
    this.#pending = true;
  }

  /** Ends the run with this error. The first one counts. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /** Goes through all that happens up to `untilMs`, or until `done` says so. Throws what the run failed with. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    await this.#settle();
    while (this.#queue.nextMs <= untilMs && !done()) {
      const happen = this.#queue.take();
      this.#countAt(this.#queue.nowMs);
      this.#events += 1;
      happen();
      if (this.#pending) {
        this.#pending = false;
        await this.#settle();
      }
      if (this.#failure !== null) throw this.#failure;
    }
    if (!done()) this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Time goes on: events that add events of the same moment for ever would keep it from doing so. */
  #countAt(atMs: number): void {
    this.#atOnce = atMs === this.#nowMs ? this.#atOnce + 1 : 1;
    this.#nowMs = atMs;
    if (this.#atOnce > MOST_AT_ONCE) throw new InvariantError(`more than ${MOST_AT_ONCE} events at ${atMs} ms: time does not go on`);
  }
}
