import { assert } from "../codec/assert.ts";
import type { Acceptor } from "./acceptor.ts";
import { ballotsEqual, type Ballot } from "./ballot.ts";
import { allMembers, type Configuration, isMember, isQuorum, quorumSize } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { ChangeRequest } from "./interface.ts";
import type { Learner } from "./learner.ts";
import type { Accept, Accepted, AcceptGap, HeartbeatReply, PromiseNeedsSnapshot, PromiseReply, ValueBytes } from "./messages.ts";
import { Progress } from "./progress.ts";
import type { Proposals } from "./proposals.ts";
import { type LeaderView, Reconfiguration } from "./reconfiguration.ts";
import { bytesEqual } from "./replica-log.ts";
import { decodeControlValue, encodeValue } from "./value.ts";

interface OwnAccept {
  readonly slot: Slot;
  readonly record: number;
  readonly bytes: number;
}

interface QueuedProposal {
  readonly proposalId: number;
  readonly commands: readonly Uint8Array[];
  readonly bytes: number;
}

const MAX_REWIND_DOUBLINGS = 4;

/** How far a member has come, as its leader knows. */
export interface MemberProgress {
  readonly incarnation: Incarnation;
  /** The slots up to here it holds and knows to be chosen; 0: it did not say so in this ballot. */
  readonly chosenThrough: Slot;
  /** Milliseconds since it was heard from; null: not in this ballot. */
  readonly heardAgoMs: number | null;
  /** Heard from lately and not far behind: a learner may be promoted. */
  readonly caughtUp: boolean;
}

/**
 * A leader's phase 2 in one ballot: proposes consecutive slots without waiting, counts acknowledgements of exactly this
 * ballot, and tells what is chosen. It serves clients only once its barrier and all below it are chosen (rule 3).
 */
export class Leader {
  readonly ballot: Ballot;
  readonly #context: Context;
  readonly #acceptor: Acceptor;
  readonly #learner: Learner;
  readonly #proposals: Proposals;
  readonly #reconfiguration: Reconfiguration;
  readonly #linksDown: ReadonlySet<Incarnation>;
  readonly #peers = new Map<Incarnation, Progress>();
  /** The leader's first slot in this ballot. */
  readonly #base: Slot;
  /** Null until it is proposed: not before the last adopted configuration is entered. */
  #barrierSlot: Slot | null = null;
  /** The first slot proposed behind what was adopted last: once it is chosen, so is all that others had chosen before. */
  #settledSlot: Slot | null = null;
  #ready = false;
  #nextSlot: Slot;
  #ownThrough: Slot;
  readonly #ownAccepts: OwnAccept[] = [];
  #unchosenBytes = 0;
  readonly #unchosenSizes: { slot: Slot; bytes: number }[] = [];
  readonly #queued: QueuedProposal[] = [];
  #queuedBytes = 0;
  #held = false;
  #heartbeatAtMs: number;
  #advertised: Slot = 0 as Slot;
  #nonce = 0;

  constructor(
    context: Context,
    parts: { acceptor: Acceptor; learner: Learner; proposals: Proposals; linksDown: ReadonlySet<Incarnation> },
    ballot: Ballot,
    adopted: { firstSlot: Slot; values: ValueBytes[] },
  ) {
    assert(ballotsEqual(ballot, parts.acceptor.promised), "a leader's ballot is its own promise");
    this.#context = context;
    this.#acceptor = parts.acceptor;
    this.#learner = parts.learner;
    this.#proposals = parts.proposals;
    this.ballot = ballot;
    this.#base = adopted.firstSlot;
    this.#nextSlot = adopted.firstSlot;
    this.#ownThrough = (adopted.firstSlot - 1) as Slot;
    this.#heartbeatAtMs = context.nowMs;
    this.#linksDown = parts.linksDown;
    this.#reconfiguration = new Reconfiguration(context, parts.learner, ballot);
    this.#followMembers();
    this.#proposeAdopted(adopted.values);
    this.heartbeat();
  }

