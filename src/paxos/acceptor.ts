import { assert } from "../codec/assert.ts";
import { ballotsEqual, type Ballot, compareBallots, maxBallot, ZERO_BALLOT } from "./ballot.ts";
import type { Context } from "./context.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { Accept, Prepare, ReportedEntry, ValueBytes } from "./messages.ts";
import type { RecoveredState } from "./records.ts";

/**
 * The acceptor: promises and accepts (Paxos Made Simple, section 2.2, for all slots at once as in section 3).
 * It answers any proposer of its cluster; whether an answer counts is the proposer's business (rule 18).
 */
export class Acceptor {
  readonly #context: Context;
  #promised: Ballot;
  #ownRound: number;
  /** The slots accepted at exactly the promised ballot, without a gap; empty while `#through` is below `#from`. */
  #from: Slot;
  #through: Slot;
  #ackTo: Incarnation | null = null;

  constructor(context: Context, recovered: RecoveredState) {
    this.#context = context;
    // The snapshot may have become durable before the promise that came with it.
    this.#promised = maxBallot(recovered.promised, recovered.snapshot?.promised ?? ZERO_BALLOT);
    this.#ownRound = recovered.ownRound;
    this.#through = context.log.last;
    this.#from = (this.#through + 1) as Slot;
    this.#recoverRange();
  }

  get promised(): Ballot {
    return this.#promised;
  }

  /** The highest round that this incarnation ever campaigned in, in this life or an earlier one (rule 5a). */
  get ownRound(): number {
    return this.#ownRound;
  }

