import { SynodError } from "../errors/synod-error.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { Configuration } from "../paxos/configuration.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import type { ChangeFailure, ChangeOutcome, ChangeRequest } from "../paxos/interface.ts";
import type { MemberProgress } from "../paxos/leader.ts";

/** What only the leader can do or knows about members. */
export type MemberRequest =
  /** Change the configuration; answered when the change is done (rule 16a). */
  | ({ readonly type: "change" } & Omit<ChangeRequest, "changeId">)
  /** Hand leadership to `target`; answered when that has begun. */
  | { readonly type: "transfer"; readonly target: Incarnation }
  /** Who the members are and how far behind. */
  | { readonly type: "members" };

export interface MembersView {
  readonly configuration: Configuration;
  readonly configurationSlot: Slot;
  /** Whether the change that set the configuration is done; null when it was not the leader that was asked. */
  readonly done: boolean | null;
  readonly chosenThrough: Slot;
  readonly progress: readonly MemberProgress[];
}

export type MemberAnswer = MembersView | SynodError;

/** What it needs of the member around it. */
export interface MemberRequestPort {
  nowMs(): number;
  leads(): boolean;
  /** This member was removed: the leader speaks to it no more, and it will hear of no other. */
  left(): boolean;
  /** The leader to ask, if one is known and linked. */
  linkedLeader(): Incarnation | null;
  /** False: not sent. */
  ask(leader: Incarnation, id: number, request: MemberRequest): boolean;
  change(request: ChangeRequest): void;
  transfer(target: Incarnation): SynodError | null;
  view(): MembersView;
}

/** Requests that are held at once, of this member's clients and of its peers each. */
const MAX_REQUESTS = 64;
/** From taking a request to answering it, at the latest. Who only wants to see can be shown what is known here. */
const TIMEOUT_MS = 10_000;
const VIEW_TIMEOUT_MS = 1_000;
/** An attempt that met no leader, or was not answered, is made again after this. */
const RETRY_MS = 50;
const UNANSWERED_MS = 1_000;

interface Open {
  readonly request: MemberRequest;
  readonly done: (answer: MemberAnswer) => void;
  readonly deadlineMs: number;
  attemptAtMs: number;
  /** It was asked of somebody, so that it may have been done. */
  attempted: boolean;
  /** Who was asked and has not answered. */
  asked: Incarnation | null;
}

/**
 * Sees requests about members to one answer each: served here while this member leads, else by the leader. A change may be
 * asked for again and again, since one that was made already is not made twice; so whatever happens to leaders meanwhile, an
 * answer is looked for until the time is up.
 */
export class MemberRequests {
  readonly #port: MemberRequestPort;
  readonly #open = new Map<number, Open>();
  readonly #changes = new Map<number, (answer: MemberAnswer) => void>();
  /** What peers asked and were not answered yet, so that a repeated question is not asked of the core again. */
  readonly #fromPeers = new Set<string>();
  #nextId: number;

  constructor(port: MemberRequestPort, firstId: number) {
    this.#port = port;
    this.#nextId = firstId;
  }

  get held(): number {
    return this.#open.size;
  }