  /** Proposes what phase 1 found, up to a configuration among it: what lies above that belongs to the phase 1 of its voters (rule 16). */
  #proposeAdopted(values: readonly ValueBytes[]): void {
    for (const value of values) {
      const slot = this.#proposeValue(value);
      const control = decodeControlValue(value);
      if (control?.kind === "configuration") return this.#enterLater(slot, control.configuration);
    }
    // A barrier tells of a leadership and is proposed once in it; a configuration that is entered later needs something chosen under it.
    this.#settledSlot = this.#proposeValue(encodeValue(this.#barrierSlot === null ? { kind: "barrier", ballot: this.ballot } : { kind: "noop" }));
    this.#barrierSlot ??= this.#settledSlot;
    this.#drainQueue();
  }

  #enterLater(slot: Slot, configuration: Configuration): void {
    this.#reconfiguration.begin(slot, configuration);
    this.#followMembers();
  }

  /** Keeps in touch with everybody who has a part in the configurations in force and to come, and with who leaves until that is done. */
  #followMembers(): void {
    const { configuration, self, log, nowMs } = this.#context;
    const { next, done } = this.#reconfiguration;
    for (const { incarnation } of [...allMembers(configuration), ...(next === null ? [] : allMembers(next))]) {
      if (incarnation === self || this.#peers.has(incarnation)) continue;
      const progress = new Progress(incarnation, Math.max(log.chosenThrough + 1, this.#base) as Slot, nowMs);
      progress.linkUp = !this.#linksDown.has(incarnation);
      this.#peers.set(incarnation, progress);
    }
    if (!done) return;
    for (const peer of this.#peers.keys()) if (!isMember(configuration, peer)) this.#peers.delete(peer);
  }

  get #view(): LeaderView {
    return { ready: this.#ready, held: this.#held, progressOf: (member) => this.#peers.get(member) };
  }

  /** Whether `change` would propose a configuration for this request now. */
  allowsChange(request: ChangeRequest): boolean {
    return this.#reconfiguration.allows(request, this.#view);
  }

  /** Changes the configuration, or answers why not (rule 16). */
  change(request: ChangeRequest): void {
    const configuration = this.#reconfiguration.judge(request, this.#view);
    if (configuration === null) return;
    const slot = this.#proposeValue(encodeValue({ kind: "configuration", origin: this.ballot, configuration }));
    this.#enterLater(slot, configuration);
  }

  /** How far every member of the configuration in force has come. */
  memberProgress(): MemberProgress[] {
    const { configuration, self, log, nowMs } = this.#context;
    return allMembers(configuration).map(({ incarnation }) => {
      if (incarnation === self) return { incarnation, chosenThrough: log.chosenThrough, heardAgoMs: 0, caughtUp: true };
      const progress = this.#peers.get(incarnation);
      const heardAgoMs = progress?.heard === true ? nowMs - progress.heardAtMs : null;
      return { incarnation, chosenThrough: progress?.chosenThrough ?? (0 as Slot), heardAgoMs, caughtUp: this.#reconfiguration.isCaughtUp(progress) };
    });
  }

  /** Whether the change of the configuration in force is done (rule 16a). */
  get configurationDone(): boolean {
    return this.#reconfiguration.done;
  }

  get nextConfiguration(): Configuration | null {
    return this.#reconfiguration.next;
  }

  /** The configuration in force is without this member: it must hand over. */
  get excluded(): boolean {
    return this.#reconfiguration.excluded;
  }

  /** Somebody else had a later configuration chosen: this leader must begin anew. */
  get overtaken(): boolean {
    return this.#reconfiguration.overtaken;
  }

  takePromise(from: Incarnation, message: PromiseReply): void {
    this.#reconfiguration.takePromise(from, message);
    this.#learner.applyChosen();
    this.noticeChosen();
  }

  takeSnapshotNeed(from: Incarnation, message: PromiseNeedsSnapshot): void {
    this.#reconfiguration.takeSnapshotNeed(from, message);
  }

  get ready(): boolean {
    return this.#ready;
  }

  /**
   * Whether a read may begin. Not from the proposal of a configuration on until something above what its voters reported is
   * chosen: a leader that they had in between may have acknowledged writes above it (rules 11 and 16).
   */
  get servesReads(): boolean {
    const settled = this.#settledSlot !== null && this.#context.log.chosenThrough >= this.#settledSlot;
    return this.#ready && settled && !this.#reconfiguration.pending;
  }

  get unchosenBytes(): number {
    return this.#unchosenBytes;
  }

  /** Bytes of commands for which there is room: any number when nothing is unchosen, so that no proposal is too large for ever. */
  get roomBytes(): number {
    const pending = this.#unchosenBytes + this.#queuedBytes;
    return pending === 0 ? Infinity : Math.max(0, this.#context.limits.maxUnchosenBytes - pending);
  }

  /** The nonce of the newest heartbeat: a read that waits for a later one is confirmed by a round begun after it (rule 11). */
  get nonce(): number {
    return this.#nonce;
  }

  /** While held, proposals queue instead of being proposed: a transfer is under way (rule 12). */
  set held(held: boolean) {
    this.#held = held;
    this.#drainQueue();
  }

  /**
   * Proposes a batch of commands as one slot, or queues it during a transfer or a change of the configuration. Refuses what exceeds
   * the bounds. The slot lies above the barrier, and application is in slot order, so nothing is answered before the barrier is
   * chosen and applied (rule 3).
   */
  propose(proposalId: number, commands: readonly Uint8Array[]): void {
    const { outbox } = this.#context;
    const bytes = commands.reduce((sum, command) => sum + command.length, 0);
    if (bytes > this.roomBytes) return outbox.failProposal(proposalId, "busy");
    this.#queued.push({ proposalId, commands, bytes });
    this.#queuedBytes += bytes;
    this.#drainQueue();
  }

  #drainQueue(): void {
    if (this.#held || this.#reconfiguration.pending) return;
    for (const { proposalId, commands } of this.#queued.splice(0)) {
      const value = encodeValue({ kind: "commands", origin: this.ballot, commands });
      this.#proposals.add(this.#nextSlot, proposalId, this.ballot, value);
      this.#proposeValue(value);
    }
    this.#queuedBytes = 0;
  }

  /** Called when this leadership ends: what was queued and never proposed fails for certain, a change that is not done is open. */
  abandon(): void {
    for (const { proposalId } of this.#queued.splice(0)) this.#context.outbox.failProposal(proposalId, "notLeader");
    this.#queuedBytes = 0;
    this.#reconfiguration.abandon();
  }

  #proposeValue(value: ValueBytes): Slot {
    const slot = this.#nextSlot;
    const record = this.#acceptor.acceptAt(slot, value);
    this.#ownAccepts.push({ slot, record, bytes: value.length });
    this.#unchosenSizes.push({ slot, bytes: value.length });
    this.#unchosenBytes += value.length;
    this.#nextSlot = (slot + 1) as Slot;
    return slot;
  }

  /** The leader's own votes count from its own sync on, no earlier (rule 5). */
  ownDurable(record: number): void {
    let done = 0;
    for (const own of this.#ownAccepts) {
      if (own.record > record) break;
      this.#ownThrough = own.slot;
      done += 1;
    }
    if (done === 0) return;
    this.#ownAccepts.splice(0, done);
    this.#countVotes();
  }

  takeAccepted(from: Incarnation, message: Accepted): void {
    const progress = this.#peers.get(from);
    if (progress === undefined || !ballotsEqual(message.ballot, this.ballot)) return;
    assert(message.through < this.#nextSlot, "nobody accepts at this ballot what was not proposed");
    progress.acknowledge(message, this.#context.nowMs);
    this.#countVotes();
  }

  takeGap(from: Incarnation, message: AcceptGap): void {
    const progress = this.#peers.get(from);
    if (progress === undefined || !ballotsEqual(message.ballot, this.ballot)) return;
    progress.hear(this.#context.nowMs);
    // Every accept behind the gap is answered so, but one new start is enough; a lost one is mended by the time-out.
    const resendFrom = this.#resendFrom(message.expected);
    if (progress.next <= resendFrom || progress.rewoundTo === resendFrom) return;
    progress.rewind(resendFrom, this.#context.nowMs);
  }

  /**
   * Whether a value chosen in `slot` is not what was proposed there at this ballot: then a higher ballot is at work, and
   * what it chose must never be told in the name of this one (rule 3a). Above a configuration that is not entered yet an earlier
   * leader may have had values chosen.
   */
  isRefutedBy(slot: number, value: ValueBytes): boolean {
    if (slot <= this.#context.log.chosenThrough) return false;
    if (slot >= this.#nextSlot) return !this.#reconfiguration.pending;
    const own = this.#context.log.get(slot);
    return own === undefined || !bytesEqual(own.value, value);
  }

  /** A slot is chosen when a quorum of voters accepted it at this ballot (rule 3a, case a). */
  #countVotes(): void {
    const { configuration, self, log } = this.#context;
    const next = log.chosenThrough + 1;
    const needed = quorumSize(configuration);
    const ends: number[] = [];
    for (const { incarnation } of configuration.voters) {
      const progress = this.#peers.get(incarnation);
      const end = incarnation === self ? this.#ownThrough : progress?.holds(next) === true ? progress.through : 0;
      if (end >= next) ends.push(end);
    }
    if (ends.length < needed) return;
    ends.sort((a, b) => b - a);
    log.markChosen(next, ends[needed - 1] as number);
    this.#learner.applyChosen();
    this.noticeChosen();
  }

  /** Follows how far the chosen prefix has come, whichever way that became known. */
  noticeChosen(): void {
    const { chosenThrough } = this.#context.log;
    let done = 0;
    for (const { slot, bytes } of this.#unchosenSizes) {
      if (slot > chosenThrough) break;
      this.#unchosenBytes -= bytes;
      done += 1;
    }
    if (done > 0) this.#unchosenSizes.splice(0, done);
    this.#enterConfiguration();
    if (!this.#ready && this.#barrierSlot !== null && chosenThrough >= this.#barrierSlot) this.#becomeReady();
    if (this.#ready && this.#reconfiguration.settle((voter) => this.#durableThrough(voter))) this.#followMembers();
  }

  #enterConfiguration(): void {
    const adopted = this.#reconfiguration.enter();
    if (adopted === null) return;
    // What the new quorum reported as chosen needs no proposal; everything between is chosen.
    assert(adopted.firstSlot >= this.#nextSlot, "a configuration is entered where the last one ended");
    this.#nextSlot = adopted.firstSlot;
    this.#proposeAdopted(adopted.values);
    this.#followMembers();
  }

  #durableThrough(voter: Incarnation): Slot {
    if (voter === this.#context.self) return this.#learner.durableThrough;
    return this.#peers.get(voter)?.durableThrough ?? (0 as Slot);
  }

  #becomeReady(): void {
    this.#ready = true;
    this.#context.outbox.emit({ type: "leaderReady", ballot: this.ballot });
    // Writes of the leader before wait to hear what became of them, so this is told at once.
    this.heartbeat();
  }

  /**
   * Sends each member what it lacks and has room for. Runs once after each group of inputs. Members that lack the same get the
   * same message object, so that its sender can encode it once.
   */
  pump(): void {
    let made: Map<Slot, Accept> | null = null;
    for (const progress of this.#peers.values()) {
      if (progress.linkUp && progress.next < this.#nextSlot) this.#pumpPeer(progress, (made ??= new Map()));
    }
  }

  #pumpPeer(progress: Progress, made: Map<Slot, Accept>): void {
    const { log, limits, outbox, nowMs } = this.#context;
    while (progress.next < this.#nextSlot && progress.inflightBytes < limits.maxInflightBytes) {
      if (progress.next <= log.cutThrough) progress.rewind((log.chosenThrough + 1) as Slot, nowMs);
      const message = made.get(progress.next) ?? this.#acceptFrom(progress.next);
      if (message.values.length === 0) return;
      made.set(message.firstSlot, message);
      outbox.send(progress.peer, message);
      const bytes = message.values.reduce((sum, value) => sum + value.length, 0);
      progress.sent((message.firstSlot + message.values.length - 1) as Slot, bytes, nowMs);
    }
  }

  /** As much as fits one message. Every slot from there on was proposed in this ballot, so there are no holes. */
  #acceptFrom(firstSlot: Slot): Accept {
    const { log, limits } = this.#context;
    const values = log.slice(firstSlot, this.#nextSlot - 1, limits.maxMessageBytes).map((entry) => entry.value);
    return { type: "accept", ballot: this.ballot, firstSlot, values, chosenThrough: log.chosenThrough };
  }

  /** The first slot worth sending again from `wanted`: in this ballot, and still in memory. */
  #resendFrom(wanted: Slot): Slot {
    const { log } = this.#context;
    const held = wanted > log.cutThrough ? wanted : log.chosenThrough + 1;
    return Math.max(held, this.#base) as Slot;
  }

  /** One round of heartbeats with a fresh nonce. */
  heartbeat(): void {
    const { outbox, log, nowMs } = this.#context;
    this.#nonce = this.#context.nextNonce();
    this.#heartbeatAtMs = nowMs;
    this.#advertised = log.chosenThrough;
    const message = { type: "heartbeat", ballot: this.ballot, nonce: this.#nonce, chosenThrough: log.chosenThrough } as const;
    for (const peer of this.#peers.keys()) outbox.send(peer, message);
  }

  takeHeartbeatReply(from: Incarnation, message: HeartbeatReply): void {
    const progress = this.#peers.get(from);
    if (progress === undefined || !ballotsEqual(message.ballot, this.ballot)) return;
    progress.hear(this.#context.nowMs);
    progress.answeredNonce = Math.max(progress.answeredNonce, message.nonce);
    progress.chosenThrough = Math.max(progress.chosenThrough, message.chosenThrough) as Slot;
    progress.durableThrough = Math.max(progress.durableThrough, message.durableThrough) as Slot;
    this.skip(from, message.chosenThrough);
  }

  /** `peer` has everything up to `through` chosen, from wherever: nothing of it needs to be sent or acknowledged any more. */
  skip(peer: Incarnation, through: Slot): void {
    const progress = this.#peers.get(peer);
    if (progress === undefined || through <= progress.through || through > this.#context.log.chosenThrough) return;
    progress.acknowledge({ from: (through + 1) as Slot, through }, this.#context.nowMs);
  }

  /**
   * Whether a quorum of voters, this member included, answered a heartbeat with this nonce or a later one. While a configuration
   * is proposed and not entered its voters must agree too: they may govern already (rules 11 and 16).
   */
  confirmed(nonce: number): boolean {
    return this.#reconfiguration.isQuorum((voter) => this.#holds(voter, (progress) => progress.answeredNonce >= nonce));
  }

  #holds(voter: Incarnation, holds: (progress: Progress) => boolean): boolean {
    if (voter === this.#context.self) return true;
    const progress = this.#peers.get(voter);
    return progress !== undefined && holds(progress);
  }

  /** Heartbeats when due, earlier when something chosen was not told yet; sends again what nobody acknowledged. */
  tick(): void {
    const { nowMs, timings, log } = this.#context;
    const due = nowMs - this.#heartbeatAtMs >= timings.heartbeatMs;
    if (due) this.#reconfiguration.askAgain();
    if (due || this.#advertised < log.chosenThrough) this.heartbeat();
    for (const progress of this.#peers.values()) {
      if (nowMs >= this.#resendAtMs(progress)) progress.rewind(this.#resendFrom((progress.through + 1) as Slot), nowMs);
    }
  }

  /** When what a member did not acknowledge is sent to it again. */
  #resendAtMs({ hasInflight, progressAtMs, rewinds }: Progress): number {
    const patienceMs = (this.#context.timings.electionTimeoutMs / 2) * 2 ** Math.min(rewinds, MAX_REWIND_DOUBLINGS);
    return hasInflight ? progressAtMs + patienceMs : Infinity;
  }

  /** Until when a tick finds nothing to send and a quorum heard from, if no message comes before. */
  get quietUntilMs(): number {
    const { nowMs, timings, log } = this.#context;
    if (this.#advertised < log.chosenThrough || !this.hearsQuorum()) return nowMs;
    let untilMs = this.#heartbeatAtMs + timings.heartbeatMs;
    for (const progress of this.#peers.values()) {
      const silentAtMs = progress.heardAtMs + timings.electionTimeoutMs;
      if (silentAtMs >= nowMs) untilMs = Math.min(untilMs, silentAtMs);
      untilMs = Math.min(untilMs, this.#resendAtMs(progress));
    }
    return untilMs;
  }

  /** Whether a quorum was heard from within one election timeout. A leader without one steps down (rule 8). */
  hearsQuorum(): boolean {
    return isQuorum(this.#context.configuration, (voter) => this.#holds(voter, (progress) => this.#hearsFrom(progress)));
  }

  /** Whether `member` was heard from within one election timeout. */
  hears(member: Incarnation): boolean {
    return this.#holds(member, (progress) => this.#hearsFrom(progress));
  }

  #hearsFrom(progress: Progress): boolean {
    const { nowMs, timings } = this.#context;
    return nowMs - progress.heardAtMs <= timings.electionTimeoutMs;
  }

  linkChanged(peer: Incarnation, up: boolean): void {
    const progress = this.#peers.get(peer);
    if (progress === undefined) return;
    progress.linkUp = up;
    if (up) {
      progress.rewind(this.#resendFrom((progress.through + 1) as Slot), this.#context.nowMs);
      progress.rewinds = 0;
      this.heartbeat();
    }
  }

  /** The voter that is furthest along, among those with a link that were heard lately and fit: who would take over fastest. */
  mostCaughtUp(fits: (voter: Incarnation) => boolean = () => true): Incarnation | null {
    let best: Progress | null = null;
    for (const { incarnation } of this.#context.configuration.voters) {
      const progress = this.#peers.get(incarnation);
      if (progress === undefined || !progress.linkUp || !this.#hearsFrom(progress) || !fits(incarnation)) continue;
      if (best === null || progress.through > best.through) best = progress;
    }
    return best?.peer ?? null;
  }

  /** Whether `peer` acknowledged everything that was proposed. */
  isCaughtUp(peer: Incarnation): boolean {
    return this.#peers.get(peer)?.through === this.#nextSlot - 1;
  }
}