  /** Starts a new ballot of this member's own above everything promised, used or seen. Returns it and its record's number. */
  openBallot(aboveRound: number): { ballot: Ballot; record: number } {
    const round = Math.max(this.#ownRound, this.#promised.round, aboveRound) + 1;
    const ballot: Ballot = { round, incarnation: this.#context.self };
    assert(compareBallots(ballot, this.#promised) > 0, "an own ballot lies above the promise");
    this.#ownRound = round;
    this.#raise(ballot);
    return { ballot, record: this.#context.outbox.record({ type: "campaign", ballot }) };
  }

  /** Promises `ballot` unless a higher one is promised. False: refused. */
  promise(ballot: Ballot): boolean {
    const order = compareBallots(ballot, this.#promised);
    if (order < 0) return false;
    if (order > 0) {
      this.#raise(ballot);
      this.#context.outbox.record({ type: "promised", ballot });
      this.#context.outbox.emit({ type: "promiseGiven", ballot });
    }
    return true;
  }

  /** Phase 1b: promises, and reports what is accepted from the asked slot on, in as many messages as it takes (rules 3, 4). */
  answerPrepare(from: Incarnation, { ballot, fromSlot }: Prepare): void {
    const { outbox, log, limits } = this.#context;
    if (!this.promise(ballot)) return this.reject(from, ballot);
    if (fromSlot <= log.cutThrough) {
      return outbox.sendWhenDurable(from, { type: "promiseNeedsSnapshot", ballot, snapshotSlot: log.snapshotSlot });
    }
    const held = log.slice(fromSlot, log.last, limits.maxMessageBytes);
    const entries: ReportedEntry[] = held.map(({ slot, ballot: at, chosen, value }) => ({ slot, ballot: at, chosen, value }));
    const lastSlot = entries.at(-1)?.slot ?? log.last;
    const nextSlot = lastSlot < log.last ? ((lastSlot + 1) as Slot) : null;
    // What is reported may still be on its way to the disk, so the promise waits for all of it and not just for its own record.
    outbox.sendWhenDurable(from, { type: "promise", ballot, fromSlot, entries, nextSlot, chosenThrough: log.chosenThrough });
  }

  /**
   * Phase 2b: accepts the slots of one message. A range of slots held at this ballot begins only where the leader says that
   * all below is chosen, or where the log is cut; anything else is a gap, answered by saying where to go on (rule 3a).
   */
  answerAccept(from: Incarnation, message: Accept): void {
    const { outbox, log } = this.#context;
    const { ballot, firstSlot, values, chosenThrough } = message;
    if (!this.promise(ballot)) return this.reject(from, ballot);
    if (firstSlot <= log.cutThrough) outbox.send(from, { type: "needsSnapshot", snapshotSlot: log.snapshotSlot });
    const start = Math.max(firstSlot, log.cutThrough + 1) as Slot;
    const end = firstSlot + values.length - 1;
    if (start > end) return;
    const empty = this.#through < this.#from;
    if (empty || start > this.#through + 1) {
      const beginsBy = Math.max(chosenThrough, log.cutThrough) + 1;
      if (start > beginsBy) {
        return outbox.send(from, { type: "acceptGap", ballot, expected: (empty ? beginsBy : this.#through + 1) as Slot });
      }
      this.#restartRange(start);
    }
    for (let slot = Math.max(start, this.#through + 1); slot <= end; slot++) {
      const value = values[slot - firstSlot] as ValueBytes;
      // A higher ballot, not promised here yet, chose another value in this slot: the sender's time is over.
      if (log.refutes(slot, value)) return this.reject(from, ballot);
      this.acceptAt(slot as Slot, value);
    }
    this.#ackTo = from;
  }

  /** Accepts one slot at the promised ballot, next in its range, and returns the record's number. Raises the promise (rule 1). */
  acceptAt(slot: Slot, value: ValueBytes): number {
    const empty = this.#through < this.#from;
    const next = slot === this.#through + 1;
    const behindChosen = slot > this.#through && slot === this.#context.log.chosenThrough + 1;
    assert(empty || next || behindChosen, "slots are accepted at one ballot without a gap");
    if (empty || !next) this.#restartRange(slot);
    const ballot = this.#promised;
    this.#context.log.accept(slot, ballot, value);
    this.#through = slot;
    return this.#context.outbox.record({ type: "accepted", slot, ballot, value });
  }

  /** The last slot that was accepted at the promised ballot; 0: none was. */
  get acceptedThrough(): Slot {
    return this.#through < this.#from ? (0 as Slot) : this.#through;
  }

  /** The slots up to `chosenThrough` that were accepted at exactly `ballot`: those are known to be chosen (rule 3a, case c). */
  acceptedAt(ballot: Ballot, chosenThrough: Slot): { from: Slot; through: Slot } | null {
    if (!ballotsEqual(ballot, this.#promised)) return null;
    const through = Math.min(this.#through, chosenThrough) as Slot;
    return through < this.#from ? null : { from: this.#from, through };
  }

  reject(to: Incarnation, ballot: Ballot): void {
    this.#context.outbox.send(to, { type: "reject", ballot, promised: this.#promised });
  }

  /** Sends the one acknowledgement owed for all accepts since the last call; it leaves when they are durable (rule 5). */
  flushAck(): void {
    if (this.#ackTo === null) return;
    const ack = { type: "accepted", ballot: this.#promised, from: this.#from, through: this.#through } as const;
    this.#context.outbox.sendWhenDurable(this.#ackTo, ack);
    this.#ackTo = null;
  }

  #raise(ballot: Ballot): void {
    assert(compareBallots(ballot, this.#promised) > 0, "a promise never falls");
    // An ack owed for the old ballot is dropped: it would name the new one.
    this.#ackTo = null;
    this.#promised = maxBallot(ballot, this.#promised);
    this.#restartRange((this.#context.log.last + 1) as Slot);
  }

  #restartRange(from: Slot): void {
    this.#from = from;
    this.#through = (from - 1) as Slot;
  }

  /** After a restart: the unbroken run at the end of the log that was accepted at the promised ballot. */
  #recoverRange(): void {
    const { log } = this.#context;
    const last = log.last;
    let from = last + 1;
    while (from - 1 > log.cutThrough) {
      const entry = log.get(from - 1);
      if (entry === undefined || !ballotsEqual(entry.ballot, this.#promised)) break;
      from -= 1;
    }
    this.#from = from as Slot;
    this.#through = last;
  }
}
