import type { Consistency, Members, NamedBallot, Query, ReadResult, Status } from "../client/types.ts";
import type { SynodError } from "../errors/synod-error.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Result } from "../state/results.ts";
import type { Founding } from "../storage/interface.ts";

export type {
  Consistency, GetResult, KeyRecord, LinkState, MemberEntry, Members, NamedBallot, PeerStatus, Query, RangeItem, RangeResult, ReadResult, Role, Status,
} from "../client/types.ts";

/** What the log answered to a write, or why there is no answer. Only errors with `outcomeUnknown` leave open whether it took effect. */
export type WriteOutcome = Result | SynodError;

export interface FoundingStatus {
  readonly member: string;
  readonly incarnation: Incarnation;
  readonly cluster: string | null;
}

export interface Readiness {
  /** It can be sent requests: a voter, not fenced, not far behind, and lately in contact with a quorum. */
  readonly ready: boolean;
  /** It need not be restarted. A fenced member is alive: a restart would not mend it. */
  readonly live: boolean;
  readonly reason: string;
}

/** Something that happened to a member, for people to follow. Fields beyond these depend on `type`; members are named in them. */
export interface ServiceEvent {
  /** Grows by one from event to event within a life, and from life to life. */
  readonly id: number;
  /** Wall clock, milliseconds since 1970. */
  readonly timeMs: number;
  /** The member that tells it. */
  readonly member: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Whom a member follows. Of two such news of one cluster the one with the higher ballot (round, then incarnation) is the newer,
 * whoever tells it. Without a leader the ballot is the highest that the member promised.
 */
export interface LeaderNews {
  readonly cluster: string | null;
  /** Name, id and address of the leader; null: the member knows none. */
  readonly leader: string | null;
  readonly leaderIncarnation: string | null;
  readonly address: string | null;
  readonly ballot: NamedBallot;
}

/** Under what condition a change of the members is wanted. */
export interface ChangePlan {
  /** The slot of the configuration that the change was planned from; a later one refuses it. Absent: whichever is in force. */
  readonly plannedFrom?: number;
  /** Go on although too few of the voters that there will be are alive. */
  readonly force?: boolean;
}

/**
 * Who is a member, and changes of that, by any member for the leader to make. Members are named by their id, which is their
 * incarnation, or by their name where only one has it. A change resolves when it is done (rule 16a), and rejects with a coded
 * error otherwise; asked for again after any error it is not made twice.
 */
export interface Membership {
  members(): Promise<Members>;
  /** Adds the new member that waits at `address` (host:port) as a learner, and tells it so. With `id`, only if it is that one. `added` is its id. */
  add(newcomer: { readonly address: string; readonly id?: Incarnation }, plan: ChangePlan): Promise<Members & { readonly added: string }>;
  /** Makes a learner a voter; with `replaces`, in one step in the place of that voter. */
  promote(id: string, plan: ChangePlan & { readonly replaces?: string }): Promise<Members>;
  remove(id: string, plan: ChangePlan): Promise<Members>;
  /** Resolves once the member leads. */
  transferLeadership(id: string): Promise<Members>;
}

/**
 * What a member offers its API. Callbacks are called exactly once, within a bounded time, possibly before the call returns;
 * they must not throw. Byte arrays are only lent: neither side changes them afterwards.
 */
export interface Service {
  /** `command` is an encoded and validated state command (src/state/commands.ts). It may be a view into a larger buffer. */
  write(command: Uint8Array, done: (outcome: WriteOutcome) => void): void;

  read(query: Query, consistency: Consistency, done: (outcome: ReadResult | SynodError) => void): void;

  status(): Status;

  identity(): FoundingStatus;

  /**
   * Takes the founding document, which is durable when this resolves. Rejects with `SYNOD_ERR_WRONG_INCARNATION` when
   * `incarnation` is not this member's, and `SYNOD_ERR_ALREADY_FOUNDED` when another document was taken before.
   */
  found(founding: Founding, incarnation: Incarnation): Promise<void>;

  /**
   * Gives up what this member keeps, so that its process, which ends then, is started as a new member. Resolves when that is durable.
   * Rejects with `SYNOD_ERR_WRONG_INCARNATION`, `SYNOD_ERR_MEMBER_NEEDED` or `SYNOD_ERR_CHANGE_PENDING`.
   */
  renew(incarnation: Incarnation): Promise<void>;

  readiness(): Readiness;

  /**
   * Follows the events. Those above `afterId` that are still kept are handed to `listener` in order before this returns;
   * without `afterId` only new ones are. Returns the function that ends it. (`EventHistory` implements this.)
   */
  events(listener: (event: ServiceEvent) => void, afterId?: number): () => void;

  /** Whom it follows now. Every `leaderChanged` event has the same fields. */
  leaderNews(): LeaderNews;

  /** Hands leadership to the member named `target`, or to the most caught-up voter. Resolves once another member leads. */
  transferLeadership(target?: string): Promise<void>;

  readonly membership: Membership;

  /** The metrics in Prometheus' text format. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}
