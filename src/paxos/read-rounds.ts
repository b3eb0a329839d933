import type { Context } from "./context.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { Leader } from "./leader.ts";
import type { ReadIndexReply } from "./messages.ts";

/** Who waits for a read index at the leader: a read of its own, or a follower's request. */
type Waiting = { readonly readId: number } | { readonly follower: Incarnation; readonly nonce: number };

/**
 * The leader's side of linearizable reads (rule 11): reads that wait share one round of heartbeats that began after they
 * arrived; when a quorum answered it, everything chosen when it began is known, and the reads may be answered from there.
 */
export class ReadRounds {
  readonly #context: Context;
  readonly #leader: Leader;
  #waiting: Waiting[] = [];
  #round: { nonce: number; slot: Slot; reads: Waiting[] } | null = null;

  constructor(context: Context, leader: Leader) {
    this.#context = context;
    this.#leader = leader;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** Ends the round that is confirmed and begins the next one when reads wait and the leader serves. */
  pump(): void {
    if (this.#round !== null && this.#leader.confirmed(this.#round.nonce)) {
      const { slot, reads } = this.#round;
      this.#round = null;
      for (const read of reads) this.#answer(read, slot);
    }
    if (this.#round !== null || this.#waiting.length === 0 || !this.#leader.servesReads) return;
    this.#leader.heartbeat();
    this.#round = { nonce: this.#leader.nonce, slot: this.#context.log.chosenThrough, reads: this.#waiting };
    this.#waiting = [];
    if (this.#leader.confirmed(this.#round.nonce)) this.pump();
  }

  #answer(read: Waiting, slot: Slot): void {
    const { outbox } = this.#context;
    if ("readId" in read) outbox.answerRead({ readId: read.readId, ok: true, slot });
    else outbox.send(read.follower, { type: "readIndexReply", ballot: this.#leader.ballot, nonce: read.nonce, slot });
  }

  /** The leadership ended: own reads must be asked for again; followers notice by themselves. */
  abandon(): void {
    for (const read of [...(this.#round?.reads ?? []), ...this.#waiting]) {
      if ("readId" in read) this.#context.outbox.answerRead({ readId: read.readId, ok: false });
    }
    this.#round = null;
    this.#waiting = [];
  }
}

/** The follower's side: reads that wait share one request to the leader; each attempt carries a fresh nonce. */
export class ForwardedReads {
  readonly #context: Context;
  #waiting: number[] = [];
  #asked: { nonce: number; reads: number[]; atMs: number } | null = null;

  constructor(context: Context) {
    this.#context = context;
  }

  add(readId: number): void {
    this.#waiting.push(readId);
  }

  /** Asks the leader for those that wait; an attempt without an answer for half an election timeout is given up and made anew. */
  pump(leader: Incarnation | null): void {
    const { nowMs, timings, outbox } = this.#context;
    if (leader === null) return this.abandon();
    if (this.#asked !== null && nowMs - this.#asked.atMs >= timings.electionTimeoutMs / 2) {
      this.#waiting = [...this.#asked.reads, ...this.#waiting];
      this.#asked = null;
    }
    if (this.#asked !== null || this.#waiting.length === 0) return;
    this.#asked = { nonce: this.#context.nextNonce(), reads: this.#waiting, atMs: nowMs };
    this.#waiting = [];
    outbox.send(leader, { type: "readIndexRequest", nonce: this.#asked.nonce });
  }

  /** Until when nothing is to be asked for again. */
  get quietUntilMs(): number {
    return this.#asked === null ? Infinity : this.#asked.atMs + this.#context.timings.electionTimeoutMs / 2;
  }

  take({ nonce, slot }: ReadIndexReply): void {
    if (this.#asked === null || this.#asked.nonce !== nonce) return;
    for (const readId of this.#asked.reads) this.#context.outbox.answerRead({ readId, ok: true, slot });
    this.#asked = null;
  }

  /** No leader is known, or another one: whoever asked must ask again. */
  abandon(): void {
    for (const readId of [...(this.#asked?.reads ?? []), ...this.#waiting]) {
      this.#context.outbox.answerRead({ readId, ok: false });
    }
    this.#asked = null;
    this.#waiting = [];
  }
}
