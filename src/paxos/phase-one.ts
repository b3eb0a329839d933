import { assert } from "../codec/assert.ts";
import { ballotsEqual, type Ballot, compareBallots } from "./ballot.ts";
import { isVoter, quorumSize } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { Learner } from "./learner.ts";
import type { PromiseReply, ReportedEntry, ValueBytes } from "./messages.ts";
import { encodeValue } from "./value.ts";

/**
 * A candidate's phase 1 for every slot at once (Paxos Made Simple, section 3). Promises count once per incarnation, only
 * for exactly this ballot, and only when complete (rules 2 and 4).
 */
export class PhaseOne {
  readonly ballot: Ballot;
  readonly #context: Context;
  readonly #learner: Learner;
  readonly #fromSlot: Slot;
  readonly #ownRecord: number;
  readonly #promisedBy = new Set<Incarnation>();
  readonly #reported = new Map<number, ReportedEntry>();
  /** Who promised but needs this member to install a snapshot before it can be asked again. */
  readonly #waitingForSnapshot = new Set<Incarnation>();
  #progressAtMs: number;

  constructor(context: Context, learner: Learner, ballot: Ballot, ownRecord: number) {
    this.#context = context;
    this.#learner = learner;
    this.ballot = ballot;
    this.#ownRecord = ownRecord;
    this.#fromSlot = (context.log.chosenThrough + 1) as Slot;
    this.#progressAtMs = context.nowMs;
  }

  /** When the last sign of progress came, in the core's time. */
  get progressAtMs(): number {
    return this.#progressAtMs;
  }

  /** Sends the prepares; they leave once the ballot is durable as this member's own (rule 5a). */
  start(): void {
    for (const voter of this.#context.configuration.voters) {
      if (voter.incarnation !== this.#context.self) this.#ask(voter.incarnation, this.#fromSlot);
    }
  }

  #ask(peer: Incarnation, fromSlot: Slot): void {
    this.#context.outbox.sendWhenDurable(peer, { type: "prepare", ballot: this.ballot, fromSlot });
  }

  /** The member's own records are durable up to `record`; its own promise counts from then on. */
  ownDurable(record: number): void {
    if (record >= this.#ownRecord) this.#promisedBy.add(this.#context.self);
  }

  takePromise(from: Incarnation, message: PromiseReply): void {
    if (!ballotsEqual(message.ballot, this.ballot)) return;
    this.#progressAtMs = this.#context.nowMs;
    for (const entry of message.entries) this.#report(entry);
    this.#learner.heardChosen(from, message.chosenThrough);
    if (message.nextSlot !== null) return this.#ask(from, message.nextSlot);
    this.#promisedBy.add(from);
    this.#context.outbox.emit({ type: "promiseReceived", ballot: this.ballot, from });
  }

  #report(entry: ReportedEntry): void {
    if (entry.chosen) return this.#learner.learn(entry.slot, entry.value);
    const known = this.#reported.get(entry.slot);
    if (known === undefined || compareBallots(entry.ballot, known.ballot) > 0) this.#reported.set(entry.slot, entry);
  }

  /** `from` promised but cut what was asked for; its answer counts only when its snapshot is installed here (rule 4). */
  takeSnapshotNeed(from: Incarnation, ballot: Ballot, snapshotSlot: Slot): void {
    if (!ballotsEqual(ballot, this.ballot)) return;
    this.#progressAtMs = this.#context.nowMs;
    this.#waitingForSnapshot.add(from);
    if (snapshotSlot > this.#context.log.chosenThrough) this.#learner.heardSnapshot(from, snapshotSlot);
    else this.snapshotInstalled();
  }

  /** Asks those again that had cut what was asked for. */
  snapshotInstalled(): void {
    this.#progressAtMs = this.#context.nowMs;
    for (const peer of this.#waitingForSnapshot) this.#ask(peer, (this.#context.log.chosenThrough + 1) as Slot);
    this.#waitingForSnapshot.clear();
  }

  hasQuorum(): boolean {
    const { configuration } = this.#context;
    let count = 0;
    for (const member of this.#promisedBy) if (isVoter(configuration, member)) count += 1;
    return count >= quorumSize(configuration);
  }

  /**
   * What the new leader must propose, for consecutive slots from the first that is not known to be chosen: per slot the
   * value of the highest ballot reported, this member's own log included, and no-ops in the gaps (rule 3).
   */
  adopt(): { firstSlot: Slot; values: ValueBytes[] } {
    assert(this.hasQuorum(), "only a quorum's reports are adopted");
    const { log } = this.#context;
    const firstSlot = (log.chosenThrough + 1) as Slot;
    let last: number = log.last;
    for (const slot of this.#reported.keys()) last = Math.max(last, slot);
    const values: ValueBytes[] = [];
    for (let slot = firstSlot; slot <= last; slot++) values.push(this.#adoptAt(slot));
    return { firstSlot, values };
  }

  #adoptAt(slot: number): ValueBytes {
    const own = this.#context.log.get(slot);
    const reported = this.#reported.get(slot);
    if (own?.chosen === true || reported === undefined) return own?.value ?? encodeValue({ kind: "noop" });
    if (own === undefined || compareBallots(reported.ballot, own.ballot) > 0) return reported.value;
    return own.value;
  }
}
