import { ZERO_BALLOT } from "../paxos/ballot.ts";
import type { Slot } from "../paxos/ids.ts";
import type { LogRecord, RecoveredEntry, RecoveredState, SnapshotHandle } from "../paxos/records.ts";
import { LogSummary } from "./log-summary.ts";
import { recordBytesBound } from "./record-codec.ts";
import type { SegmentHeader } from "./segment-header.ts";

/** Builds what the core needs to know from the records of the log, noted in order, above a snapshot. */
export class RecoveredStateBuilder {
  readonly summary = new LogSummary();
  /** Bytes of records above the snapshot. */
  bytesAboveSnapshot = 0;
  readonly #snapshot: SnapshotHandle | null;
  readonly #entries = new Map<Slot, RecoveredEntry>();

  constructor(snapshot: SnapshotHandle | null) {
    this.#snapshot = snapshot;
  }

  noteHeader(header: SegmentHeader): void {
    this.summary.merge(header);
  }

  note(record: LogRecord): void {
    this.summary.note(record);
    if (record.type !== "accepted" && record.type !== "learned") return;
    const { slot, value } = record;
    if (slot <= (this.#snapshot?.slot ?? 0)) return;
    this.bytesAboveSnapshot += recordBytesBound(record);
    const learned = record.type === "learned";
    this.#entries.set(slot, { slot, ballot: learned ? ZERO_BALLOT : record.ballot, value, learned });
  }

  finish(): RecoveredState {
    const entries = [...this.#entries.values()].sort((a, b) => a.slot - b.slot);
    const { promised, ownRound } = this.summary;
    return { promised, ownRound, snapshot: this.#snapshot, entries, chosenThrough: this.#chosenThrough() };
  }

  /** Never beyond what the snapshot and the entries hold without a gap. */
  #chosenThrough(): Slot {
    let through = (this.#snapshot?.slot ?? 0) as Slot;
    while (through < this.summary.chosenThrough && this.#entries.has((through + 1) as Slot)) through = (through + 1) as Slot;
    return through;
  }
}
