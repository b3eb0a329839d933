import { assert } from "../codec/assert.ts";
import type { Ballot } from "./ballot.ts";
import { type Configuration, isQuorum, isVoter } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { ChangeFailure, ChangeRequest } from "./interface.ts";
import type { Learner } from "./learner.ts";
import { changeConfiguration } from "./membership.ts";
import type { PromiseNeedsSnapshot, PromiseReply, ValueBytes } from "./messages.ts";
import { PhaseOne } from "./phase-one.ts";
import type { Progress } from "./progress.ts";

/** A learner may be promoted when it is at most this many slots behind (rule 17). */
const MAX_LEARNER_LAG_SLOTS = 1_000;
/** Requests that wait for one change to be done. */
const MAX_WAITING = 16;

/** What the leader knows that a change is judged by. */
export interface LeaderView {
  readonly ready: boolean;
  /** Proposals are held back: leadership is being handed over. */
  readonly held: boolean;
  progressOf(member: Incarnation): Progress | undefined;
}

/**
 * A leader's part in changing the configuration (rules 16 and 16a). The entry at slot i governs all slots above i. Until every
 * slot up to i is chosen and a quorum of the new configuration has promised the leader's ballot for what lies above i, nothing
 * is proposed there; what that quorum reports is adopted first. The change is done once a quorum of the new configuration
 * holds all slots up to i durably, knows them chosen, and something above i is chosen under it.
 */
export class Reconfiguration {
  readonly #context: Context;
  readonly #learner: Learner;
  readonly #ballot: Ballot;
  /** The configuration entry that is proposed and not entered. */
  #stage: { readonly slot: Slot; readonly configuration: Configuration; readonly phaseOne: PhaseOne } | null = null;
  #doneSlot: Slot = 0 as Slot;
  #waiting: ChangeRequest[] = [];

  constructor(context: Context, learner: Learner, ballot: Ballot) {
    this.#context = context;
    this.#learner = learner;
    this.#ballot = ballot;
  }

  /** Whether nothing may be proposed at present, because a proposed configuration is not entered. */
  get pending(): boolean {
    return this.#stage !== null;
  }

  /** The configuration that is proposed and not entered. */
  get next(): Configuration | null {
    return this.#stage?.configuration ?? null;
  }

  /** Whether the change that set the configuration in force is done (rule 16a). The founding one is from the start. */
  get done(): boolean {
    return this.#stage === null && this.#learner.configurationSlot === this.#doneSlot;
  }

  /** `configuration` was proposed at `slot`: its voters are asked for their promise together with the accept. */
  begin(slot: Slot, configuration: Configuration): void {
    assert(this.#stage === null, "one configuration is entered before the next is proposed");
    const phaseOne = new PhaseOne(this.#context, this.#learner, {
      ballot: this.#ballot, ownRecord: 0, fromSlot: (slot + 1) as Slot, configuration: () => configuration,
    });
    this.#stage = { slot, configuration, phaseOne };
    this.#context.outbox.emit({ type: "configurationProposed", ballot: this.#ballot, slot, configuration });
    phaseOne.ask();
  }

  takePromise(from: Incarnation, message: PromiseReply): void {
    this.#stage?.phaseOne.takePromise(from, message);
  }

  takeSnapshotNeed(from: Incarnation, { ballot, snapshotSlot }: PromiseNeedsSnapshot): void {
    this.#stage?.phaseOne.takeSnapshotNeed(from, ballot, snapshotSlot);
  }

  askAgain(): void {
    this.#stage?.phaseOne.askAgain();
  }

