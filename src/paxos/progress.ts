import type { Incarnation, Slot } from "./ids.ts";

/** What a leader knows of one other member in its ballot. */
export class Progress {
  readonly peer: Incarnation;
  /** The next slot to send. */
  next: Slot;
  /** The slots that the member acknowledged at this ballot: `from` to `through`; empty while `through` is below `from`. */
  from: Slot;
  through: Slot;
  heardAtMs: number;
  /** False: nothing was heard yet in this ballot, and `heardAtMs` only says since when that is waited for. */
  heard = false;
  /** How far it said that it knows the log to be chosen and holds it, and how far durably so (rule 16a). */
  chosenThrough: Slot = 0 as Slot;
  durableThrough: Slot = 0 as Slot;
  /** The highest heartbeat nonce it answered: it promised nothing higher when it did. */
  answeredNonce = 0;
  /** Bytes of values sent beyond `through`, and how they add up. */
  inflightBytes = 0;
  /** When an ack last advanced, or sending began after nothing was under way. */
  progressAtMs: number;
  /** How often sending began again without an ack between. */
  rewinds = 0;
  /** Where sending began again last, until an ack advances. */
  rewoundTo: Slot | null = null;
  linkUp = true;
  readonly #sizes: { through: Slot; bytes: number }[] = [];

  constructor(peer: Incarnation, next: Slot, nowMs: number) {
    this.peer = peer;
    this.next = next;
    this.from = next;
    this.through = (next - 1) as Slot;
    this.heardAtMs = nowMs;
    this.progressAtMs = nowMs;
  }

  /** Anything came from the member that belongs to this ballot. */
  hear(nowMs: number): void {
    this.heard = true;
    this.heardAtMs = nowMs;
  }

  /** Slots up to `through`, of `bytes` in all, were sent. */
  sent(through: Slot, bytes: number, nowMs: number): void {
    if (this.#sizes.length === 0) this.progressAtMs = nowMs;
    this.#sizes.push({ through, bytes });
    this.inflightBytes += bytes;
    this.next = (through + 1) as Slot;
  }

  /** Takes an acknowledgement of `from` to `through`. A late one that says less than is known changes nothing. */
  acknowledge({ from, through }: { readonly from: Slot; readonly through: Slot }, nowMs: number): void {
    this.hear(nowMs);
    if (through <= this.through) return;
    this.from = from;
    this.through = through;
    if (this.next <= through) this.next = (through + 1) as Slot;
    this.progressAtMs = nowMs;
    this.rewinds = 0;
    this.rewoundTo = null;
    let done = 0;
    for (const { through: sentThrough, bytes } of this.#sizes) {
      if (sentThrough > through) break;
      this.inflightBytes -= bytes;
      done += 1;
    }
    this.#sizes.splice(0, done);
  }

  /** Forgets what is under way and sends again from `slot`. */
  rewind(slot: Slot, nowMs: number): void {
    this.next = slot;
    this.#sizes.length = 0;
    this.inflightBytes = 0;
    this.progressAtMs = nowMs;
    this.rewinds += 1;
    this.rewoundTo = slot;
  }

  get hasInflight(): boolean {
    return this.#sizes.length > 0;
  }

  /** Whether it acknowledged `slot` at this ballot. */
  holds(slot: number): boolean {
    return this.from <= slot && slot <= this.through;
  }
}
