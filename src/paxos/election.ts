import { type Ballot, compareBallots } from "./ballot.ts";
import { isQuorum } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Incarnation } from "./ids.ts";
import type { PreVoteReply } from "./messages.ts";

/** At most this long after its link to the leader closed a member asks for pre-votes; drawn, so that not all ask at once. */
const LINK_LOSS_DELAY_MS = 20;

/** `choiceStalled`: nothing came to be chosen for too long, as far as this member can know. */
interface ChoiceState {
  readonly choiceStalled: boolean;
}

/**
 * When to campaign, and whom to let campaign. Separate from what a campaign does: it knows leaders, links and time, and
 * neither logs nor, but for choosing a round and knowing who follows its leader, ballots (rules 7 and 8).
 */
export class Election {
  readonly #context: Context;
  #leader: Incarnation | null = null;
  #heardAtMs: number | null;
  #leaderLinkClosed = false;
  /** Whose campaign was last promised, and until when nobody else's is encouraged. */
  #candidate: { readonly incarnation: Incarnation; readonly untilMs: number } | null = null;
  #deadlineMs: number | null = null;
  /** `invitation`: the ballot of the leader that asked this member to take over (rule 12). */
  #preVote: { nonce: number; granted: Set<Incarnation>; startedAtMs: number; invitation: Ballot | null } | null = null;
  #seenRound = 0;
  /** Peers with a link and a full disk. */
  readonly #full = new Set<Incarnation>();

  /** `restarted`: the member took part before, so a leader may well be at work and must not be disturbed at once. */
  constructor(context: Context, restarted: boolean) {
    this.#context = context;
    this.#heardAtMs = restarted ? context.nowMs : null;
  }

  /** The leader this member follows, if it heard of one and has not given it up. */
  get leader(): Incarnation | null {
    return this.#leader;
  }

  /** Whether the leader that this member follows was heard within one election timeout. */
  get hearsLeader(): boolean {
    const { nowMs, timings } = this.#context;
    return this.#leader !== null && this.#heardAtMs !== null && nowMs - this.#heardAtMs < timings.electionTimeoutMs;
  }

  /** Another member whose campaign was promised a short while ago and which may win: null when there is none. */
  get candidate(): Incarnation | null {
    const { nowMs, self } = this.#context;
    return this.#candidate === null || this.#candidate.incarnation === self || nowMs >= this.#candidate.untilMs ? null : this.#candidate.incarnation;
  }

  get preVoting(): boolean {
    return this.#preVote !== null;
  }

  /** The highest round that any reply told of. */
  get seenRound(): number {
    return this.#seenRound;
  }

