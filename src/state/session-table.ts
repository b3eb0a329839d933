import { assert } from "../codec/assert.ts";
import { MAX_SESSION_WINDOW, type StateLimits } from "./limits.ts";
import { numberMap, type OrderedMap } from "./ordered-map.ts";
import type { Remembered } from "./remembered.ts";
import { Session, UseOrder } from "./session.ts";

/** Ending idle sessions is spread over commands, so that a jump of log time does not hold up one of them. */
const ENDED_PER_COMMAND = 8;

/** The counters of a session table that its sessions do not tell. */
export interface SessionCounters {
  readonly nextSession: number;
  readonly uses: number;
}

/**
 * The open sessions. They end whole (rule 22): when closed, when idle for too long in log time, and least recently used first
 * when there are too many of them or of their results. An idle one is not found any more, even before `expire` gets to it.
 */
export class SessionTable {
  readonly #limits: StateLimits;
  readonly #byId = new Map<number, Session>();
  /** The same sessions, only so that `freeze` takes O(1). */
  readonly #frozen: OrderedMap<number, Session>;
  readonly #order = new UseOrder();
  #epoch = 0;
  #nextSession: number;
  #uses: number;
  #results = 0;

  constructor(limits: StateLimits, counters: SessionCounters = { nextSession: 1, uses: 0 }) {
    assert(limits.maxSessions >= 1, "a cluster without sessions");
    assert(limits.sessionWindow <= MAX_SESSION_WINDOW, "a session of that many results fits in no snapshot record");
    assert(limits.maxSessionResults >= limits.sessionWindow, "one session's window exceeds what all may keep");
    this.#limits = limits;
    this.#frozen = numberMap();
    this.#nextSession = counters.nextSession;
    this.#uses = counters.uses;
  }

  get size(): number {
    return this.#byId.size;
  }

  get counters(): SessionCounters {
    return { nextSession: this.#nextSession, uses: this.#uses };
  }

  /** Opens a session and returns its id, which no session had before. */
  open(logTimeMs: number): number {
    if (this.#byId.size >= this.#limits.maxSessions) this.#endOldest();
    const session = new Session(this.#nextSession, this.#epoch);
    this.#nextSession += 1;
    this.#add(session);
    this.#touch(session, logTimeMs);
    return session.id;
  }

  close(id: number): void {
    const session = this.#byId.get(id);
    if (session !== undefined) this.#end(session);
  }

  /**
   * The session that a request names, now the most recently used, with its results up to `acknowledged` dropped; null when it is
   * not known. To be changed only by this table, and not kept.
   */
  use(id: number, acknowledged: number, logTimeMs: number): Session | null {
    const found = this.#byId.get(id);
    if (found === undefined || this.#isIdle(found, logTimeMs)) return null;
    const session = found.epoch === this.#epoch ? found : this.#replace(found);
    this.#order.remove(session);
    this.#touch(session, logTimeMs);
    if (acknowledged > session.acknowledged) this.#acknowledge(session, acknowledged);
    return session;
  }

  /** Whether `sequence` is too far above what the client acknowledged to be executed yet. */
  isBeyondWindow(session: Session, sequence: number): boolean {
    return sequence > session.acknowledged + this.#limits.sessionWindow;
  }

  /** Remembers what a request came to. `session` is what `use` just gave. */
  remember(session: Session, sequence: number, remembered: Remembered): void {
    session.results.set(sequence, remembered);
    this.#results += 1;
    while (this.#results > this.#limits.maxSessionResults) this.#endOldest();
  }

  /** Ends some of the sessions that are idle. Called once for each command, at the same points on all members. */
  expire(logTimeMs: number): void {
    for (let count = 0; count < ENDED_PER_COMMAND; count++) {
      const oldest = this.#order.oldest;
      if (oldest === null || !this.#isIdle(oldest, logTimeMs)) return;
      this.#end(oldest);
    }
  }

  /** A copy of the sessions by id, in O(1), that later changes do not touch. */
  freeze(): OrderedMap<number, Session> {
    this.#epoch += 1;
    return this.#frozen.clone();
  }

  /** Adds sessions as a snapshot has them, in any order. */
  load(sessions: readonly Session[]): void {
    for (const session of sessions.toSorted((left, right) => left.lastUse - right.lastUse)) {
      this.#add(session);
      this.#order.append(session);
      this.#results += session.results.size;
    }
  }

  #add(session: Session): void {
    this.#byId.set(session.id, session);
    this.#frozen.set(session.id, session);
  }

  /** Puts a copy that may be changed in the place of a session that a snapshot holds. */
  #replace(shared: Session): Session {
    const session = shared.copy(this.#epoch);
    this.#order.remove(shared);
    this.#order.append(session);
    this.#add(session);
    return session;
  }

  #touch(session: Session, logTimeMs: number): void {
    this.#uses += 1;
    session.lastUse = this.#uses;
    session.lastUseMs = logTimeMs;
    this.#order.append(session);
  }

  #acknowledge(session: Session, acknowledged: number): void {
    session.acknowledged = acknowledged;
    let first = session.results.minKey();
    while (first !== undefined && first <= acknowledged) {
      session.results.delete(first);
      this.#results -= 1;
      first = session.results.minKey();
    }
  }

  #isIdle(session: Session, logTimeMs: number): boolean {
    return logTimeMs - session.lastUseMs > this.#limits.sessionIdleMs;
  }

  #endOldest(): void {
    const oldest = this.#order.oldest;
    assert(oldest !== null, "results are kept for no session");
    this.#end(oldest);
  }

  #end(session: Session): void {
    this.#order.remove(session);
    this.#byId.delete(session.id);
    this.#frozen.delete(session.id);
    this.#results -= session.results.size;
  }
}
