import type { Role } from "../paxos/interface.ts";

/** The links to the peer of one name, as a scrape wants to know of them. Counts grow over the life of the process. */
export interface PeerSample {
  readonly name: string;
  readonly up: boolean;
  /** Why there is no link is that one side refused it. */
  readonly refused: boolean;
  /** How many chosen slots the peer does not hold yet, as far as this member, which leads, has heard; null: it has not. */
  readonly lagSlots: number | null;
  readonly queuedBytes: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  readonly dropped: number;
  readonly connects: number;
}

/** What a scrape wants to know of the member at that moment. */
export interface MemberSample {
  readonly version: string;
  readonly member: string;
  readonly incarnation: string;
  /** The cluster's id, empty before the founding. */
  readonly cluster: string;
  readonly role: Role;
  readonly ready: boolean;
  /** Why the member does not vote any more, as one word; null while it does. */
  readonly fence: "corrupt" | "copied" | "disk" | null;
  /** Its state is not that of the majority, or there is no majority of one state. */
  readonly diverged: boolean;
  readonly diskFull: boolean;
  readonly ballotRound: number;
  /** Highest slot known to be chosen. */
  readonly chosenSlot: number;
  readonly appliedSlot: number;
  readonly snapshotSlot: number;
  readonly configurationSlot: number;
  readonly voters: number;
  readonly learners: number;
  /** How many voters are a quorum; 0 before the founding. */
  readonly quorum: number;
  /** Voters that this member has a link to, and itself if it votes. */
  readonly reachableVoters: number;
  readonly revision: number;
  readonly keys: number;
  readonly sessions: number;
  readonly idempotencyKeys: number;
  readonly logBytes: number;
  readonly logSegments: number;
  readonly bytesSinceSnapshot: number;
  readonly snapshotBytes: number;
  /** Bytes of records that wait for the sync under way to end. */
  readonly unsyncedBytes: number;
  /** Bytes of proposed values that are not chosen yet; 0 on a member that does not lead. */
  readonly unchosenBytes: number;
  readonly peers: readonly PeerSample[];
  /** Items that wait in the member's bounded queues, by the queue's name. */
  readonly queues: Readonly<Record<string, number>>;
}