  submit(request: MemberRequest, done: (answer: MemberAnswer) => void): void {
    if (this.#open.size >= MAX_REQUESTS) return done(new SynodError("SYNOD_ERR_BUSY"));
    const nowMs = this.#port.nowMs();
    const timeoutMs = request.type === "members" ? VIEW_TIMEOUT_MS : TIMEOUT_MS;
    this.#open.set(this.#nextId++, { request, done, deadlineMs: nowMs + timeoutMs, attemptAtMs: nowMs, attempted: false, asked: null });
    this.tick();
  }

  /** Makes the attempts that are due, and gives up what is out of time. */
  tick(): void {
    const nowMs = this.#port.nowMs();
    for (const [id, open] of this.#open) {
      if (nowMs >= open.deadlineMs) this.#finish(id, unanswered(open, "SYNOD_ERR_NO_LEADER", NOT_IN_TIME));
      else if (nowMs >= open.attemptAtMs) this.#attempt(id, open, nowMs);
    }
  }

  #attempt(id: number, open: Open, nowMs: number): void {
    open.attemptAtMs = nowMs + RETRY_MS;
    open.asked = null;
    if (this.#port.leads()) {
      open.attemptAtMs = open.deadlineMs;
      open.attempted = true;
      return this.#serve(open.request, (answer) => this.#answered(id, answer));
    }
    const leader = this.#port.linkedLeader();
    if (leader === null && this.#port.left()) return this.#finish(id, unanswered(open, "SYNOD_ERR_LEFT", NOT_HEARD));
    if (leader === null || !this.#port.ask(leader, id, open.request)) return;
    open.attempted = true;
    open.asked = leader;
    open.attemptAtMs = nowMs + UNANSWERED_MS;
  }

  /** A peer asks, taking this member for the leader. `answer` is called at most once. */
  take(from: Incarnation, id: number, request: MemberRequest, answer: (answer: MemberAnswer) => void): void {
    const key = `${from} ${id}`;
    if (this.#fromPeers.has(key)) return;
    if (this.#fromPeers.size >= MAX_REQUESTS) return answer(new SynodError("SYNOD_ERR_BUSY"));
    this.#fromPeers.add(key);
    this.#serve(request, (outcome) => {
      this.#fromPeers.delete(key);
      answer(outcome);
    });
  }

  #serve(request: MemberRequest, done: (answer: MemberAnswer) => void): void {
    if (!this.#port.leads()) return done(new SynodError("SYNOD_ERR_NO_LEADER"));
    if (request.type === "members") return done(this.#port.view());
    if (request.type === "transfer") return done(this.#port.transfer(request.target) ?? this.#port.view());
    const changeId = this.#nextId++;
    this.#changes.set(changeId, done);
    const { change, plannedFrom, force } = request;
    this.#port.change({ changeId, change, plannedFrom, force });
  }

  /** The core answers a change that was asked for here. */
  changed(outcome: ChangeOutcome): void {
    const done = this.#changes.get(outcome.changeId);
    this.#changes.delete(outcome.changeId);
    done?.(outcome.ok ? this.#port.view() : new SynodError(FAILURE_CODES[outcome.failure]));
  }

  /** The leader that was asked answers. */
  answered(from: Incarnation, id: number, answer: MemberAnswer): void {
    if (this.#open.get(id)?.asked === from) this.#answered(id, answer);
  }

  #answered(id: number, answer: MemberAnswer): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    const elsewhere = answer instanceof SynodError && (answer.code === "SYNOD_ERR_NO_LEADER" || answer.code === "SYNOD_ERR_STOPPING");
    if (!elsewhere) return this.#finish(id, answer);
    open.asked = null;
    open.attemptAtMs = this.#port.nowMs() + RETRY_MS;
  }

  #finish(id: number, answer: MemberAnswer): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.done(answer);
  }

  /** The link to `peer` closed: what it was asked is asked again, of whoever leads then. */
  linkClosed(peer: Incarnation): void {
    for (const open of this.#open.values()) if (open.asked === peer) open.attemptAtMs = this.#port.nowMs() + RETRY_MS;
  }

  /** The member stops: a change that is under way may yet be done. */
  stop(): void {
    for (const [id, open] of this.#open) {
      this.#finish(id, unanswered(open, "SYNOD_ERR_STOPPING", NOT_IN_TIME));
    }
  }
}

const NOT_IN_TIME = "The change is not done in time and may yet be done. Ask again: it is not made twice.";
/** The change that was asked for may be the one that removed this member, or any other. */
const NOT_HEARD = "This member has left the cluster, and does not hear whether the change is done. Ask another: it is not made twice.";

/** What is said when no answer comes: `code`, or of a change that somebody who leads, or led, may have been asked for, that it may be made, as `unknown` puts it. */
function unanswered({ request, attempted }: Open, code: ErrorCode, unknown: string): SynodError {
  return request.type === "change" && attempted ? new SynodError("SYNOD_ERR_CHANGE_UNKNOWN", unknown) : new SynodError(code);
}

/** What a failed change is to its caller. Those after which the next leader is asked are told as "no leader". */
const FAILURE_CODES: Readonly<Record<ChangeFailure, ErrorCode>> = {
  notLeader: "SYNOD_ERR_NO_LEADER",
  notReady: "SYNOD_ERR_NO_LEADER",
  unknown: "SYNOD_ERR_NO_LEADER",
  changePending: "SYNOD_ERR_CHANGE_PENDING",
  stalePlan: "SYNOD_ERR_STALE_CONFIGURATION",
  learnerLags: "SYNOD_ERR_LEARNER_LAGS",
  noLiveQuorum: "SYNOD_ERR_NO_LIVE_QUORUM",
  noSuccessor: "SYNOD_ERR_NO_SUCCESSOR",
  unknownMember: "SYNOD_ERR_NO_SUCH_MEMBER",
  removedMember: "SYNOD_ERR_MEMBER_REMOVED",
  nameTaken: "SYNOD_ERR_NAME_TAKEN",
  tooManyMembers: "SYNOD_ERR_TOO_MANY_MEMBERS",
  lastVoter: "SYNOD_ERR_LAST_VOTER",
};
