import { assert } from "../codec/assert.ts";
import { SynodError } from "../errors/synod-error.ts";
import { isMember, isVoter, type MemberInfo } from "../paxos/configuration.ts";
import { type CoreStatus, PaxosCore } from "../paxos/core.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import { DEFAULT_TIMINGS, type Effects } from "../paxos/interface.ts";
import { isNothing } from "../paxos/outbox.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import type { Result } from "../state/results.ts";
import type { StateMachine } from "../state/state-machine.ts";
import { type Fence, fenceError, fenceOf } from "../storage/fence-file.ts";
import { Applier } from "./applier.ts";
import { AwakeTime, type NodeClock } from "./clock.ts";
import { ForwardedWrites } from "./forwarded-writes.ts";
import { HeldMessages } from "./held-messages.ts";
import { LogClock } from "./log-clock.ts";
import { LinkedPeers } from "./linked-peers.ts";
import type { MemberParts } from "./member-parts.ts";
import { type MemberAnswer, type MemberRequest, MemberRequests, type MembersView } from "./member-requests.ts";
import { PEER_CODEC } from "./peer-codec.ts";
import type { PeerMessage } from "./peer-messages.ts";
import { type ReadAnswer, ReadRouter } from "./read-router.ts";
import { SnapshotFetch } from "./snapshot-fetch.ts";
import { SNAPSHOT_PART_BYTES, SnapshotServer } from "./snapshot-server.ts";
import { SnapshotTaker } from "./snapshot-taker.ts";
import { SpaceGuard } from "./space-guard.ts";
import { StateAgreement } from "./state-agreement.ts";
import { type WriteDone, WriteRouter } from "./write-router.ts";

const DEFAULT_SNAPSHOT_BYTES = 32 * 1024 * 1024;
/** A tick counts for at most this many of its periods: see AwakeTime. */
const MAX_TICK_STEPS = 3;
const SWEEP_MS = 50;
/** What sums of times may differ by in their last bits, and more. */
const ROUNDING_MS = 0.001;
const DRAIN_LOOK_MS = 5;
/** How often each member tells the others its checksums and how its disk is. */
const TELL_MS = 1_000;

/**
 * One member at work: feeds the core with what happens and does what the core asks for. All inputs of one turn of the event
 * loop are taken first, then the effects are carried out once, so that messages, records and applies travel in batches.
 */
export class Member {
  readonly self: Incarnation;
  readonly #parts: MemberParts;
  readonly #clock: NodeClock;
  readonly #core: PaxosCore;
  readonly #writes: WriteRouter;
  readonly #forwardedWrites: ForwardedWrites;
  readonly #reads: ReadRouter;
  readonly #memberRequests: MemberRequests;
  readonly #applier: Applier;
  readonly #held = new HeldMessages();
  readonly #logClock = new LogClock();
  readonly #agreement: StateAgreement;
  readonly #snapshotTaker: SnapshotTaker;
  readonly #snapshotServer: SnapshotServer;
  #snapshotFetch: SnapshotFetch | null = null;
  readonly #linked: LinkedPeers;
  readonly #space: SpaceGuard;
  readonly #awake: AwakeTime;
  #stopTicks: () => void = () => {};
  #sweptAtMs = 0;
  #toldAtMs = 0;
  #scheduled = false;
  #fence: Fence | null = null;
  #left = false;
  #stopped = false;

