import { assert } from "../codec/assert.ts";
import { type Ballot, maxBallot, ZERO_BALLOT } from "./ballot.ts";
import { type Configuration, isMember } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { CatchUp, ChosenEntries, ValueBytes } from "./messages.ts";
import { Proposals } from "./proposals.ts";
import type { SnapshotHandle } from "./records.ts";
import { decodeControlValue } from "./value.ts";

/** How often a record of what is chosen is written when nothing else is: it only shortens recovery. */
const CHOSEN_RECORD_MS = 500;
/** A member that left waits at most this long until it tells the voters again. */
const MAX_TELL_MS = 60_000;

export interface LearnerStart {
  readonly snapshot: SnapshotHandle | null;
  /** The slot of the entry that set the configuration in force. */
  readonly configurationSlot: Slot;
  /** As in `RecoveredState.chosenThrough`. */
  readonly recoveredThrough: Slot;
}

/**
 * The learner: hands chosen entries over in slot order, follows the configuration and the barriers among them, and
 * fetches what it knows to be chosen and does not hold (rule 3a).
 */
export class Learner {
  readonly #context: Context;
  readonly #proposals: Proposals;
  #appliedThrough: Slot;
  #leaderBallot: Ballot;
  #configurationSlot: Slot;
  #target: Slot = 0 as Slot;
  #source: Incarnation | null = null;
  /** When to ask, at the earliest. */
  #waitUntilMs = 0;
  #seenThrough: Slot = 0 as Slot;
  #recordedThrough: Slot;
  #recordedAtMs = 0;
  /** Records of what is chosen that are under way to the disk, in their order. */
  readonly #recording: { readonly record: number; readonly through: Slot }[] = [];
  #durableThrough: Slot;
  /** When a member that left tells the voters again what is chosen, at the earliest, and how long it waits after that. */
  #tellAtMs = 0;
  #tellDelayMs = 0;

  constructor(context: Context, proposals: Proposals, start: LearnerStart) {
    const { snapshot, configurationSlot, recoveredThrough } = start;
    this.#context = context;
    this.#proposals = proposals;
    this.#appliedThrough = snapshot?.slot ?? (0 as Slot);
    this.#leaderBallot = snapshot?.leaderBallot ?? ZERO_BALLOT;
    this.#configurationSlot = configurationSlot;
    this.#recordedThrough = recoveredThrough;
    this.#durableThrough = recoveredThrough;
  }

  /** The slots up to here are held and known to be chosen even after a restart (rule 16a). */
  get durableThrough(): Slot {
    return this.#durableThrough;
  }

  /** The highest ballot in any applied barrier (rule 10). */
  get leaderBallot(): Ballot {
    return this.#leaderBallot;
  }

  get configurationSlot(): Slot {
    return this.#configurationSlot;
  }

