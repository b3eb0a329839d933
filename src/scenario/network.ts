import type { Message, MessageType } from "../paxos/messages.ts";

/** What travels: a message of the protocol, or a snapshot that one member sends another. */
export type Payload = Message | { readonly type: "snapshot" };
export type PayloadType = MessageType | "snapshot";

/** Something on its way. */
export interface Envelope {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly payload: Payload;
}

/** Which envelopes a command is about; a field that is absent matches all. */
export interface Selector {
  readonly types?: readonly PayloadType[];
  readonly from?: readonly number[];
  readonly to?: readonly number[];
  /** Accepts and reports that hold this slot. */
  readonly slot?: number;
  /** Only those that a hold keeps back. */
  readonly held?: boolean;
  /** At most so many, oldest first. */
  readonly count?: number;
}

/** Messages under way are bounded: a scenario that exceeds this runs in circles. */
const MAX_IN_FLIGHT = 100_000;

/** Messages under way, and the links that they use. It neither delivers nor loses by itself: each of these is a decision of its user. */
export class Network {
  #inFlight: Envelope[] = [];
  #nextId = 1;
  readonly #cut = new Set<string>();
  readonly #down = new Set<string>();
  #holds: Selector[] = [];

  get inFlight(): readonly Envelope[] {
    return this.#inFlight;
  }

  send(from: number, to: number, payload: Payload): Envelope {
    if (this.#inFlight.length >= MAX_IN_FLIGHT) throw new RangeError(`more than ${MAX_IN_FLIGHT} messages are under way`);
    const envelope = { id: this.#nextId, from, to, payload };
    this.#nextId += 1;
    this.#inFlight.push(envelope);
    return envelope;
  }

  /** Takes an envelope off the network. False: it is not there any more. */
  remove(envelope: Envelope): boolean {
    const index = this.#inFlight.indexOf(envelope);
    if (index < 0) return false;
    this.#inFlight.splice(index, 1);
    return true;
  }

  /** Forgets all that is under way to or from a member, or between two of them. */
  clear(a: number, b?: number): void {
    this.#inFlight = this.#inFlight.filter(({ from, to }) => !((from === a && (b ?? to) === to) || (to === a && (b ?? from) === from)));
  }

  /** The envelopes that a selector means, oldest first; held ones only if it asks for them, or with `holds` ignored. */
  select(selector: Selector, { ignoreHolds = false } = {}): Envelope[] {
    const found = this.#inFlight.filter((envelope) => {
      if (!ignoreHolds && this.isHeld(envelope) !== (selector.held ?? false)) return false;
      return matches(envelope, selector);
    });
    return found.slice(0, selector.count ?? found.length);
  }

  /** The oldest envelope that nothing holds back. */
  next(): Envelope | undefined {
    return this.#holds.length === 0 ? this.#inFlight[0] : this.#inFlight.find((envelope) => !this.isHeld(envelope));
  }

  isHeld(envelope: Envelope): boolean {
    return this.#holds.some((hold) => matches(envelope, hold));
  }

  /** From now on holds back what matches, also what is sent later. */
  hold(selector: Selector): void {
    this.#holds.push(selector);
  }

  /** Ends the holds that are equal to `selector`, or all of them. */
  release(selector: Selector | null): void {
    const ended = JSON.stringify(selector);
    this.#holds = selector === null ? [] : this.#holds.filter((hold) => JSON.stringify(hold) !== ended);
  }

  /** Whether something sent by `from` reaches `to` at present. */
  reaches(from: number, to: number): boolean {
    return !this.#cut.has(`${from}>${to}`) && !this.isDown(from, to);
  }

  /** Silently loses everything from one member to another. */
  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`);
  }

  /** Ends all cuts; links that are down stay so. */
  heal(): void {
    this.#cut.clear();
  }

  isDown(a: number, b: number): boolean {
    return this.#down.has(pair(a, b));
  }

  setDown(a: number, b: number, down: boolean): void {
    if (down) this.#down.add(pair(a, b));
    else this.#down.delete(pair(a, b));
  }
}

function pair(a: number, b: number): string {
  return `${Math.min(a, b)}-${Math.max(a, b)}`;
}

function matches({ from, to, payload }: Envelope, selector: Selector): boolean {
  if (selector.types !== undefined && !selector.types.includes(payload.type)) return false;
  if (selector.from !== undefined && !selector.from.includes(from)) return false;
  if (selector.to !== undefined && !selector.to.includes(to)) return false;
  return selector.slot === undefined || holdsSlot(payload, selector.slot);
}

function holdsSlot(payload: Payload, slot: number): boolean {
  switch (payload.type) {
    case "accept":
      return payload.firstSlot <= slot && slot < payload.firstSlot + payload.values.length;
    case "accepted":
      return payload.from <= slot && slot <= payload.through;
    case "promise":
      return payload.entries.some((entry) => entry.slot === slot);
    case "chosenEntries":
      return payload.fromSlot <= slot && slot < payload.fromSlot + payload.values.length;
    default:
      return false;
  }
}
