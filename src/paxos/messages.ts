import type { Ballot } from "./ballot.ts";
import type { Incarnation, Slot } from "./ids.ts";

/** A slot's value as its encoded bytes (see value.ts). Held and passed on without being decoded again. */
export type ValueBytes = Uint8Array;

/** What an acceptor reports of one slot in phase 1. A value known to be chosen is marked, and then its ballot says nothing. */
export interface ReportedEntry {
  readonly slot: Slot;
  readonly ballot: Ballot;
  readonly chosen: boolean;
  readonly value: ValueBytes;
}

/** "Would you let me campaign?" Raises no ballot and compares no logs (rule 7). */
export interface PreVote { readonly type: "preVote"; readonly nonce: number }
export interface PreVoteReply {
  readonly type: "preVoteReply";
  readonly nonce: number;
  readonly granted: boolean;
  /** The highest promise of the replier, so that the candidate can choose a round above it. */
  readonly promised: Ballot;
  /** How far the replier knows the log to be chosen: an asker that is behind catches up, and may find that it left (rule 18). */
  readonly chosenThrough: Slot;
}

/** Phase 1a for every slot from `fromSlot` on (rule 3). */
export interface Prepare { readonly type: "prepare"; readonly ballot: Ballot; readonly fromSlot: Slot }
/** Phase 1b. `nextSlot` names the slot to ask from next when the answer did not fit one message; null: complete. */
export interface PromiseReply {
  readonly type: "promise";
  readonly ballot: Ballot;
  readonly fromSlot: Slot;
  readonly entries: readonly ReportedEntry[];
  readonly nextSlot: Slot | null;
  readonly chosenThrough: Slot;
}
/** Phase 1b of an acceptor that cut its log: promised, but it counts only once the candidate holds this snapshot (rule 4). */
export interface PromiseNeedsSnapshot { readonly type: "promiseNeedsSnapshot"; readonly ballot: Ballot; readonly snapshotSlot: Slot }
/** A prepare, accept or heartbeat at `ballot` came too late: a higher ballot is promised. */
export interface Reject { readonly type: "reject"; readonly ballot: Ballot; readonly promised: Ballot }

/** Phase 2a for consecutive slots from `firstSlot`; also tells that all slots up to `chosenThrough` are chosen (rule 3a). */
export interface Accept {
  readonly type: "accept";
  readonly ballot: Ballot;
  readonly firstSlot: Slot;
  readonly values: readonly ValueBytes[];
  readonly chosenThrough: Slot;
}
/** Phase 2b: every slot from `from` to `through` is accepted, durably, at exactly `ballot` (rule 3a). */
export interface Accepted {
  readonly type: "accepted";
  readonly ballot: Ballot;
  readonly from: Slot;
  readonly through: Slot;
}
/** An accept left a gap behind what this acceptor holds at `ballot`: send again from `expected`. */
export interface AcceptGap { readonly type: "acceptGap"; readonly ballot: Ballot; readonly expected: Slot }

/** Keeps followers, spreads what is chosen, and confirms leadership for reads: `nonce` is fresh for every round (rule 11). */
export interface Heartbeat { readonly type: "heartbeat"; readonly ballot: Ballot; readonly nonce: number; readonly chosenThrough: Slot }
export interface HeartbeatReply {
  readonly type: "heartbeatReply";
  readonly ballot: Ballot;
  readonly nonce: number;
  readonly chosenThrough: Slot;
  /** The slots up to here are held and known to be chosen even after a restart (rule 16a). */
  readonly durableThrough: Slot;
}

/** A member that knows a slot to be chosen but not its value fetches it (rule 3a). */
export interface CatchUp { readonly type: "catchUp"; readonly fromSlot: Slot }
/**
 * Values that the sender knows to be chosen, for consecutive slots from `fromSlot`. Whoever takes them promises what the sender has
 * promised: so everybody who knows a configuration to be chosen campaigns above the ballot at which it was (rule 16).
 */
export interface ChosenEntries {
  readonly type: "chosenEntries";
  readonly promised: Ballot;
  readonly fromSlot: Slot;
  readonly values: readonly ValueBytes[];
  readonly chosenThrough: Slot;
}
/** What was asked for, or proposed, is below the sender's snapshot: everything up to `snapshotSlot` is chosen (rule 4). */
export interface NeedsSnapshot { readonly type: "needsSnapshot"; readonly snapshotSlot: Slot }

/** A follower asks its leader up to which slot it must have applied before it may answer reads that wait (rule 11). */
export interface ReadIndexRequest { readonly type: "readIndexRequest"; readonly nonce: number }
export interface ReadIndexReply { readonly type: "readIndexReply"; readonly ballot: Ballot; readonly nonce: number; readonly slot: Slot }

/** The leader of `ballot` asks a caught-up member to campaign at once (rule 12). */
export interface TransferLeadership { readonly type: "transferLeadership"; readonly ballot: Ballot; readonly nonce: number }

export type Message =
  | PreVote | PreVoteReply
  | Prepare | PromiseReply | PromiseNeedsSnapshot | Reject
  | Accept | Accepted | AcceptGap
  | Heartbeat | HeartbeatReply
  | CatchUp | ChosenEntries | NeedsSnapshot
  | ReadIndexRequest | ReadIndexReply
  | TransferLeadership;

export type MessageType = Message["type"];

/** A message on its way. It may leave only once the record numbered `afterRecord` is durable (rule 5); 0: at once. */
export interface OutgoingMessage {
  readonly to: Incarnation;
  readonly message: Message;
  readonly afterRecord: number;
}