  /** The entry is chosen with all below it, and this member does not vote any more: somebody else must go on. */
  get excluded(): boolean {
    const chosen = this.#stage === null || this.#context.log.chosenThrough >= this.#stage.slot;
    return chosen && !isVoter(this.#context.configuration, this.#context.self);
  }

  /** A later configuration turned out to be chosen: what lies above that belongs to voters whose promises nobody asked for. */
  get overtaken(): boolean {
    return this.#stage !== null && this.#learner.configurationSlot > this.#stage.slot;
  }

  /** Enters the new configuration if that is allowed by now: what must be proposed above it first. Null: not yet, or nothing to enter. */
  enter(): { firstSlot: Slot; values: ValueBytes[] } | null {
    const stage = this.#stage;
    if (stage === null || this.excluded || this.overtaken || this.#context.log.chosenThrough < stage.slot || !stage.phaseOne.hasQuorum()) return null;
    this.#stage = null;
    this.#context.outbox.emit({ type: "configurationEntered", ballot: this.#ballot, slot: stage.slot });
    return stage.phaseOne.adopt();
  }

  /** Whether the voters that matter for a promise not to be overtaken satisfy `holds`: today's, and those that may govern already. */
  isQuorum(holds: (voter: Incarnation) => boolean): boolean {
    const { configuration } = this.#context;
    return isQuorum(configuration, holds) && (this.#stage === null || isQuorum(this.#stage.configuration, holds));
  }

  /** The configuration to propose for a request, or null when it was answered or waits for a change that is under way. */
  judge(request: ChangeRequest, view: LeaderView): Configuration | null {
    const { changeId } = request;
    const verdict = this.#verdict(request, view);
    if ("failure" in verdict) {
      this.#context.outbox.answerChange({ changeId, ok: false, failure: verdict.failure });
      return null;
    }
    if ("unchanged" in verdict) {
      this.#await(request, view.ready);
      return null;
    }
    this.#waiting.push(request);
    return verdict.configuration;
  }

  /** Whether `judge` would give a configuration to propose. */
  allows(request: ChangeRequest, view: LeaderView): boolean {
    return "configuration" in this.#verdict(request, view);
  }

  #verdict(request: ChangeRequest, view: LeaderView): { configuration: Configuration } | { unchanged: true } | { failure: ChangeFailure } {
    const changed = changeConfiguration(this.#stage?.configuration ?? this.#context.configuration, request.change);
    if ("unchanged" in changed) return changed;
    const failure = this.#failure(request, view) ?? ("refusal" in changed ? changed.refusal : this.#unfit(changed.configuration, request, view));
    return failure === null && "configuration" in changed ? changed : { failure: failure ?? "notReady" };
  }

  /** Answers a change that was made already if that is done, or lets the request wait. */
  #await(request: ChangeRequest, ready: boolean): void {
    const { changeId } = request;
    if (ready && this.#settled) this.#answer(request);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(request);
    else this.#context.outbox.answerChange({ changeId, ok: false, failure: "changePending" });
  }

  /** The change in force is done, and has this one, unless an adopted configuration undid it while it waited. */
  #answer({ changeId, change }: ChangeRequest): void {
    const made = "unchanged" in changeConfiguration(this.#context.configuration, change);
    this.#context.outbox.answerChange(made ? { changeId, ok: true, slot: this.#learner.configurationSlot } : { changeId, ok: false, failure: "unknown" });
  }

  get #settled(): boolean {
    return this.done && this.#context.log.chosenThrough > this.#learner.configurationSlot;
  }

  #failure({ plannedFrom }: ChangeRequest, { ready, held }: LeaderView): ChangeFailure | null {
    if (!ready || held) return "notReady";
    if (!this.done) return "changePending";
    return plannedFrom !== null && plannedFrom !== this.#learner.configurationSlot ? "stalePlan" : null;
  }

  #unfit(next: Configuration, { change, force }: ChangeRequest, { progressOf }: LeaderView): ChangeFailure | null {
    if (change.type === "promote" && !this.isCaughtUp(progressOf(change.incarnation))) return "learnerLags";
    const isAlive = (voter: Incarnation): boolean => voter === this.#context.self || this.#isAlive(progressOf(voter));
    return force || isQuorum(next, isAlive) ? null : "noLiveQuorum";
  }

  #isAlive(progress: Progress | undefined): boolean {
    const { nowMs, timings } = this.#context;
    return progress?.heard === true && nowMs - progress.heardAtMs <= timings.electionTimeoutMs;
  }

  /** Whether a member was heard from lately and is so little behind that it may vote (rule 17). */
  isCaughtUp(progress: Progress | undefined): boolean {
    if (progress === undefined || progress.answeredNonce === 0 || !this.#isAlive(progress)) return false;
    return this.#context.log.chosenThrough - progress.chosenThrough <= MAX_LEARNER_LAG_SLOTS;
  }

  /** Looks whether the change in force is done by now, and answers those who wait for that. True: it is since this call. */
  settle(durableThrough: (voter: Incarnation) => Slot): boolean {
    const { configurationSlot } = this.#learner;
    const { outbox, log, configuration } = this.#context;
    if (this.#stage !== null || log.chosenThrough <= configurationSlot) return false;
    const became = this.#doneSlot !== configurationSlot && isQuorum(configuration, (voter) => durableThrough(voter) >= configurationSlot);
    if (became) {
      this.#doneSlot = configurationSlot;
      outbox.emit({ type: "configurationDone", ballot: this.#ballot, slot: configurationSlot });
    }
    if (this.done) for (const request of this.#waiting.splice(0)) this.#answer(request);
    return became;
  }

  /** The leadership ended before the change was done. */
  abandon(): void {
    for (const { changeId } of this.#waiting.splice(0)) this.#context.outbox.answerChange({ changeId, ok: false, failure: "unknown" });
  }
}
