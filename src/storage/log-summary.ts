import { type Ballot, maxBallot, ZERO_BALLOT } from "../paxos/ballot.ts";
import type { Slot } from "../paxos/ids.ts";
import type { LogRecord } from "../paxos/records.ts";

/** What a run of records says besides its entries: the part that every segment header repeats (rule 21). Only ever grows. */
export class LogSummary {
  promised: Ballot = ZERO_BALLOT;
  ownRound = 0;
  chosenThrough = 0 as Slot;

  note(record: LogRecord): void {
    switch (record.type) {
      case "promised":
      case "accepted":
        this.promised = maxBallot(this.promised, record.ballot);
        return;
      case "campaign":
        this.promised = maxBallot(this.promised, record.ballot);
        this.ownRound = Math.max(this.ownRound, record.ballot.round);
        return;
      case "chosen":
        this.chosenThrough = Math.max(this.chosenThrough, record.through) as Slot;
        return;
      case "learned":
      case "probe":
        return;
    }
  }

  merge(other: { readonly promised: Ballot; readonly ownRound: number; readonly chosenThrough: Slot }): void {
    this.promised = maxBallot(this.promised, other.promised);
    this.ownRound = Math.max(this.ownRound, other.ownRound);
    this.chosenThrough = Math.max(this.chosenThrough, other.chosenThrough) as Slot;
  }
}

/** The slot whose entry a record holds; 0 for a record without one. */
export function entrySlot(record: LogRecord): number {
  return record.type === "accepted" || record.type === "learned" ? record.slot : 0;
}
