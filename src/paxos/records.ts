import type { Ballot } from "./ballot.ts";
import type { Configuration } from "./configuration.ts";
import type { Slot } from "./ids.ts";
import type { ValueBytes } from "./messages.ts";

/**
 * What an acceptor must not forget. The core numbers records 1, 2, 3, … within one life of the process, in the order
 * in which it emits them; the storage makes them durable in that order.
 */
export type LogRecord =
  /** The promise rose to `ballot`. */
  | { readonly type: "promised"; readonly ballot: Ballot }
  /** This member is about to campaign at `ballot`: raises the promise and the highest round it ever used (rule 5a). */
  | { readonly type: "campaign"; readonly ballot: Ballot }
  /** `value` was accepted in `slot` at `ballot`; raises the promise too (rule 1). */
  | { readonly type: "accepted"; readonly slot: Slot; readonly ballot: Ballot; readonly value: ValueBytes }
  /** `value` was received as the chosen value of `slot` (rule 3a, case b). */
  | { readonly type: "learned"; readonly slot: Slot; readonly value: ValueBytes }
  /** For each slot up to `through`, what the log holds is chosen. Only shortens recovery: losing it is harmless. */
  | { readonly type: "chosen"; readonly through: Slot }
  /** Carries nothing: an idle leader writes it to see that its disk still answers (rule 9). */
  | { readonly type: "probe" };

/** What a snapshot stands for (rule 20). The core reads all but `checksum`, which belongs to the state. */
export interface SnapshotHandle {
  readonly slot: Slot;
  readonly configuration: Configuration;
  /** The slot of the entry that set the configuration; 0: the founding document did. */
  readonly configurationSlot: Slot;
  /** The highest ballot in any barrier applied up to `slot` (rule 10). */
  readonly leaderBallot: Ballot;
  /** What the member that took it had promised: whoever installs it promises that too, as for every chosen value that it is told of. */
  readonly promised: Ballot;
  /** The cluster id, drawn at its founding. */
  readonly cluster: string;
  /** The running checksum of the applied state at `slot` (rule 6). */
  readonly checksum: number;
}

/** One slot as it was found on disk. */
export interface RecoveredEntry {
  readonly slot: Slot;
  readonly ballot: Ballot;
  readonly value: ValueBytes;
  /** True when the value was learned as chosen, so that the ballot says nothing. */
  readonly learned: boolean;
}

/** All that the core knows when its process starts again. */
export interface RecoveredState {
  readonly promised: Ballot;
  /** The highest round that this incarnation ever campaigned in. */
  readonly ownRound: number;
  readonly snapshot: SnapshotHandle | null;
  /** The last entry written for each slot above the snapshot, in slot order; there may be holes. */
  readonly entries: readonly RecoveredEntry[];
  /** Every slot up to here is chosen, and either in the snapshot or in `entries`. */
  readonly chosenThrough: Slot;
}
