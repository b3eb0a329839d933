import { backOffMs } from "./back-off.ts";
import type { Cancel, Clock } from "./clock.ts";

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  /** Does the work of one key. Resolves with the milliseconds after which to do it again, null for not before something happens. */
  readonly work: (key: string) => Promise<number | null>;
  readonly onError: (key: string, error: unknown) => void;
}

const BACK_OFF = { firstMs: 250, mostMs: 30_000 };

/**
 * Keys that wait for work. A key waits once however often it is added, is never worked on twice at a time, and is worked on again when it
 * was added meanwhile. Work that fails is done again, later and later. So what waits is bounded by the number of different keys.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #working = new Map<string, Promise<void>>();
  /** Added while it was worked on. */
  readonly #again = new Set<string>();
  readonly #later = new Map<string, { readonly atMs: number; readonly cancel: Cancel }>();
  readonly #failures = new Map<string, number>();
  #running = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait for a place, beside those that are worked on or come later. */
  get depth(): number {
    return this.#waiting.size;
  }

  get working(): number {
    return this.#working.size;
  }

  start(): void {
    this.#running = true;
    this.#fill();
  }

  /** Resolves when no work goes on. What waits is forgotten; it can be started again. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#waiting.clear();
    this.#again.clear();
    this.#failures.clear();
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    await Promise.all(this.#working.values());
  }

  add(key: string): void {
    if (!this.#running) return;
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
    if (this.#working.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#fill();
  }

  /** Adds it in `delayMs` milliseconds, unless it is added before. */
  addLater(key: string, delayMs: number): void {
    if (!this.#running) return;
    const { clock } = this.#options;
    const atMs = clock.now() + delayMs;
    const present = this.#later.get(key);
    if (this.#waiting.has(key) || (present !== undefined && present.atMs <= atMs)) return;
    present?.cancel();
    this.#later.set(key, { atMs, cancel: clock.schedule(delayMs, () => this.add(key)) });
  }

  /** Nothing is known of that key any more. */
  forget(key: string): void {
    this.#waiting.delete(key);
    this.#again.delete(key);
    this.#failures.delete(key);
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }

  #fill(): void {
    for (const key of this.#waiting) {
      if (!this.#running || this.#working.size >= this.#options.concurrency) return;
      this.#waiting.delete(key);
      this.#working.set(key, this.#work(key));
    }
  }

  async #work(key: string): Promise<void> {
    const { work, onError } = this.#options;
    try {
      const delayMs = await work(key);
      this.#working.delete(key);
      this.#failures.delete(key);
      if (this.#again.delete(key)) this.add(key);
      else if (delayMs !== null) this.addLater(key, delayMs);
    } catch (error) {
      this.#working.delete(key);
      onError(key, error);
      this.#retry(key);
    }
    this.#fill();
  }

  /** What was added during work that failed waits as well: the work may itself have caused it. */
  #retry(key: string): void {
    if (!this.#running) return;
    const { clock } = this.#options;
    this.#again.delete(key);
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.addLater(key, backOffMs(BACK_OFF, failures, clock.random()));
  }
}