  /** How far others said that the log is chosen, or it is known here. */
  get heardThrough(): Slot {
    return Math.max(this.#target, this.#context.log.chosenThrough) as Slot;
  }

  get appliedThrough(): Slot {
    return this.#appliedThrough;
  }

  /** Hands over every entry of the chosen prefix that was not handed over yet. */
  applyChosen(): void {
    const { log, outbox } = this.#context;
    while (this.#appliedThrough < log.chosenThrough) {
      const slot = (this.#appliedThrough + 1) as Slot;
      const entry = log.get(slot);
      assert(entry?.chosen === true, () => `slot ${slot} of the chosen prefix is held`);
      this.#appliedThrough = slot;
      this.#observe(slot, entry.value);
      outbox.apply({ slot, value: entry.value, proposalId: this.#proposals.settle(slot, entry.value) });
    }
  }

  #observe(slot: Slot, bytes: ValueBytes): void {
    const value = decodeControlValue(bytes);
    if (value?.kind === "barrier") {
      this.#leaderBallot = maxBallot(this.#leaderBallot, value.ballot);
      this.#proposals.abandonBelow(value.ballot, slot);
    } else if (value?.kind === "configuration") {
      this.#configure(slot, value.configuration);
    }
  }

  /** A member that joined knows a later configuration than the entries it catches up with; those govern nothing that it decides. */
  #configure(slot: Slot, configuration: Configuration): void {
    if (slot <= this.#configurationSlot) return;
    this.#context.configuration = configuration;
    this.#configurationSlot = slot;
    if (!isMember(configuration, this.#context.self)) this.#proposals.abandonAbove(slot);
    this.#context.outbox.emit({ type: "configurationChanged", slot, configuration });
  }

  /** `from` says that everything up to `through` is chosen; if that is more than is held here, it is the one to ask. */
  heardChosen(from: Incarnation, through: Slot): void {
    const { log, nowMs } = this.#context;
    if (through <= log.chosenThrough) return;
    if (log.chosenThrough >= this.#target) this.#waitUntilMs = nowMs + this.#graceMs();
    this.#target = Math.max(through, this.#target) as Slot;
    this.#source = from;
  }

  /** What is missing is most often on its way already (an accept behind the heartbeat that overtook it). */
  #graceMs(): number {
    return this.#context.timings.heartbeatMs / 2;
  }

  /** Asks for missing values: one request under way at a time, asked again when no answer came for half an election timeout. */
  pumpCatchUp(): void {
    const { log, outbox, nowMs, timings } = this.#context;
    if (this.#source === null || log.chosenThrough >= this.#target) return;
    if (log.chosenThrough > this.#seenThrough) {
      this.#seenThrough = log.chosenThrough;
      this.#waitUntilMs = Math.max(this.#waitUntilMs, nowMs + this.#graceMs());
    }
    if (nowMs < this.#waitUntilMs) return;
    this.#waitUntilMs = nowMs + timings.electionTimeoutMs / 2;
    // Behind what was learned before: a slow disk paces the catching up, instead of a queue growing before it.
    outbox.sendWhenDurable(this.#source, { type: "catchUp", fromSlot: (log.chosenThrough + 1) as Slot });
  }

  /**
   * What a member without a vote does when it hears no leader. A learner asks the voters what is chosen: it may have been removed
   * meanwhile, or be a voter by now. A member that left tells them how far it knows the log to be chosen: whoever took the place of
   * the only voter may not know that yet, and nobody else would ever campaign (rule 18). It does so less and less
   * often, since as a rule they know it.
   */
  consultVoters(promised: Ballot): void {
    const { configuration, log, outbox, self } = this.#context;
    const fromSlot = (log.chosenThrough + 1) as Slot;
    const learns = isMember(configuration, self);
    if (!learns && !this.#mayTell()) return;
    for (const { incarnation } of configuration.voters) {
      if (learns) outbox.sendWhenDurable(incarnation, { type: "catchUp", fromSlot });
      else outbox.send(incarnation, { type: "chosenEntries", promised, fromSlot, values: [], chosenThrough: log.chosenThrough });
    }
  }

  #mayTell(): boolean {
    const { nowMs, timings } = this.#context;
    if (nowMs < this.#tellAtMs) return false;
    this.#tellDelayMs = Math.min(MAX_TELL_MS, Math.max(timings.electionTimeoutMs, 2 * this.#tellDelayMs));
    this.#tellAtMs = nowMs + this.#tellDelayMs;
    return true;
  }

  /** Who has a link again may have missed all that a member that left told it. */
  linkOpened(): void {
    this.#tellAtMs = 0;
    this.#tellDelayMs = 0;
  }

  /** Answers with chosen values, or that a snapshot is needed. */
  answerCatchUp(from: Incarnation, { fromSlot }: CatchUp, promised: Ballot): void {
    const { log, outbox, limits } = this.#context;
    if (fromSlot <= log.cutThrough) {
      outbox.send(from, { type: "needsSnapshot", snapshotSlot: log.snapshotSlot });
      return;
    }
    const entries = log.slice(fromSlot, log.chosenThrough, limits.maxMessageBytes);
    const values = entries.map((entry) => entry.value);
    outbox.send(from, { type: "chosenEntries", promised, fromSlot, values, chosenThrough: log.chosenThrough });
  }

  /** Values that a peer knows to be chosen (rule 3a, case b). */
  takeChosen(from: Incarnation, { fromSlot, values, chosenThrough }: ChosenEntries): void {
    values.forEach((value, index) => this.learn((fromSlot + index) as Slot, value));
    if (from === this.#source && values.length === 0) this.#source = null;
    this.heardChosen(from, chosenThrough);
    // The answer made progress, so the next part is asked for at once.
    this.#seenThrough = this.#context.log.chosenThrough;
    this.#waitUntilMs = 0;
  }

  /** Holds a value as chosen, durably sooner or later; it needs no vote, so nothing waits for it. */
  learn(slot: Slot, value: ValueBytes): void {
    if (this.#context.log.learn(slot, value)) this.#context.outbox.record({ type: "learned", slot, value });
  }

  /** A peer has only a snapshot of what is missing here. Ignored when it would not advance this member (rule 21). */
  heardSnapshot(from: Incarnation, snapshotSlot: Slot): void {
    if (snapshotSlot > this.#context.log.chosenThrough) this.#context.outbox.fetchSnapshot(from, snapshotSlot);
  }

  /** A peer's snapshot is in place of everything up to its slot. False: it was not ahead, and nothing changed. */
  install(handle: SnapshotHandle): boolean {
    const { log } = this.#context;
    if (handle.slot <= log.chosenThrough) return false;
    log.install(handle.slot);
    this.#appliedThrough = handle.slot;
    this.#leaderBallot = maxBallot(this.#leaderBallot, handle.leaderBallot);
    this.#configure(handle.configurationSlot, handle.configuration);
    this.#durableThrough = Math.max(this.#durableThrough, handle.slot) as Slot;
    this.#recordedThrough = Math.max(this.#recordedThrough, handle.slot) as Slot;
    this.#waitUntilMs = 0;
    this.#proposals.abandonThrough(handle.slot);
    // The barrier itself is under the snapshot and will never be seen.
    this.#proposals.abandonBelow(handle.leaderBallot, handle.slot);
    return true;
  }

  /** Notes what is chosen beside records that are written anyway, and now and then, or when the configuration changed, without them. */
  recordChosen(): void {
    const { outbox, nowMs } = this.#context;
    if (this.#appliedThrough <= this.#recordedThrough) return;
    const waits = !outbox.holdsRecords && nowMs - this.#recordedAtMs < CHOSEN_RECORD_MS;
    if (waits && this.#configurationSlot <= this.#recordedThrough) return;
    this.#recordedThrough = this.#appliedThrough;
    this.#recordedAtMs = nowMs;
    const record = outbox.record({ type: "chosen", through: this.#appliedThrough });
    this.#recording.push({ record, through: this.#appliedThrough });
  }

  /** Until when nothing is to be asked for or noted, as far as only time decides about that. */
  get quietUntilMs(): number {
    const { log } = this.#context;
    const asksAtMs = this.#source === null || log.chosenThrough >= this.#target ? Infinity : this.#waitUntilMs;
    const notesAtMs = this.#appliedThrough <= this.#recordedThrough ? Infinity : this.#recordedAtMs + CHOSEN_RECORD_MS;
    return Math.min(asksAtMs, notesAtMs);
  }

  /** The member's own records are durable up to `record`. */
  ownDurable(record: number): void {
    let done = 0;
    for (const recording of this.#recording) {
      if (recording.record > record) break;
      this.#durableThrough = Math.max(this.#durableThrough, recording.through) as Slot;
      done += 1;
    }
    if (done > 0) this.#recording.splice(0, done);
  }
}
