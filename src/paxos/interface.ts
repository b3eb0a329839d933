import type { Ballot } from "./ballot.ts";
import type { Configuration } from "./configuration.ts";
import type { Incarnation, Slot } from "./ids.ts";
import type { ChangeRefusal, ConfigurationChange } from "./membership.ts";
import type { Message, OutgoingMessage, ValueBytes } from "./messages.ts";
import type { LogRecord, SnapshotHandle } from "./records.ts";

/** All that the core can learn of the world (rule 27). Nothing else moves it. */
export type Input =
  | { readonly type: "message"; readonly from: Incarnation; readonly message: Message }
  /** `nowMs` is monotonic within a life; `random` is drawn evenly from [0, 1). Expected every `timings.tickMs` or so. */
  | { readonly type: "tick"; readonly nowMs: number; readonly random: number }
  /**
   * One batch of commands, to be one slot. `proposalId` is the caller's, unique within a life. While the disk is full only a batch
   * that is said not to make the state grow is taken.
   */
  | { readonly type: "propose"; readonly proposalId: number; readonly commands: readonly Uint8Array[]; readonly grows?: boolean }
  /** A linearizable read wants to know up to which slot it must wait. `readId` is the caller's. */
  | { readonly type: "read"; readonly readId: number }
  /** Every record up to and including number `record` is durable. */
  | { readonly type: "durable"; readonly record: number }
  /** The disk lost what was not synced and could not be mended: this life neither votes nor proposes any more (rule 15). */
  | { readonly type: "syncFailed" }
  /** The reserve is all that is left, on this disk or on so many that no quorum within reach has room, or space has come back (rule 15). */
  | { readonly type: "diskFull" } | { readonly type: "diskFree" }
  /** A peer says whether its disk is full; that holds until its link closes. */
  | { readonly type: "peerDisk"; readonly peer: Incarnation; readonly full: boolean }
  /** A snapshot of the applied state at `handle.slot` is synced and verified: the log may be cut. */
  | { readonly type: "snapshotTaken"; readonly handle: SnapshotHandle }
  /** A peer is being given the snapshot at `above` and will need the entries above it; null: nobody is any more. */
  | { readonly type: "snapshotWanted"; readonly above: Slot | null }
  /** A snapshot received from a peer is synced, verified and loaded into the state. */
  | { readonly type: "snapshotInstalled"; readonly handle: SnapshotHandle }
  | { readonly type: "linkUp"; readonly peer: Incarnation }
  | { readonly type: "linkDown"; readonly peer: Incarnation }
  /** Hand leadership to `target`, or to the most caught-up voter (rule 12). */
  | { readonly type: "transferLeadership"; readonly target: Incarnation | null }
  /** Change the configuration (rule 16). Answered by exactly one `ChangeOutcome`, when the change is done in the sense of rule 16a. */
  | { readonly type: "changeConfiguration"; readonly request: ChangeRequest }
  /** Campaign now, without waiting for a timeout. For tests and operators; the pre-vote still comes first. */
  | { readonly type: "campaign" };

/** An entry to apply, in slot order without gaps. `proposalId` is set when this life proposed it. */
export interface ChosenEntry {
  readonly slot: Slot;
  readonly value: ValueBytes;
  readonly proposalId: number | null;
}

/** Why a proposal will not be answered by an apply. Only `unknown` leaves it open whether the commands are chosen later. */
export type ProposalFailure =
  /** Never proposed: this member does not lead, or leads no more. Certain. */
  | "notLeader"
  /** Never proposed: too much is unchosen already (rule 26). Certain. */
  | "busy"
  /** Never proposed: the leader's disk is full (rule 15). Certain. */
  | "diskFull"
  /** Another value was chosen in its slot. Certain. */
  | "superseded"
  /** Leadership was lost and a later leader is at work; the value may yet be chosen. */
  | "unknown";

export interface ChangeRequest {
  /** The caller's, unique within a life. */
  readonly changeId: number;
  readonly change: ConfigurationChange;
  /** The slot of the configuration that the change was planned from; null: whichever is in force. */
  readonly plannedFrom: Slot | null;
  /** Go on although too few of the voters that there will be are alive (rule 17). The entry is still chosen by a quorum of today's. */
  readonly force: boolean;
}

/**
 * Why a change is not done. But for `unknown` it certainly was not proposed. To ask again is safe after each of them: a change
 * that was made already is not made twice.
 */
export type ChangeFailure =
  | ChangeRefusal
  /** This member does not lead, or has just handed over because the change removes it: ask the leader. */
  | "notLeader"
  /** The leader does not serve yet, or hands over. */
  | "notReady"
  /** An earlier change is not done. */
  | "changePending"
  /** The configuration is not the one that the change was planned from. */
  | "stalePlan"
  /** The learner has not caught up, or was not heard from lately. */
  | "learnerLags"
  /** Of the voters that there would be, no quorum was heard from lately. */
  | "noLiveQuorum"
  /** The change removes this leader, and no other voter could take over when it was asked to a short while ago. */
  | "noSuccessor"
  /** It was proposed, and leadership was lost before it was done; a later leader finishes it or drops it. */
  | "unknown";