  constructor(parts: MemberParts) {
    const { storage, founding, clock } = parts;
    this.self = storage.identity.incarnation;
    this.#parts = parts;
    this.#clock = clock;
    this.#linked = new LinkedPeers(parts.links, parts.codec ?? PEER_CODEC, (reason) => parts.observer.dropped(reason));
    const { configuration, configurationSlot } = founding;
    const timings = { ...DEFAULT_TIMINGS, ...parts.timings };
    const { recovered } = storage;
    const { limits = {}, nonceSeed } = parts;
    this.#core = new PaxosCore({ self: this.self, configuration, configurationSlot, recovered, timings, limits, nonceSeed });
    this.#left = this.#hasLeft();
    this.#awake = new AwakeTime(clock.nowMs(), timings.tickMs * MAX_TICK_STEPS);
    this.#agreement = new StateAgreement(this.self, this.#agreementPort());
    this.#applier = new Applier(this.#applierPort(), { state: parts.state, snapshot: storage.recovered.snapshot, founding });
    this.#space = new SpaceGuard(this.self, this.#spacePort());
    this.#writes = new WriteRouter(this.#writePort(), nonceSeed);
    this.#forwardedWrites = new ForwardedWrites((command, done) => this.#writes.submit(command, done, true));
    this.#reads = new ReadRouter(this.#readPort());
    this.#memberRequests = new MemberRequests(this.#memberRequestPort(), nonceSeed);
    this.#snapshotTaker = new SnapshotTaker(this.#snapshotTakerPort(), parts.snapshotBytes ?? DEFAULT_SNAPSHOT_BYTES);
    this.#snapshotServer = new SnapshotServer(storage, {
      partBytes: parts.snapshotPartBytes ?? SNAPSHOT_PART_BYTES,
      nowMs: () => clock.nowMs(),
      send: (to, message) => this.#linked.send(to, message),
      requestSnapshot: () => this.#snapshotTaker.request(),
      wanted: (above) => this.#core.step({ type: "snapshotWanted", above }),
      busy: () => this.#writes.sizes.held > 0,
      after: (ms, task) => this.#after(ms, task),
      failed: (error) => this.#snapshotNotSent(error),
    });
    this.#stopTicks = clock.every(timings.tickMs, () => this.#tick());
    this.#schedule();
  }

  // What clients ask for.

  /** Takes a validated command; `done` is called exactly once. */
  write(command: Uint8Array, done: WriteDone): void {
    const refusal = this.#refusal();
    if (refusal !== null) return done(refusal);
    this.#writes.submit(command, done);
    this.#schedule();
  }

  /** Calls `answer` once the state may be read for a linearizable read that began now, or with the reason why not. */
  read(answer: ReadAnswer): void {
    const refusal = this.#refusal();
    if (refusal !== null) return answer(refusal);
    this.#reads.submit(answer);
    this.#schedule();
  }

  /** Asks the leader, whoever that is, for something about members; `done` is called exactly once. */
  requestMembers(request: MemberRequest, done: (answer: MemberAnswer) => void): void {
    if (this.#stopped) return done(new SynodError("SYNOD_ERR_STOPPING"));
    this.#memberRequests.submit(request, done);
    this.#schedule();
  }

  /** What this member knows of the members; only the leader knows how far each has come. */
  membersView(): MembersView {
    const { configuration, configurationSlot, configurationDone, chosenThrough } = this.#core.status();
    return { configuration, configurationSlot, done: configurationDone, chosenThrough, progress: this.#core.memberProgress() };
  }

  /** Whom to have links with at present. */
  get peers(): readonly MemberInfo[] {
    return this.#core.peers;
  }

  /** Why nothing is served at present, null when it is. */
  #refusal(): SynodError | null {
    if (this.#stopped) return new SynodError("SYNOD_ERR_STOPPING");
    if (this.#fence !== null) return fenceError(this.#fence);
    if (this.#left) return new SynodError("SYNOD_ERR_LEFT");
    if (this.#agreement.undecided || this.#applier.paused) return new SynodError("SYNOD_ERR_DIVERGED");
    return null;
  }

  get refusal(): SynodError | null {
    return this.#refusal();
  }

  get state(): StateMachine {
    return this.#applier.state;
  }

  get appliedSlot(): Slot {
    return this.#applier.slot;
  }

  /** This member was removed, as far as it knows. */
  get left(): boolean {
    return this.#left;
  }

  get fenceNow(): Fence | null {
    return this.#fence;
  }

  /** Whether this member leads. Cheap, unlike `status`. */
  get leads(): boolean {
    return this.#core.leads;
  }

  status(): CoreStatus {
    return this.#core.status();
  }

  /** Items in the bounded queues, by name. */
  queues(): Record<string, number> {
    const { held, waiting } = this.#writes.sizes;
    return { writes: held, writes_waiting: waiting, reads: this.#reads.held, apply: this.#applier.waiting, held_messages: this.#held.size };
  }

  /** Hands leadership to `target`, or to the most caught-up voter; nothing happens on a member that does not lead. */
  transferLeadership(target: Incarnation | null): void {
    this.#core.step({ type: "transferLeadership", target });
    this.#schedule();
  }

  /** Why this leader does not ask `target` to take over, for which proposals would have to wait; null: it may. */
  refuseSuccessor(target: Incarnation): SynodError | null {
    if (!isVoter(this.#core.configuration, target)) return new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", "Only a voter can lead. GET /v1/members lists the voters.");
    if (target === this.self || this.#core.hears(target)) return null;
    return new SynodError("SYNOD_ERR_NO_SUCCESSOR", "That member does not answer, so it cannot lead: it is stopped, cut off, or fenced, and then has to be replaced. Nothing was changed.");
  }

  // What the world tells.

  /** A peer's bytes. A message that does not decode is dropped, as if it were lost. */
  receive(from: Incarnation, bytes: Uint8Array): void {
    if (this.#stopped) return;
    let message: PeerMessage;
    try {
      message = this.#linked.read(from, bytes);
    } catch (error) {
      this.#parts.observer.warning("a peer's message does not decode", error);
      return;
    }
    this.#take(from, message);
    this.#schedule();
  }

  #take(from: Incarnation, message: PeerMessage): void {
    switch (message.type) {
      case "paxos":
        if (this.#space.mayTake(message.message)) this.#core.step({ type: "message", from, message: message.message });
        return;
      case "forward":
        return this.#forwardedWrites.take(message.commands, (outcomes) => {
          this.#linked.send(from, { type: "forwarded", id: message.id, outcomes });
        });
      case "forwarded":
        return this.#writes.forwarded(from, message.id, message.outcomes);
      case "memberRequest":
        return this.#memberRequests.take(from, message.id, message.request, (answer) => {
          this.#linked.send(from, { type: "memberAnswer", id: message.id, answer });
        });
      case "memberAnswer":
        return this.#memberRequests.answered(from, message.id, message.answer);
      case "snapshotRequest":
        return void this.#snapshotServer.answer(from, message);
      case "snapshotChunk":
        return this.#snapshotFetch?.take(from, message);
      case "snapshotUnavailable":
        return this.#snapshotFetch?.unavailable(from);
      case "checksum":
        return this.#agreement.heard(from, message.slot, message.checksum);
      case "disk":
        this.#parts.links.heardRecords?.(from, message.records);
        return this.#space.heard(from, message.full);
    }
  }

  /** There is a link to `peer`; both sides write `version` on it. */
  linkUp(peer: Incarnation, version: number): void {
    this.#linked.up(peer, version);
    this.#space.tell([peer]);
    this.#core.step({ type: "linkUp", peer });
    this.#schedule();
  }

  linkDown(peer: Incarnation): void {
    this.#linked.down(peer);
    this.#space.forget(peer);
    this.#core.step({ type: "linkDown", peer });
    this.#writes.linkClosed(peer);
    this.#memberRequests.linkClosed(peer);
    this.#schedule();
  }

  /** Every record up to number `record` is durable. */
  durable(record: number): void {
    if (this.#stopped) return;
    this.#core.step({ type: "durable", record });
    for (const message of this.#held.release(record)) this.#linked.transmit(message);
    // An acknowledgement is what a whole batch of writes waits for; there is one for each sync, so nothing is gained by gathering.
    this.#parts.links.flush();
    this.#schedule();
  }

  /** The disk has no room beside its reserve, or has room again (rule 15). */
  diskSpace(full: boolean): void {
    if (this.#stopped || this.#space.full === full) return;
    this.#parts.observer.diskSpace(full);
    this.#space.heardOwn(full);
    this.#schedule();
  }

  get diskFull(): boolean {
    return this.#space.full;
  }

  /** The disk failed for good: this life neither votes nor serves any more. */
  syncFailed(error: Error): void {
    this.fence({ kind: "disk", reason: `the disk failed: ${error.message}` });
  }

  /** From now on this member neither votes nor serves. The first reason stays. */
  fence(fence: Fence): void {
    if (this.#fence !== null || this.#stopped) return;
    this.#fence = fence;
    this.#core.step({ type: "syncFailed" });
    this.#reads.stop(fenceError(fence));
    this.#writes.stop();
    this.#parts.observer.fenced(fence);
    this.#schedule();
  }

  /** A snapshot that was durable does not read back right: the folder is damaged (rule 14). */
  #snapshotNotSent(error: unknown): void {
    this.#parts.observer.warning("a snapshot could not be sent", error);
    const fence = fenceOf(error);
    if (fence !== null) this.fence(fence);
  }

  // One turn.

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#clock.defer(() => {
      this.#scheduled = false;
      if (!this.#stopped) this.#turn();
    });
  }

  #turn(): void {
    const startedMs = this.#clock.nowMs();
    const moreWrites = this.#writes.route();
    this.#reads.route();
    this.#carryOut(this.#core.takeEffects());
    const moreToApply = this.#applier.run();
    this.#reads.release();
    this.#parts.links.flush();
    if (moreWrites || moreToApply) this.#schedule();
    this.#parts.observer.turnEnded((this.#clock.nowMs() - startedMs) / 1_000);
  }

  #carryOut(effects: Effects): void {
    if (isNothing(effects)) return;
    if (effects.records.length > 0) this.#parts.storage.append(effects.records, effects.firstRecord);
    for (const message of effects.messages) {
      if (this.#held.mustWait(message)) this.#held.add(message);
      else this.#linked.transmit(message);
    }
    this.#applier.push(effects.chosen);
    for (const { proposalId, failure } of effects.failedProposals) this.#writes.failed(proposalId, failure);
    for (const outcome of effects.reads) this.#reads.outcome(outcome);
    for (const outcome of effects.changes) this.#memberRequests.changed(outcome);
    if (effects.events.length > 0 && effects.events.some(({ type }) => type === "configurationProposed" || type === "configurationChanged")) this.#followConfiguration();
    if (effects.fetchSnapshot !== null) this.#fetchSnapshot(effects.fetchSnapshot.from, effects.fetchSnapshot.slot);
    this.#tell(effects.events);
    // What failed for certain goes to the next leader in the next turn, if there is one by then.
    if (effects.failedProposals.length > 0 || effects.events.length > 0) this.#schedule();
  }

  /** Members have come or gone: links follow, and who left serves nothing any more. */
  #followConfiguration(): void {
    this.#parts.links.setPeers(this.#core.peers);
    this.#left = this.#hasLeft();
    if (this.#left) this.#reads.stop(new SynodError("SYNOD_ERR_LEFT"));
  }

  /** Not the role, which for a moment is that of a candidate when the entry that removes this member is learned in a pre-vote. */
  #hasLeft(): boolean {
    return !isMember(this.#core.configuration, this.self);
  }

  /** Events are told after the turn, when the records and messages of an election are on their way: people can wait for them, members should not. */
  #tell(events: Effects["events"]): void {
    if (events.length === 0) return;
    this.#clock.defer(() => {
      for (const event of events) this.#parts.observer.event(event);
    });
  }

  /**
   * Until when, on its clock, ticks find nothing to do if nothing else happens to this member before. A clock that leaves out ticks until
   * then makes up for each with `passTick` before anything else happens.
   */
  get quietUntilMs(): number {
    if (this.#scheduled || this.#writes.routable || this.#reads.routable) return -Infinity;
    const { lastMs, awakeMs } = this.#awake;
    const coreMs = lastMs + this.#core.quietUntilMs - awakeMs;
    if (coreMs <= lastMs) return -Infinity;
    const sweepMs = this.#sweeps ? this.#sweptAtMs + SWEEP_MS : this.#toldAtMs + TELL_MS;
    return Math.min(coreMs, sweepMs) - ROUNDING_MS;
  }

  /** Whether a sweep may have something to do beside what it does now and then anyway. */
  get #sweeps(): boolean {
    const waiting = this.#writes.sizes.held + this.#reads.held + this.#memberRequests.held;
    return waiting > 0 || this.#snapshotTaker.busy || this.#snapshotServer.serves || this.#snapshotFetch !== null || this.#applier.paused;
  }

  /** In place of a tick before `quietUntilMs`: only time passes. */
  passTick(nowMs: number): void {
    this.#core.step({ type: "tick", nowMs: this.#awake.advance(nowMs), random: this.#clock.random() });
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweptAtMs = nowMs;
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    // Behind the messages that wait to be read: a leader's heartbeat must not lose against the timer by a hair.
    this.#clock.defer(() => {
      if (this.#stopped) return;
      this.#core.step({ type: "tick", nowMs: this.#awake.advance(nowMs), random: this.#clock.random() });
      this.#turn();
    });
    if (nowMs - this.#sweptAtMs >= SWEEP_MS) this.#sweep(nowMs);
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    this.#writes.expire();
    this.#reads.expire();
    this.#memberRequests.tick();
    this.#snapshotTaker.tick();
    this.#snapshotFetch?.tick();
    if (this.#snapshotFetch?.ended === true) this.#snapshotFetch = null;
    if (this.#applier.paused && this.#snapshotFetch === null) this.#agreement.replaceState();
    void this.#snapshotServer.tick();
    if (nowMs - this.#toldAtMs < TELL_MS) return;
    this.#toldAtMs = nowMs;
    this.#agreement.tell();
    this.#space.tick();
  }

  // Snapshots.

  #fetchSnapshot(from: Incarnation, minSlot: Slot): void {
    if (this.#snapshotFetch !== null && !this.#snapshotFetch.ended) return;
    this.#snapshotFetch = new SnapshotFetch({
      limits: this.state.limits,
      nowMs: () => this.#clock.nowMs(),
      send: (to, message) => void this.#linked.send(to, message),
      write: (handle, chunks) => this.#parts.storage.writeSnapshot(handle, chunks),
      install: (handle, state) => this.#install(handle, state),
      failed: (error) => this.#parts.observer.warning("a snapshot could not be received", error),
    }, from, minSlot);
  }

  /** The state, the core's log and the queue of entries to apply move to the snapshot in one turn (rule 6). */
  #install(handle: SnapshotHandle, state: StateMachine): void {
    if (this.#stopped) return;
    if (handle.slot > this.#applier.slot || this.#applier.paused) {
      assert(handle.cluster === this.#parts.founding.cluster, "a snapshot of another cluster is never installed");
      this.#carryOut(this.#core.takeEffects());
      this.#applier.install(handle, state);
      this.#agreement.reset();
      this.#core.step({ type: "snapshotInstalled", handle });
    }
    this.#core.step({ type: "snapshotTaken", handle });
    this.#schedule();
  }

  #snapshotTakerPort(): ConstructorParameters<typeof SnapshotTaker>[0] {
    const { storage, observer } = this.#parts;
    return {
      nowMs: () => this.#clock.nowMs(),
      bytesSinceSnapshot: () => storage.stats().bytesSinceSnapshot,
      snapshotBytes: () => storage.stats().snapshotBytes,
      freeze: () => this.#freeze(),
      write: (handle, chunks) => storage.writeSnapshot(handle, chunks),
      taken: (handle) => {
        this.#core.step({ type: "snapshotTaken", handle });
        this.#schedule();
      },
      failed: (error) => observer.warning("a snapshot could not be taken", error),
    };
  }

  #freeze(): ReturnType<ConstructorParameters<typeof SnapshotTaker>[0]["freeze"]> {
    const { slot, paused, canSnapshot, state } = this.#applier;
    if (paused || this.#agreement.undecided || !canSnapshot || slot <= this.#core.status().snapshotSlot) return null;
    return { handle: { ...this.#applier.handle(), promised: this.#core.ballot }, snapshot: state.snapshot() };
  }

  #after(ms: number, task: () => void): void {
    const cancel = this.#clock.every(ms, () => {
      cancel();
      task();
    });
  }

  // What the parts need of the member.

  #applierPort(): ConstructorParameters<typeof Applier>[0] {
    return {
      nowMs: () => this.#clock.nowMs(),
      applied: (proposalId: number, results: readonly Result[]) => {
        this.#parts.observer.applied?.(results);
        this.#writes.applied(proposalId, results);
      },
      checkpoint: (slot, checksum) => this.#agreement.applied(slot, checksum),
    };
  }

  #agreementPort(): ConstructorParameters<typeof StateAgreement>[1] {
    return {
      configuration: () => this.#core.configuration,
      isLinked: (member) => this.#linked.has(member),
      send: (to, message) => this.#linked.send(to, message),
      paused: () => this.#applier.paused,
      differs: (error) => {
        this.#parts.observer.warning(error.message, error);
        this.#reads.stop(error);
      },
      pause: () => {
        this.#applier.pause();
        this.#core.step({ type: "transferLeadership", target: null });
      },
      random: () => this.#clock.random(),
      // A snapshot of this member's own has the wrong state too, and is only replaced by a later one.
      replaceBy: (source) => this.#fetchSnapshot(source, Math.max(this.#applier.slot, this.#core.status().snapshotSlot + 1) as Slot),
    };
  }

  #spacePort(): ConstructorParameters<typeof SpaceGuard>[1] {
    return {
      nowMs: () => this.#clock.nowMs(),
      configuration: () => this.#core.configuration,
      leads: () => this.#core.leads,
      stats: () => this.#parts.storage.stats(),
      peers: () => this.#linked.all(),
      send: (to, message) => this.#linked.send(to, message),
      step: (input) => this.#core.step(input),
      requestSnapshot: () => this.#snapshotTaker.request(),
    };
  }

  #writePort(): ConstructorParameters<typeof WriteRouter>[0] {
    const { observer } = this.#parts;
    return {
      nowMs: () => this.#clock.nowMs(),
      logTimeMs: () => this.#logClock.read(this.#core.ballot, this.#applier.state.logTimeMs, this.#clock.nowMs()),
      leads: () => this.#core.leads,
      roomBytes: () => this.#core.roomBytes,
      campaigns: () => this.#core.campaigns,
      linkedLeader: () => this.#linkedLeader(),
      linkedCandidate: () => this.#linkedCandidate(),
      full: () => this.#space.refusesGrowth,
      propose: (proposalId, commands, grows) => this.#core.step({ type: "propose", proposalId, commands, grows }),
      forward: (to, id, commands) => this.#linked.send(to, { type: "forward", id, commands }),
      ended: (outcome, commands, seconds) => {
        observer.proposalsEnded(outcome, commands);
        if (outcome === "chosen") observer.committed(seconds);
      },
    };
  }

  #readPort(): ConstructorParameters<typeof ReadRouter>[0] {
    return {
      nowMs: () => this.#clock.nowMs(),
      knowsLeader: () => this.#core.leads || this.#linkedLeader() !== null,
      ask: (readId) => this.#core.step({ type: "read", readId }),
      appliedSlot: () => this.#applier.slot,
    };
  }

  #memberRequestPort(): ConstructorParameters<typeof MemberRequests>[0] {
    return {
      nowMs: () => this.#clock.nowMs(),
      leads: () => this.#core.leads,
      left: () => this.#left,
      linkedLeader: () => this.#linkedLeader(),
      ask: (leader, id, request) => this.#linked.send(leader, { type: "memberRequest", id, request }),
      change: (request) => {
        this.#core.step({ type: "changeConfiguration", request });
        this.#schedule();
      },
      transfer: (target) => this.#beginTransfer(target),
      view: () => this.membersView(),
    };
  }

  #beginTransfer(target: Incarnation): SynodError | null {
    const refusal = this.refuseSuccessor(target);
    if (refusal === null && target !== this.self) this.transferLeadership(target);
    return refusal;
  }

  #linkedLeader(): Incarnation | null {
    const { leader } = this.#core;
    return leader !== null && leader !== this.self && this.#linked.has(leader) ? leader : null;
  }

  #linkedCandidate(): Incarnation | null {
    const { candidate } = this.#core;
    return candidate !== null && this.#linked.has(candidate) ? candidate : null;
  }

  /** Resolves once no write or read is without an answer, at the latest after `timeoutMs`. */
  drained(timeoutMs: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + timeoutMs;
    return new Promise((resolve) => {
      const stopLooking = this.#clock.every(DRAIN_LOOK_MS, () => {
        const open = this.#writes.sizes.held + this.#reads.held;
        if (open > 0 && this.#clock.nowMs() < untilMs) return;
        stopLooking();
        resolve();
      });
    });
  }

  /** Answers everything that is open and does nothing any more. The storage and the links are the caller's to close. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stopTicks();
    this.#writes.stop();
    this.#memberRequests.stop();
    this.#reads.stop(new SynodError("SYNOD_ERR_STOPPING"));
    this.#snapshotFetch?.giveUp();
    await this.#snapshotServer.close();
    await this.#snapshotTaker.running;
  }
}
