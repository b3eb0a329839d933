import type { ServiceEvent } from "../api/service.ts";

/** Events wait this long for earlier ones that another node's stream delivers later, in milliseconds. */
const HOLD_MS = 60;

/** Merges the nodes' streams into one, in the order of time: they run on one machine and read one clock. */
export class EventOrder {
  readonly #deliver: (events: readonly ServiceEvent[]) => void;
  #held: ServiceEvent[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(deliver: (events: readonly ServiceEvent[]) => void) {
    this.#deliver = deliver;
  }

  add(event: ServiceEvent): void {
    this.#held.push(event);
    this.#timer ??= setTimeout(() => this.flush(), HOLD_MS);
  }

  /** Delivers what is held, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const events = this.#held.sort((a, b) => a.timeMs - b.timeMs);
    this.#held = [];
    if (events.length > 0) this.#deliver(events);
  }
}
