import { assert, unreachable } from "../codec/assert.ts";
import { Acceptor } from "./acceptor.ts";
import { type Ballot, ballotsEqual, compareBallots, ZERO_BALLOT } from "./ballot.ts";
import { ChoiceWatch } from "./choice-watch.ts";
import { allMembers, assertConfiguration, type Configuration, isMember, isVoter, type MemberInfo } from "./configuration.ts";
import type { Context } from "./context.ts";
import { DiskWatch } from "./disk-watch.ts";
import { Election } from "./election.ts";
import type { Incarnation, Slot } from "./ids.ts";
import { DEFAULT_LIMITS, DEFAULT_TIMINGS, type ChangeRequest, type Effects, type Input, type Limits, type PaxosEvent, type Role, type Timings } from "./interface.ts";
import { Leader, type MemberProgress } from "./leader.ts";
import { Learner } from "./learner.ts";
import type { Accept, ChosenEntries, Heartbeat, Message, Prepare, PreVote, PromiseReply, TransferLeadership } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { PhaseOne } from "./phase-one.ts";
import { Proposals } from "./proposals.ts";
import { ForwardedReads, ReadRounds } from "./read-rounds.ts";
import type { RecoveredState, SnapshotHandle } from "./records.ts";
import { ReplicaLog } from "./replica-log.ts";
import { Successors } from "./successors.ts";
import { Transfer } from "./transfer.ts";

/** As long as a call for a change is tried again, so that a leader that is to be removed asks each voter at most once for one call. */
const REMOVAL_REST_MS = 10_000;

export interface CoreOptions {
  readonly self: Incarnation;
  /** The configuration of the founding document; a later one of a snapshot or of the log takes its place. */
  readonly configuration: Configuration;
  /** The slot of the entry that set `configuration`, for a member that joined later; 0: the cluster was founded with it. */
  readonly configurationSlot?: Slot;
  readonly recovered: RecoveredState;
  readonly timings?: Partial<Timings>;
  readonly limits?: Partial<Limits>;
  /** Where this life's nonces start: drawn, so that no message of an earlier life answers one of this life. */
  readonly nonceSeed: number;
}

/** What can be seen of a core from outside. */
export interface CoreStatus {
  readonly role: Role;
  readonly leader: Incarnation | null;
  /** The ballot of the leader that is followed, or the highest promised. */
  readonly ballot: Ballot;
  /** Leading, and the barrier is chosen. */
  readonly ready: boolean;
  /** Lately in touch with a quorum: a leader that hears one, or a member that hears its leader. */
  readonly inContact: boolean;
  readonly chosenThrough: Slot;
  /** How far the log is chosen by what anybody told; beyond `chosenThrough` it is not held here. */
  readonly heardThrough: Slot;
  readonly lastSlot: Slot;
  readonly snapshotSlot: Slot;
  readonly leaderBallot: Ballot;
  readonly configuration: Configuration;
  readonly configurationSlot: Slot;
  /** Whether the change that set the configuration is done (rule 16a); null: only the leader knows. */
  readonly configurationDone: boolean | null;
  readonly unchosenBytes: number;
  readonly pendingProposals: number;
}

/**
 * Multi-Paxos for one member, as a pure state machine: `step` takes one input, `takeEffects` hands over what is to be
 * done. It reads no clock, draws no random number and does no I/O, so the same code runs in a member, in tests and in a page.
 */
export class PaxosCore {
  readonly #context: Context;
  readonly #outbox = new Outbox();
  readonly #acceptor: Acceptor;
  readonly #learner: Learner;
  readonly #proposals: Proposals;
  readonly #election: Election;
  readonly #disk: DiskWatch;
  readonly #choice: ChoiceWatch;
  readonly #forwardedReads: ForwardedReads;
  readonly #linksDown = new Set<Incarnation>();
  #phaseOne: PhaseOne | null = null;
  #leader: Leader | null = null;
  #readRounds: ReadRounds | null = null;
  #transfer: Transfer | null = null;
  readonly #successors = new Successors(REMOVAL_REST_MS);
  #fenced = false;
  #diskFull = false;
  #wantedAbove: Slot | null = null;
  /** The ballot of the last `leaderChanged`. */
  #announcedBallot: Ballot = ZERO_BALLOT;

