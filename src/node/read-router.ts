import { SynodError } from "../errors/synod-error.ts";
import type { ReadOutcome } from "../paxos/interface.ts";

/** Answers a read from the state, or says why there is no answer. */
export type ReadAnswer = (error: SynodError | null) => void;

export interface ReadLimits {
  /** Reads that are held at once; beyond it they are refused as busy. */
  readonly maxReads: number;
  /** From taking a read to answering it, at the latest. */
  readonly timeoutMs: number;
}

export const DEFAULT_READ_LIMITS: ReadLimits = Object.freeze({ maxReads: 65_536, timeoutMs: 5_000 });

interface Read {
  readonly answer: ReadAnswer;
  readonly deadlineMs: number;
}

/** What the router needs of the member around it. */
export interface ReadPort {
  nowMs(): number;
  /** Whether somebody could answer for a read: this member leads or follows a linked leader. */
  knowsLeader(): boolean;
  /** Asks the core up to which slot a read must wait. */
  ask(readId: number): void;
  appliedSlot(): number;
}

/**
 * Sees linearizable reads to exactly one answer each. Those of one turn share one question to the core; when it names a
 * slot they wait until that is applied here (rule 11). A question that no leader answered is asked again of the next one.
 */
export class ReadRouter {
  readonly #port: ReadPort;
  readonly #limits: ReadLimits;
  #waiting: Read[] = [];
  readonly #asked = new Map<number, Read[]>();
  /** Confirmed, in the order of the slots they wait for. */
  #confirmed: { slot: number; reads: Read[] }[] = [];
  #nextId = 1;
  #held = 0;

  constructor(port: ReadPort, limits: ReadLimits = DEFAULT_READ_LIMITS) {
    this.#port = port;
    this.#limits = limits;
  }

  get held(): number {
    return this.#held;
  }

  /** Whether `route` would ask for something. */
  get routable(): boolean {
    return this.#waiting.length > 0 && this.#port.knowsLeader();
  }

  submit(answer: ReadAnswer): void {
    if (this.#held >= this.#limits.maxReads) return answer(new SynodError("SYNOD_ERR_BUSY"));
    this.#held += 1;
    this.#waiting.push({ answer, deadlineMs: this.#port.nowMs() + this.#limits.timeoutMs });
  }

  /** Asks for those that came since the last turn, if there is anybody to ask. */
  route(): void {
    if (this.#waiting.length === 0 || !this.#port.knowsLeader()) return;
    const id = this.#nextId;
    this.#nextId += 1;
    this.#asked.set(id, this.#waiting);
    this.#waiting = [];
    this.#port.ask(id);
  }

  /** The core's answer. Reads without one wait for the next turn, until their time is up. */
  outcome(outcome: ReadOutcome): void {
    const reads = this.#asked.get(outcome.readId);
    this.#asked.delete(outcome.readId);
    if (reads === undefined) return;
    if (!outcome.ok) {
      this.#waiting = [...reads, ...this.#waiting];
      return;
    }
    this.#confirmed.push({ slot: outcome.slot, reads });
    // Slots come in rising order but for a change of leader, so this sorts next to nothing.
    this.#confirmed.sort((a, b) => a.slot - b.slot);
  }

  /** Answers those whose slot is applied. Runs after every apply and once a turn. */
  release(): void {
    if (this.#confirmed.length === 0) return;
    const applied = this.#port.appliedSlot();
    let done = 0;
    while (done < this.#confirmed.length && (this.#confirmed[done] as { slot: number }).slot <= applied) done += 1;
    for (const { reads } of this.#confirmed.splice(0, done)) for (const read of reads) this.#answer(read, null);
  }

  #answer(read: Read, error: SynodError | null): void {
    this.#held -= 1;
    read.answer(error);
  }

  /** Answers what is out of time with an error; reads have no effect, so a retry is always safe. */
  expire(): void {
    if (this.#held === 0) return;
    const nowMs = this.#port.nowMs();
    // Answered at the end: who gets an answer may submit again.
    const late: Read[] = [];
    const inTime = (read: Read): boolean => {
      if (read.deadlineMs > nowMs) return true;
      late.push(read);
      return false;
    };
    this.#waiting = this.#waiting.filter(inTime);
    for (const [id, reads] of this.#asked) {
      const left = reads.filter(inTime);
      if (left.length === 0) this.#asked.delete(id);
      else if (left.length < reads.length) this.#asked.set(id, left);
    }
    this.#confirmed = this.#confirmed.flatMap(({ slot, reads }) => {
      const left = reads.filter(inTime);
      return left.length === 0 ? [] : [{ slot, reads: left }];
    });
    for (const read of late) this.#answer(read, new SynodError(this.#port.knowsLeader() ? "SYNOD_ERR_TIMEOUT" : "SYNOD_ERR_NO_LEADER"));
  }

  /** Fails everything with one error. */
  stop(error: SynodError): void {
    const all = [...this.#waiting, ...[...this.#asked.values()].flat(), ...this.#confirmed.flatMap(({ reads }) => reads)];
    this.#waiting = [];
    this.#asked.clear();
    this.#confirmed = [];
    for (const read of all) this.#answer(read, error);
  }
}
