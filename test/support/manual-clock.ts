import type { Clock } from "../../src/controller/kube/clock.ts";

/** A clock that a test moves. */
export class ManualClock implements Clock {
  readonly #tasks = new Set<{ readonly at: number; readonly callback: () => void }>();
  readonly #waiting = new Set<() => void>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#now;
  }

  random(): number {
    return 0;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const task = { at: this.#now + delayMs, callback };
    this.#tasks.add(task);
    for (const wake of [...this.#waiting]) wake();
    return () => void this.#tasks.delete(task);
  }

  /** How many tasks are scheduled. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** How long until the next task, null when there is none. */
  get nextMs(): number | null {
    const [first] = [...this.#tasks].toSorted((a, b) => a.at - b.at);
    return first === undefined ? null : first.at - this.#now;
  }

  /** Lets time pass; what is scheduled meanwhile runs in its order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [due] = [...this.#tasks].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (due === undefined) break;
      this.#tasks.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = until;
  }

  /** Time passes while nothing of the process runs, as when it is frozen: what was due is due all at once. */
  freeze(ms: number): void {
    this.#now += ms;
  }

  /** Resolves once something is scheduled. */
  async scheduled(): Promise<void> {
    while (this.#tasks.size === 0) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}
