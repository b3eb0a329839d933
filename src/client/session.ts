import type { RetryToken } from "../state/commands.ts";
import { DEFAULT_STATE_LIMITS } from "../state/limits.ts";

/** The client's side of one session: its sequence numbers, and which of them it has the results of. */
export class Session {
  readonly id: number;
  readonly #unfinished = new Set<number>();
  #next = 1;

  constructor(id: number) {
    this.id = id;
  }

  /** False while the oldest unfinished write is so far behind that another would be outside the session's window. */
  get hasRoom(): boolean {
    return this.#next - this.#acknowledged() <= DEFAULT_STATE_LIMITS.sessionWindow;
  }

  /** A token for a new write, to be finished once its result is there or given up. */
  take(): RetryToken & { readonly kind: "session" } {
    const sequence = this.#next++;
    const acknowledged = this.#unfinished.size === 0 ? sequence - 1 : this.#acknowledged();
    this.#unfinished.add(sequence);
    return { kind: "session", session: this.id, sequence, acknowledged };
  }

  finish(sequence: number): void {
    this.#unfinished.delete(sequence);
  }

  /** Sets iterate in the order of insertion, so that the first is the lowest. */
  #acknowledged(): number {
    const [lowest] = this.#unfinished;
    return (lowest ?? this.#next) - 1;
  }
}
