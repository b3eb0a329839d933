import { numberMap, type OrderedMap } from "./ordered-map.ts";
import type { Remembered } from "./remembered.ts";

/** A client's session. Owned by one `SessionTable`, or shared with snapshots and then never changed again. */
export class Session {
  readonly id: number;
  /** The table's epoch at which this object was made; in a later epoch a snapshot may hold it, so it is copied first. */
  readonly epoch: number;
  /** Results up to this sequence number are not kept: the client has them or gave them up. */
  acknowledged = 0;
  /** Counts uses of any session: the order of use. */
  lastUse = 0;
  /** Log time of the last use. */
  lastUseMs = 0;
  /** By sequence number, all above `acknowledged`. */
  readonly results: OrderedMap<number, Remembered>;
  /** Neighbours in the order of use. */
  older: Session | null = null;
  newer: Session | null = null;

  constructor(id: number, epoch: number, results: OrderedMap<number, Remembered> = numberMap()) {
    this.id = id;
    this.epoch = epoch;
    this.results = results;
  }

  /** A copy of a later epoch, which is in no order of use yet. */
  copy(epoch: number): Session {
    const copy = new Session(this.id, epoch, this.results.clone());
    copy.acknowledged = this.acknowledged;
    copy.lastUse = this.lastUse;
    copy.lastUseMs = this.lastUseMs;
    return copy;
  }
}

/** Sessions in the order of their last use. */
export class UseOrder {
  #oldest: Session | null = null;
  #newest: Session | null = null;

  get oldest(): Session | null {
    return this.#oldest;
  }

  append(session: Session): void {
    session.older = this.#newest;
    session.newer = null;
    if (this.#newest === null) this.#oldest = session;
    else this.#newest.newer = session;
    this.#newest = session;
  }

  remove(session: Session): void {
    if (session.older === null) this.#oldest = session.newer;
    else session.older.newer = session.newer;
    if (session.newer === null) this.#newest = session.older;
    else session.newer.older = session.older;
    session.older = null;
    session.newer = null;
  }
}
