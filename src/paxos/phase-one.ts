import { assert } from "../codec/assert.ts";
import { ballotsEqual, type Ballot, compareBallots } from "./ballot.ts";
import { type Configuration, isQuorum } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { Learner } from "./learner.ts";
import type { PromiseReply, ReportedEntry, ValueBytes } from "./messages.ts";
import { encodeValue } from "./value.ts";

export interface PhaseOneOptions {
  readonly ballot: Ballot;
  /** The record that must be durable before a prepare leaves and the own promise counts (rule 5a); 0: the ballot is durable already. */
  readonly ownRecord: number;
  /** The first slot that is asked for. */
  readonly fromSlot: Slot;
  /** The configuration that governs the first slot that is not chosen yet; its voters are asked and counted (rule 16). */
  configuration(): Configuration;
}

/**
 * Phase 1 for every slot from one on at once (Paxos Made Simple, section 3). Promises count once per incarnation, only
 * for exactly this ballot, and only when complete (rules 2 and 4).
 */
export class PhaseOne {
  readonly ballot: Ballot;
  readonly #context: Context;
  readonly #learner: Learner;
  readonly #options: PhaseOneOptions;
  /** The voters that were asked, each with the slot from which its report is still missing. */
  readonly #asked = new Map<Incarnation, Slot>();
  readonly #promisedBy = new Set<Incarnation>();
  readonly #reported = new Map<number, ReportedEntry>();
  /** Who promised but needs this member to install a snapshot before it can be asked again. */
  readonly #waitingForSnapshot = new Set<Incarnation>();
  #progressAtMs: number;

  constructor(context: Context, learner: Learner, options: PhaseOneOptions) {
    this.#context = context;
    this.#learner = learner;
    this.#options = options;
    this.ballot = options.ballot;
    this.#progressAtMs = context.nowMs;
    if (options.ownRecord === 0) this.#promisedBy.add(context.self);
  }

  /** When the last sign of progress came, in the core's time. */
  get progressAtMs(): number {
    return this.#progressAtMs;
  }

  /** Asks the voters that were not asked yet: all of them at first, later those that a chosen change of the configuration brought. */
  ask(): void {
    for (const { incarnation } of this.#options.configuration().voters) {
      if (incarnation === this.#context.self || this.#asked.has(incarnation)) continue;
      this.#prepare(incarnation, this.#options.fromSlot);
    }
  }

  /** Asks those again whose promise is not complete: a prepare or its answer may be lost. */
  askAgain(): void {
    for (const [peer, fromSlot] of this.#asked) if (!this.#promisedBy.has(peer)) this.#prepare(peer, fromSlot);
  }

  #prepare(peer: Incarnation, fromSlot: Slot): void {
    const { outbox } = this.#context;
    const message = { type: "prepare", ballot: this.ballot, fromSlot } as const;
    this.#asked.set(peer, fromSlot);
    if (this.#options.ownRecord === 0) outbox.send(peer, message);
    else outbox.sendWhenDurable(peer, message);
  }

  /** The member's own records are durable up to `record`; its own promise counts from then on. */
  ownDurable(record: number): void {
    if (record >= this.#options.ownRecord) this.#promisedBy.add(this.#context.self);
  }

  takePromise(from: Incarnation, message: PromiseReply): void {
    if (!ballotsEqual(message.ballot, this.ballot)) return;
    // An answer to an earlier question of this ballot may begin above what is missing; counted, it would hide what lies between.
    const missingFrom = this.#asked.get(from);
    if (missingFrom === undefined || message.fromSlot > missingFrom) return;
    this.#progressAtMs = this.#context.nowMs;
    for (const entry of message.entries) this.#report(entry);
    this.#learner.heardChosen(from, message.chosenThrough);
    if (message.nextSlot !== null) return this.#prepare(from, message.nextSlot);
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
    for (const peer of this.#waitingForSnapshot) this.#prepare(peer, (this.#context.log.chosenThrough + 1) as Slot);
    this.#waitingForSnapshot.clear();
  }

  hasQuorum(): boolean {
    return isQuorum(this.#options.configuration(), (voter) => this.#promisedBy.has(voter));
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
