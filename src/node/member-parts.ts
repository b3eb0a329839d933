import type { MemberInfo } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Limits, PaxosEvent, ProposalFailure, Timings } from "../paxos/interface.ts";
import type { Result } from "../state/results.ts";
import type { StateMachine } from "../state/state-machine.ts";
import type { Fence } from "../storage/fence-file.ts";
import type { Founding, Storage } from "../storage/interface.ts";
import type { NodeClock } from "./clock.ts";
import type { PeerCodec } from "./peer-codec.ts";
import type { PeerMessage } from "./peer-messages.ts";

/** The links as a member uses them; the real ones are in src/transport. */
export interface PeerLinks {
  /** False: dropped, as there is no link or too much waits for the peer. `said` is what the bytes say, for who looks on. */
  send(to: Incarnation, message: Uint8Array, lane: "urgent" | "bulk", said: PeerMessage): boolean;
  flush(): void;
  /** From now on these are the members to keep links with. */
  setPeers(peers: readonly MemberInfo[]): void;
  /** A peer said that it holds so many durable records (rule 13). */
  heardRecords?(from: Incarnation, records: number): void;
}

/** Who is told what happens in a member, for metrics, logs and events. Nothing depends on it. */
export interface MemberObserver {
  event(event: PaxosEvent): void;
  proposalsEnded(outcome: "chosen" | ProposalFailure, commands: number): void;
  committed(seconds: number): void;
  /** Commands that this member proposed were applied, and came to this. */
  applied?(results: readonly Result[]): void;
  turnEnded(seconds: number): void;
  dropped(reason: string): void;
  /** The member's disk has become full, or has room again. */
  diskSpace(full: boolean): void;
  /** The member neither votes nor serves any more. */
  fenced(fence: Fence): void;
  /** Something failed that a person may want to know of. */
  warning(message: string, error: unknown): void;
}

export interface MemberParts {
  readonly storage: Storage;
  readonly founding: Founding;
  /** The state of the storage's snapshot, or an empty one. */
  readonly state: StateMachine;
  readonly links: PeerLinks;
  readonly clock: NodeClock;
  readonly nonceSeed: number;
  readonly observer: MemberObserver;
  readonly timings?: Partial<Timings>;
  readonly limits?: Partial<Limits>;
  /** A snapshot is taken when the log has grown by this much since the last one. */
  readonly snapshotBytes?: number;
  /** Bytes of a snapshot in one message, by default 192 KiB; only the simulator sends less. */
  readonly snapshotPartBytes?: number;
  /** How it writes to its peers; a test brings a later one. */
  readonly codec?: PeerCodec;
}