export type ChangeOutcome =
  /** The configuration set at `slot` has the change, and is done. */
  | { readonly changeId: number; readonly ok: true; readonly slot: Slot }
  | { readonly changeId: number; readonly ok: false; readonly failure: ChangeFailure };

export type ReadOutcome =
  /** The read may be answered once `slot` is applied. */
  | { readonly readId: number; readonly ok: true; readonly slot: Slot }
  /** No leader answered for it; ask again when one is known. */
  | { readonly readId: number; readonly ok: false };

/** What happened, for people and metrics; nothing depends on it. */
export type PaxosEvent =
  | { readonly type: "preVoteStarted" }
  | { readonly type: "campaignStarted"; readonly ballot: Ballot }
  | { readonly type: "promiseGiven"; readonly ballot: Ballot }
  | { readonly type: "promiseReceived"; readonly ballot: Ballot; readonly from: Incarnation }
  | { readonly type: "electionWon"; readonly ballot: Ballot; readonly fromSlot: Slot }
  | { readonly type: "electionLost"; readonly ballot: Ballot; readonly reason: "higherBallot" | "timeout" | "removed" }
  /** The leader's barrier is chosen: it serves from now on. */
  | { readonly type: "leaderReady"; readonly ballot: Ballot }
  /** Another leader is followed, or the same at a higher ballot; null: none is any more. */
  | { readonly type: "leaderChanged"; readonly leader: Incarnation | null; readonly ballot: Ballot }
  | { readonly type: "steppedDown"; readonly ballot: Ballot; readonly reason: "higherBallot" | "quorumLost" | "diskStalled" | "transferred" | "syncFailed" | "removed" }
  /** The leader proposes a configuration, its own or one that it found, for all slots above `slot`. */
  | { readonly type: "configurationProposed"; readonly ballot: Ballot; readonly slot: Slot; readonly configuration: Configuration }
  /** The configuration at `slot` is chosen, and in force here. */
  | { readonly type: "configurationChanged"; readonly slot: Slot; readonly configuration: Configuration }
  /** A quorum of the configuration at `slot` promised the leader's ballot: it proposes above `slot` now. */
  | { readonly type: "configurationEntered"; readonly ballot: Ballot; readonly slot: Slot }
  /** The change at `slot` is done (rule 16a): who left is needed no more. */
  | { readonly type: "configurationDone"; readonly ballot: Ballot; readonly slot: Slot }
  | { readonly type: "transferStarted"; readonly ballot: Ballot; readonly to: Incarnation }
  | { readonly type: "transferFailed"; readonly ballot: Ballot; readonly to: Incarnation };

/** What the caller must do after one or more inputs, in any order but for what `afterRecord` says. */
export interface Effects {
  /** To append, in this order. The first is number `firstRecord`. */
  readonly records: readonly LogRecord[];
  readonly firstRecord: number;
  readonly messages: readonly OutgoingMessage[];
  /** To apply, in this order. */
  readonly chosen: readonly ChosenEntry[];
  readonly failedProposals: readonly { readonly proposalId: number; readonly failure: ProposalFailure }[];
  readonly reads: readonly ReadOutcome[];
  readonly changes: readonly ChangeOutcome[];
  /** Fetch a snapshot at or above `slot` from `from`, install it, then say `snapshotInstalled`. */
  readonly fetchSnapshot: { readonly from: Incarnation; readonly slot: Slot } | null;
  readonly events: readonly PaxosEvent[];
}

/** `removed`: in no way a member of the configuration that it knows (any more). */
export type Role = "leader" | "follower" | "candidate" | "learner" | "removed" | "fenced";

/** How long the core waits for things, in milliseconds of its own clock. */
export interface Timings {
  readonly tickMs: number;
  readonly heartbeatMs: number;
  /** A follower that heard no leader for this long (plus up to as much again, drawn) starts a pre-vote. */
  readonly electionTimeoutMs: number;
  /** A leader whose disk answered nothing for this long steps down (rule 9). */
  readonly diskStallMs: number;
}

export const DEFAULT_TIMINGS: Timings = Object.freeze({ tickMs: 10, heartbeatMs: 80, electionTimeoutMs: 400, diskStallMs: 1_000 });

/** Bounds on what the core holds and sends (rule 26). */
export interface Limits {
  /** Bytes of proposed values that are not chosen yet; beyond it proposals are refused as busy. */
  readonly maxUnchosenBytes: number;
  /** Bytes of values under way to one peer before the leader waits for its acks. */
  readonly maxInflightBytes: number;
  /** Bytes of values in one message; a message holds at least one value whatever its size. */
  readonly maxMessageBytes: number;
  /** Bytes of entries at or below the snapshot that stay in memory, for peers that lag a little. */
  readonly retainedLogBytes: number;
  /** The same while a peer is given a snapshot, above which it needs the entries: else it would need the next snapshot, and the next. */
  readonly wantedLogBytes: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxUnchosenBytes: 16 * 1024 * 1024,
  maxInflightBytes: 4 * 1024 * 1024,
  maxMessageBytes: 256 * 1024,
  retainedLogBytes: 8 * 1024 * 1024,
  wantedLogBytes: 128 * 1024 * 1024,
});
