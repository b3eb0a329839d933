import type { ServiceEvent } from "./service.ts";

const DEFAULT_CAPACITY = 512;

type Listener = (event: ServiceEvent) => void;

/** The last events of a member, and those who follow them. */
export class EventHistory {
  readonly #capacity: number;
  readonly #member: string;
  readonly #nowMs: () => number;
  readonly #listeners = new Set<Listener>();
  #events: ServiceEvent[] = [];
  #nextId: number;

  /** `nowMs` is the wall clock. Ids start at its microseconds, so that they also grow from one life of the member to the next. */
  constructor(member: string, nowMs: () => number, capacity = DEFAULT_CAPACITY) {
    this.#member = member;
    this.#nowMs = nowMs;
    this.#capacity = capacity;
    this.#nextId = Math.max(1, Math.floor(nowMs() * 1000));
  }

  /** Keeps an event and tells it to all who follow. */
  publish(type: string, fields: Readonly<Record<string, unknown>> = {}): ServiceEvent {
    const event = { ...fields, id: this.#nextId++, timeMs: this.#nowMs(), member: this.#member, type };
    this.#events.push(event);
    if (this.#events.length >= this.#capacity * 2) this.#events = this.#kept();
    for (const listener of [...this.#listeners]) listener(event);
    return event;
  }

  /** As `Service.events`. */
  follow(listener: Listener, afterId?: number): () => void {
    if (afterId !== undefined) {
      for (const event of this.#kept()) if (event.id > afterId) listener(event);
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Trimmed in halves, so that an event costs the same however many are kept. */
  #kept(): ServiceEvent[] {
    return this.#events.slice(-this.#capacity);
  }
}