  sawRound(round: number): void {
    if (round > this.#seenRound) this.#seenRound = round;
  }

  /**
   * A message that only the leader of the promised ballot sends was received. While nothing is chosen for too long (`choiceStalled`) it is
   * followed, and yet somebody else may be sought.
   */
  heardLeader(leader: Incarnation, { choiceStalled }: ChoiceState): void {
    this.#leader = leader;
    this.#heardAtMs = this.#context.nowMs;
    this.#leaderLinkClosed = false;
    this.#candidate = null;
    if (choiceStalled) return;
    if (!this.#isInvitedBy(leader)) this.#preVote = null;
    this.#waitElectionTimeout();
  }

  /** The leader asked this member to take over, no longer ago than a leader waits for that. It goes on leading meanwhile. */
  #isInvitedBy(leader: Incarnation): boolean {
    const { nowMs, timings } = this.#context;
    return this.#preVote?.invitation?.incarnation === leader && nowMs - this.#preVote.startedAtMs < timings.electionTimeoutMs;
  }

  /**
   * A candidate's ballot was promised, or this member campaigns itself: for half an election timeout no other campaign is
   * begun or encouraged, so that slow disks do not make a duel of an election (rule 7).
   */
  campaignHeard(candidate: Incarnation): void {
    const { nowMs, timings } = this.#context;
    this.#candidate = { incarnation: candidate, untilMs: nowMs + timings.electionTimeoutMs / 2 };
    if (this.#preVote !== null && this.#preVote.invitation !== null) this.#preVote = null;
    this.#waitElectionTimeout();
  }

  /** This member leads now. */
  won(): void {
    this.#leader = this.#context.self;
    this.#heardAtMs = null;
    this.#leaderLinkClosed = false;
    this.#candidate = null;
    this.#preVote = null;
    this.#deadlineMs = null;
  }

  /** This member's leadership or campaign ended, or a higher ballot shows that the old leader has rivals. */
  lost(retry: "soon" | "later"): void {
    if (this.#leader === this.#context.self) this.#leader = null;
    this.#candidate = null;
    this.#preVote = null;
    if (retry === "soon") this.#waitRetry();
    else this.#waitElectionTimeout();
  }

  diskHeard(peer: Incarnation, full: boolean): void {
    if (full) this.#full.add(peer);
    else this.#full.delete(peer);
  }

  /** The link to a peer closed: if it was the leader's, that is a hint of its death, for this member only (rule 7). */
  linkClosed(peer: Incarnation): void {
    this.#full.delete(peer);
    if (peer === this.#candidate?.incarnation) {
      this.#candidate = null;
      this.#waitRetry();
    }
    if (peer !== this.#leader) return;
    this.#leaderLinkClosed = true;
    const { nowMs, random } = this.#context;
    this.#deadlineMs = Math.min(this.#deadlineMs ?? Infinity, nowMs + random * LINK_LOSS_DELAY_MS);
  }

  /**
   * Whether to let `candidate` campaign: not while a leader is heard, unless the leader itself asks, its disk is full and the candidate's
   * is not (rule 15), or it gets nothing chosen (`choiceStalled`). Logs are never compared.
   */
  grants(candidate: Incarnation, { choiceStalled }: ChoiceState): boolean {
    const { nowMs, timings } = this.#context;
    const rival = this.#candidate !== null && this.#candidate.incarnation !== candidate && nowMs < this.#candidate.untilMs;
    if (rival) return false;
    const hasMoreRoom = this.#leader !== null && this.#full.has(this.#leader) && !this.#full.has(candidate);
    if (this.#heardAtMs === null || this.#leaderLinkClosed || candidate === this.#leader || hasMoreRoom || choiceStalled) return true;
    return nowMs - this.#heardAtMs >= timings.electionTimeoutMs;
  }

  /** Until when, at the earliest, there is nothing to start. */
  get quietUntilMs(): number {
    return this.#deadlineMs ?? this.#context.nowMs;
  }

  /**
   * Looks at the time: "start" asks for a pre-vote now, "leaderLost" says that the leader was given up just before. One that is heard and
   * gets nothing chosen stays until somebody does better: reads go on.
   */
  tick({ choiceStalled }: ChoiceState): { start: boolean; leaderLost: boolean } {
    const { nowMs } = this.#context;
    if (this.#deadlineMs === null) this.#waitFirst();
    const start = nowMs >= (this.#deadlineMs ?? Infinity);
    const leaderLost = start && this.#leader !== null && !(choiceStalled && this.hearsLeader && !this.#leaderLinkClosed);
    if (leaderLost) this.#leader = null;
    return { start, leaderLost };
  }

  /**
   * Asks every voter for its pre-vote; `invitation` is the ballot of the leader that wants this member to take over, if one does. True:
   * this member alone is a quorum.
   */
  startPreVote(invitation: Ballot | null = null): boolean {
    const { outbox, configuration, self, nowMs } = this.#context;
    const nonce = this.#context.nextNonce();
    this.#preVote = { nonce, granted: new Set([self]), startedAtMs: nowMs, invitation };
    // A leader that is heard and gets nothing chosen stays in place meanwhile, so there is no hurry.
    if (invitation === null && this.hearsLeader) this.#waitElectionTimeout();
    else if (invitation === null) this.#waitRetry();
    outbox.emit({ type: "preVoteStarted" });
    for (const { incarnation } of configuration.voters) {
      if (incarnation !== self) outbox.send(incarnation, { type: "preVote", nonce });
    }
    return this.#hasPreVotes();
  }

  /** True: a quorum would let this member campaign. Each nonce wins at most once. */
  takePreVoteReply(from: Incarnation, message: PreVoteReply): boolean {
    this.sawRound(message.promised.round);
    if (this.#preVote === null || this.#preVote.nonce !== message.nonce || !this.#lets(message)) return false;
    this.#preVote.granted.add(from);
    return this.#hasPreVotes();
  }

  /**
   * Whether the answer is for this member. Who refuses because it hears the leader that asked this member to take over has nothing
   * against it: that it answers shows that its promise will come, too.
   */
  #lets({ granted, promised }: PreVoteReply): boolean {
    const invitation = this.#preVote?.invitation ?? null;
    return granted || (invitation !== null && compareBallots(promised, invitation) <= 0);
  }

  #hasPreVotes(): boolean {
    if (!isQuorum(this.#context.configuration, (voter) => this.#preVote?.granted.has(voter) === true)) return false;
    this.#preVote = null;
    return true;
  }

  /** A new cluster has no leader to wait for; a member that took part before gives the leader time to show itself. */
  #waitFirst(): void {
    if (this.#heardAtMs === null) this.#waitRetry();
    else this.#waitElectionTimeout();
  }

  #waitElectionTimeout(): void {
    const { nowMs, random, timings } = this.#context;
    this.#deadlineMs = nowMs + timings.electionTimeoutMs * (1 + random);
  }

  /** Between an eighth and a half of the election timeout, drawn, so that duelling candidates part (rule 7). */
  #waitRetry(): void {
    const { nowMs, random, timings } = this.#context;
    this.#deadlineMs = nowMs + timings.electionTimeoutMs * (0.125 + 0.375 * random);
  }
}