  constructor(options: CoreOptions) {
    const { recovered } = options;
    const founding = { configuration: options.configuration, configurationSlot: options.configurationSlot ?? (0 as Slot) };
    const { snapshot } = recovered;
    const { configuration, configurationSlot } = snapshot !== null && snapshot.configurationSlot >= founding.configurationSlot ? snapshot : founding;
    assertConfiguration(configuration);
    let nonce = options.nonceSeed;
    this.#context = {
      self: options.self,
      timings: { ...DEFAULT_TIMINGS, ...options.timings },
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      outbox: this.#outbox,
      log: new ReplicaLog(recovered),
      nowMs: 0,
      random: 0,
      configuration,
      nextNonce: () => ++nonce,
    };
    this.#acceptor = new Acceptor(this.#context, recovered);
    this.#proposals = new Proposals(this.#outbox);
    this.#learner = new Learner(this.#context, this.#proposals, { snapshot, configurationSlot, recoveredThrough: recovered.chosenThrough });
    this.#election = new Election(this.#context, recovered.promised.round > 0);
    this.#disk = new DiskWatch(this.#context);
    this.#choice = new ChoiceWatch(this.#context, this.#acceptor, this.#learner);
    this.#forwardedReads = new ForwardedReads(this.#context);
    this.#learner.applyChosen();
  }

  status(): CoreStatus {
    const { log, configuration } = this.#context;
    return {
      role: this.#role(),
      leader: this.#election.leader,
      ballot: this.#acceptor.promised,
      ready: this.#leader?.ready ?? false,
      inContact: this.#leader?.hearsQuorum() ?? this.#election.hearsLeader,
      chosenThrough: log.chosenThrough,
      heardThrough: this.#learner.heardThrough,
      lastSlot: log.last,
      snapshotSlot: log.snapshotSlot,
      leaderBallot: this.#learner.leaderBallot,
      configuration,
      configurationSlot: this.#learner.configurationSlot,
      configurationDone: this.#leader?.configurationDone ?? null,
      unchosenBytes: this.#leader?.unchosenBytes ?? 0,
      pendingProposals: this.#proposals.size,
    };
  }

  /** How far the members have come; empty while this member does not lead. */
  memberProgress(): readonly MemberProgress[] {
    return this.#leader?.memberProgress() ?? [];
  }

  /** Whether this member leads and heard from `member` within an election timeout. */
  hears(member: Incarnation): boolean {
    return this.#leader?.hears(member) ?? false;
  }

  /** Everybody who has a part in the configuration in force or in one that this member proposes: whom to have links with. */
  get peers(): readonly MemberInfo[] {
    const next = this.#leader?.nextConfiguration ?? null;
    const { configuration } = this.#context;
    const coming = next === null ? [] : allMembers(next).filter((member) => !isMember(configuration, member.incarnation));
    return [...allMembers(configuration), ...coming];
  }

  /** Whether this member leads and serves. Cheap, for the hot path. */
  get leads(): boolean {
    return this.#leader !== null;
  }

  /** Bytes of commands that a proposal may have at present without being refused as busy (rule 26). */
  get roomBytes(): number {
    return this.#leader?.roomBytes ?? 0;
  }

  /** The configuration in force. */
  get configuration(): Configuration {
    return this.#context.configuration;
  }

  /** The ballot of the leader that is followed, or the highest promised. */
  get ballot(): Ballot {
    return this.#acceptor.promised;
  }

  get leader(): Incarnation | null {
    return this.#election.leader;
  }

  /** Whom this member promised its vote a short while ago, and who may lead soon; null: nobody. */
  get candidate(): Incarnation | null {
    return this.#election.candidate;
  }

  /** Whether this member asks for promises. */
  get campaigns(): boolean {
    return this.#phaseOne !== null;
  }

  #role(): Role {
    if (this.#fenced) return "fenced";
    if (this.#leader !== null) return "leader";
    if (this.#phaseOne !== null || this.#election.preVoting) return "candidate";
    if (isVoter(this.#context.configuration, this.#context.self)) return "follower";
    return isMember(this.#context.configuration, this.#context.self) ? "learner" : "removed";
  }

  /** Takes one input. What follows from it waits in `takeEffects`. */
  step(input: Input): void {
    switch (input.type) {
      case "message":
        return this.#receive(input.from, input.message);
      case "tick":
        return this.#tick(input.nowMs, input.random);
      case "propose":
        return this.#propose(input.proposalId, input.commands, input.grows ?? true);
      case "read":
        return this.#read(input.readId);
      case "durable":
        return this.#durable(input.record);
      case "syncFailed":
        return this.#fence();
      case "diskFull":
        this.#diskFull = true;
        return;
      case "diskFree":
        this.#diskFull = false;
        return;
      case "peerDisk":
        return this.#election.diskHeard(input.peer, input.full);
      case "snapshotTaken":
        return this.#cut(input.handle.slot);
      case "snapshotWanted":
        this.#wantedAbove = input.above;
        return;
      case "snapshotInstalled":
        return this.#installSnapshot(input.handle);
      case "linkUp":
        return this.#linkChanged(input.peer, true);
      case "linkDown":
        return this.#linkChanged(input.peer, false);
      case "transferLeadership":
        return this.#startTransfer(input.target);
      case "changeConfiguration":
        return this.#change(input.request);
      case "campaign":
        if (this.#leader === null) this.#startPreVote();
        return;
      default:
        return unreachable(input);
    }
  }

  /** Hands over everything that the inputs since the last call led to. Call it once after each group of inputs. */
  takeEffects(): Effects {
    this.#learner.applyChosen();
    this.#phaseOne?.ask();
    this.#maybeWin();
    this.#acceptor.flushAck();
    this.#leader?.noticeChosen();
    if (this.#leader?.excluded === true) this.#leaveLeadership(this.#leader);
    if (this.#leader?.overtaken === true) this.#leadAnew();
    if (this.#transfer !== null && !this.#transfer.pump()) this.#transfer = null;
    this.#readRounds?.pump();
    this.#leader?.pump();
    if (this.#leader === null) this.#forwardedReads.pump(this.#election.leader);
    this.#learner.pumpCatchUp();
    if (!this.#fenced) this.#learner.recordChosen();
    this.#disk.recorded();
    this.#choice.note();
    return this.#outbox.take();
  }

  /**
   * Until when, in the core's time, ticks lead to no effects if there is no other input before: a driver may save itself what it does
   * after a tick until then. Valid after `takeEffects`; it may be too early, and is never too late.
   */
  get quietUntilMs(): number {
    return Math.min(this.#roleQuietUntilMs(), this.#learner.quietUntilMs, this.#forwardedReads.quietUntilMs);
  }

  #roleQuietUntilMs(): number {
    if (this.#fenced) return Infinity;
    if (this.#leader !== null) return Math.min(this.#leader.quietUntilMs, this.#disk.quietUntilMs, this.#transfer?.deadlineMs ?? Infinity);
    if (this.#phaseOne !== null) return this.#phaseOne.progressAtMs + this.#context.timings.electionTimeoutMs;
    return this.#election.quietUntilMs;
  }

  #tick(nowMs: number, random: number): void {
    assert(nowMs >= this.#context.nowMs, "the core's time never runs backwards");
    this.#context.nowMs = nowMs;
    this.#context.random = random;
    if (this.#fenced) return;
    if (this.#leader !== null) return this.#tickLeader(this.#leader);
    if (this.#phaseOne !== null) return this.#tickCandidate(this.#phaseOne);
    const { start, leaderLost } = this.#election.tick({ choiceStalled: this.#choice.stalled() });
    if (leaderLost) this.#announceLeader(null);
    if (start) this.#startPreVote();
  }

  #tickLeader(leader: Leader): void {
    if (!leader.hearsQuorum()) return this.#stepDown("quorumLost", "later");
    if (this.#disk.stalled()) return this.#stepDown("diskStalled", "later");
    this.#disk.probe();
    leader.tick();
  }

  #tickCandidate(phaseOne: PhaseOne): void {
    if (this.#context.nowMs - phaseOne.progressAtMs < this.#context.timings.electionTimeoutMs) return;
    this.#loseElection(phaseOne.ballot, "timeout");
  }

  #startPreVote(): void {
    const { configuration, self } = this.#context;
    // A stalled disk could not keep the ballot, and a prepare sent long after it was asked for would only disturb.
    if (this.#fenced || this.#disk.stalled()) return this.#election.lost("soon");
    if (!isVoter(configuration, self)) {
      this.#learner.consultVoters(this.#acceptor.promised);
      return this.#election.lost("later");
    }
    if (this.#election.startPreVote()) this.#campaign();
  }

  #campaign(): void {
    const { ballot, record } = this.#acceptor.openBallot(this.#election.seenRound);
    this.#outbox.emit({ type: "campaignStarted", ballot });
    this.#election.campaignHeard(this.#context.self);
    const fromSlot = (this.#context.log.chosenThrough + 1) as Slot;
    const options = { ballot, ownRecord: record, fromSlot, configuration: () => this.#context.configuration };
    this.#phaseOne = new PhaseOne(this.#context, this.#learner, options);
    this.#phaseOne.ask();
  }

  #loseElection(ballot: Ballot, reason: "higherBallot" | "timeout" | "removed"): void {
    this.#phaseOne = null;
    this.#outbox.emit({ type: "electionLost", ballot, reason });
    this.#election.lost("soon");
  }

  #maybeWin(): void {
    const phaseOne = this.#phaseOne;
    if (phaseOne === null) return;
    // What was reported as chosen may hold a configuration that governs from here on, with other voters.
    this.#learner.applyChosen();
    if (!isVoter(this.#context.configuration, this.#context.self)) return this.#loseElection(phaseOne.ballot, "removed");
    if (!phaseOne.hasQuorum()) return;
    assert(ballotsEqual(phaseOne.ballot, this.#acceptor.promised), "a candidate that promised higher has yielded");
    this.#phaseOne = null;
    const adopted = phaseOne.adopt();
    this.#outbox.emit({ type: "electionWon", ballot: phaseOne.ballot, fromSlot: adopted.firstSlot });
    this.#election.won();
    this.#forwardedReads.abandon();
    const parts = { acceptor: this.#acceptor, learner: this.#learner, proposals: this.#proposals, linksDown: this.#linksDown };
    this.#leader = new Leader(this.#context, parts, phaseOne.ballot, adopted);
    this.#readRounds = new ReadRounds(this.#context, this.#leader);
    this.#announceLeader(this.#context.self);
  }

  #stepDown(reason: Extract<PaxosEvent, { type: "steppedDown" }>["reason"], retry: "soon" | "later"): void {
    const leader = this.#leader;
    assert(leader !== null, "only a leader steps down");
    this.#leader = null;
    this.#readRounds?.abandon();
    this.#readRounds = null;
    this.#outbox.emit({ type: "steppedDown", ballot: leader.ballot, reason: this.#transfer === null ? reason : "transferred" });
    this.#transfer = null;
    leader.abandon();
    this.#election.lost(retry);
    this.#announceLeader(null);
  }

  #announceLeader(leader: Incarnation | null): void {
    const ballot = this.#acceptor.promised;
    this.#announcedBallot = ballot;
    this.#outbox.emit({ type: "leaderChanged", leader, ballot });
  }

  /** A higher ballot was promised: whatever was led or sought at a lower one is over. */
  #yieldTo(ballot: Ballot): void {
    this.#election.sawRound(ballot.round);
    if (this.#leader !== null && compareBallots(ballot, this.#leader.ballot) > 0) this.#stepDown("higherBallot", "later");
    if (this.#phaseOne !== null && compareBallots(ballot, this.#phaseOne.ballot) > 0) {
      this.#loseElection(this.#phaseOne.ballot, "higherBallot");
    }
  }

  #receive(from: Incarnation, message: Message): void {
    if (this.#fenced) return;
    switch (message.type) {
      case "preVote":
        return this.#receivePreVote(from, message);
      case "preVoteReply":
        this.#learner.heardChosen(from, message.chosenThrough);
        if (this.#leader !== null || this.#phaseOne !== null || !this.#election.takePreVoteReply(from, message)) return;
        // The change that removed this member may have become known while its question was under way.
        if (isVoter(this.#context.configuration, this.#context.self)) this.#campaign();
        return;
      case "prepare":
        return this.#receivePrepare(from, message);
      case "promise":
        return this.#receivePromise(from, message);
      case "promiseNeedsSnapshot":
        this.#leader?.takeSnapshotNeed(from, message);
        return this.#phaseOne?.takeSnapshotNeed(from, message.ballot, message.snapshotSlot);
      case "reject":
        return this.#receiveReject(message.ballot, message.promised);
      case "accept":
        return this.#receiveAccept(from, message);
      case "accepted":
        return this.#leader?.takeAccepted(from, message);
      case "acceptGap":
        return this.#leader?.takeGap(from, message);
      case "heartbeat":
        return this.#receiveHeartbeat(from, message);
      case "heartbeatReply":
        this.#leader?.takeHeartbeatReply(from, message);
        return this.#learner.heardChosen(from, message.chosenThrough);
      case "catchUp":
        return this.#learner.answerCatchUp(from, message, this.#acceptor.promised);
      case "chosenEntries":
        return this.#receiveChosen(from, message);
      case "needsSnapshot":
        this.#leader?.skip(from, message.snapshotSlot);
        return this.#learner.heardSnapshot(from, message.snapshotSlot);
      case "readIndexRequest":
        return this.#readRounds?.add({ follower: from, nonce: message.nonce });
      case "readIndexReply":
        return this.#forwardedReads.take(message);
      case "transferLeadership":
        return this.#receiveTransfer(from, message);
      default:
        return unreachable(message);
    }
  }

  /** A member whose disk answers nothing says nothing either: its promise would not come. */
  #receivePreVote(from: Incarnation, { nonce }: PreVote): void {
    if (this.#disk.stalled()) return;
    const choiceStalled = this.#choice.stalled();
    const granted = (this.#leader === null || choiceStalled) && this.#election.grants(from, { choiceStalled });
    this.#outbox.send(from, { type: "preVoteReply", nonce, granted, promised: this.#acceptor.promised, chosenThrough: this.#context.log.chosenThrough });
  }

  #receivePrepare(from: Incarnation, message: Prepare): void {
    const raises = compareBallots(message.ballot, this.#acceptor.promised) > 0;
    this.#yieldTo(message.ballot);
    if (raises) this.#election.campaignHeard(from);
    this.#acceptor.answerPrepare(from, message);
  }

  /**
   * Somebody promised a higher ballot. A candidate tries again above it; a leader too, or that member would stay useless
   * (rule 7): its pre-vote is granted by those that still follow it and refused when another leader is at work.
   */
  #receiveReject(ballot: Ballot, promised: Ballot): void {
    this.#election.sawRound(promised.round);
    if (this.#phaseOne !== null && ballotsEqual(ballot, this.#phaseOne.ballot)) this.#loseElection(ballot, "higherBallot");
    if (this.#leader === null || !ballotsEqual(ballot, this.#leader.ballot)) return;
    // The higher ballot is most likely that of the member that was asked to take over: it must not be contested.
    if (this.#transfer !== null) return this.#stepDown("higherBallot", "later");
    this.#stepDown("higherBallot", "soon");
    this.#startPreVote();
  }

  #receiveAccept(from: Incarnation, message: Accept): void {
    if (!this.#followsBallot(from, message.ballot)) return this.#acceptor.reject(from, message.ballot);
    const { configuration, self } = this.#context;
    // A member that left does not vote beyond the entry that says so; whoever counts on it is told of that entry (rule 18).
    const left = !isMember(configuration, self) && message.firstSlot > this.#learner.configurationSlot;
    if (left) return this.#learner.answerCatchUp(from, { type: "catchUp", fromSlot: message.firstSlot }, this.#acceptor.promised);
    this.#acceptor.answerAccept(from, message);
    this.#heardLeader(from, message.ballot, message.chosenThrough);
  }

  #receiveHeartbeat(from: Incarnation, message: Heartbeat): void {
    if (!this.#followsBallot(from, message.ballot)) return this.#acceptor.reject(from, message.ballot);
    this.#acceptor.promise(message.ballot);
    this.#heardLeader(from, message.ballot, message.chosenThrough);
    const { chosenThrough } = this.#context.log;
    const { durableThrough } = this.#learner;
    this.#outbox.send(from, { type: "heartbeatReply", ballot: message.ballot, nonce: message.nonce, chosenThrough, durableThrough });
  }

  /** Yields to a leader's ballot. False: it is below the promise. */
  #followsBallot(from: Incarnation, ballot: Ballot): boolean {
    assert(from === ballot.incarnation, "only a ballot's owner leads in it");
    assert(from !== this.#context.self, "nobody follows itself");
    if (compareBallots(ballot, this.#acceptor.promised) < 0) return false;
    this.#yieldTo(ballot);
    return true;
  }

  #heardLeader(from: Incarnation, ballot: Ballot, chosenThrough: Slot): void {
    const changed = this.#election.leader !== from;
    const range = this.#acceptor.acceptedAt(ballot, chosenThrough);
    if (range !== null) this.#context.log.markChosen(range.from, range.through);
    this.#learner.heardChosen(from, chosenThrough);
    this.#election.heardLeader(from, { choiceStalled: this.#choice.stalled() });
    if (changed) this.#forwardedReads.abandon();
    // A leader may have begun anew at a higher ballot, without anybody having noticed a time between.
    if (changed || !ballotsEqual(ballot, this.#announcedBallot)) this.#announceLeader(from);
  }

  /** A candidate asked for it, or a leader that enters a configuration; there it may tell of a value that refutes the leader's own. */
  #receivePromise(from: Incarnation, message: PromiseReply): void {
    this.#phaseOne?.takePromise(from, message);
    this.#maybeWin();
    const leader = this.#leader;
    if (leader === null || !ballotsEqual(message.ballot, leader.ballot)) return;
    if (message.entries.some(({ slot, chosen, value }) => chosen && leader.isRefutedBy(slot, value))) return this.#stepDown("higherBallot", "later");
    leader.takePromise(from, message);
  }

  /** A leader that learns another value than it proposed is behind a higher ballot; it steps down before it says "chosen" again. */
  #receiveChosen(from: Incarnation, message: ChosenEntries): void {
    const { fromSlot, values } = message;
    const refuted = values.some((value, index) => this.#leader?.isRefutedBy(fromSlot + index, value) === true);
    if (refuted) this.#stepDown("higherBallot", "later");
    if (values.length > 0) this.#promiseAsTold(message.promised);
    this.#learner.takeChosen(from, message);
  }

  /**
   * Who tells that a slot is chosen has promised at least a ballot at which it was, and so must everybody who believes it. Then
   * whoever goes by a chosen configuration campaigns above that ballot, and its voters refuse late accepts of leaders that did
   * not know of it, all of which are below (rule 16; docs/protocol.md has the trace).
   */
  #promiseAsTold(ballot: Ballot): void {
    if (compareBallots(ballot, this.#acceptor.promised) <= 0) return;
    this.#yieldTo(ballot);
    this.#acceptor.promise(ballot);
  }

  /**
   * A leader cannot compare what a snapshot stands for with what it proposed in those slots, so it must not say in its
   * ballot's name that they are chosen (rule 3a): it begins anew behind the snapshot.
   */
  #installSnapshot(handle: SnapshotHandle): void {
    const led = this.#leader !== null && handle.slot > this.#context.log.chosenThrough;
    if (led) this.#stepDown("higherBallot", "soon");
    if (handle.slot > this.#context.log.chosenThrough) this.#promiseAsTold(handle.promised);
    if (this.#learner.install(handle)) this.#phaseOne?.snapshotInstalled();
    if (led) this.#startPreVote();
  }

  /** A leader that learned of a configuration beyond the one that it was about to enter asks for promises again, of the right voters. */
  #leadAnew(): void {
    this.#stepDown("higherBallot", "soon");
    this.#startPreVote();
  }

  /**
   * The leader asks this member to take over (rule 12). It waits for no timeout, but asks first whether it reaches a quorum: a campaign
   * that cannot succeed would only end the leadership that there is.
   */
  #receiveTransfer(from: Incarnation, message: TransferLeadership): void {
    const { configuration, self } = this.#context;
    const mine = ballotsEqual(message.ballot, this.#acceptor.promised) && from === this.#election.leader;
    // Campaigning raises this member's promise, so a repeated message then finds another ballot promised and is ignored.
    if (!mine || this.#leader !== null || this.#phaseOne !== null || this.#disk.stalled() || !isVoter(configuration, self)) return;
    if (this.#election.startPreVote(message.ballot)) this.#campaign();
  }

  #propose(proposalId: number, commands: readonly Uint8Array[], grows: boolean): void {
    assert(commands.length > 0, "a proposal holds commands");
    if (this.#leader === null) return this.#outbox.failProposal(proposalId, "notLeader");
    if (this.#diskFull && grows) return this.#outbox.failProposal(proposalId, "diskFull");
    this.#leader.propose(proposalId, commands);
  }

  #read(readId: number): void {
    if (this.#readRounds !== null) this.#readRounds.add({ readId });
    else if (this.#fenced) this.#outbox.answerRead({ readId, ok: false });
    else this.#forwardedReads.add(readId);
  }

  #durable(record: number): void {
    this.#disk.durable(record);
    if (this.#fenced) return;
    this.#learner.ownDurable(record);
    this.#leader?.ownDurable(record);
    this.#phaseOne?.ownDurable(record);
    this.#maybeWin();
  }

  #linkChanged(peer: Incarnation, up: boolean): void {
    if (up) this.#linksDown.delete(peer);
    else this.#linksDown.add(peer);
    this.#leader?.linkChanged(peer, up);
    if (!up) this.#election.linkClosed(peer);
    if (up) this.#learner.linkOpened();
  }

  #startTransfer(target: Incarnation | null): void {
    if (this.#leader === null || this.#transfer !== null) return;
    const to = target ?? this.#leader.mostCaughtUp();
    if (to === null || to === this.#context.self || !isVoter(this.#context.configuration, to)) return;
    this.#transfer = new Transfer(this.#context, this.#leader, to);
  }

  /**
   * Who is to be removed hands over first, and the next leader makes the change (rule 16): to each voter once, as long as it rests. When
   * none took over, nobody might be able to lead without this member: that is refused, but for who insists.
   */
  #change(request: ChangeRequest): void {
    const { change, changeId, force } = request;
    const leader = this.#leader;
    if (leader === null) return this.#outbox.answerChange({ changeId, ok: false, failure: "notLeader" });
    const leaves = change.type === "remove" ? change.incarnation : change.type === "promote" ? change.replaces : null;
    const alone = this.#context.configuration.voters.length === 1;
    if (leaves !== this.#context.self || alone || !leader.allowsChange(request)) return leader.change(request);
    const successor = leader.mostCaughtUp((voter) => this.#successors.mayAsk(voter, this.#context.nowMs));
    if (successor === null && force) return leader.change(request);
    if (successor === null) return this.#outbox.answerChange({ changeId, ok: false, failure: "noSuccessor" });
    this.#successors.asked(successor, this.#context.nowMs);
    this.#startTransfer(successor);
    this.#outbox.answerChange({ changeId, ok: false, failure: "notLeader" });
  }

  /** This member led until the entry that removes it was chosen: it tells so, and asks a voter to go on at once. */
  #leaveLeadership(leader: Leader): void {
    leader.heartbeat();
    const to = leader.mostCaughtUp();
    if (to !== null) this.#outbox.send(to, { type: "transferLeadership", ballot: leader.ballot, nonce: this.#context.nextNonce() });
    this.#stepDown("removed", "later");
  }

  #cut(slot: Slot): void {
    const { retainedLogBytes, wantedLogBytes } = this.#context.limits;
    this.#context.log.cut(slot, { bytes: retainedLogBytes, wantedAbove: this.#wantedAbove, wantedBytes: wantedLogBytes });
  }

  #fence(): void {
    if (this.#leader !== null) this.#stepDown("syncFailed", "later");
    this.#phaseOne = null;
    this.#fenced = true;
    this.#forwardedReads.abandon();
  }
}
