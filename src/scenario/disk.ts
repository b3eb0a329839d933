import { assert } from "../codec/assert.ts";
import { type Ballot, maxBallot, ZERO_BALLOT } from "../paxos/ballot.ts";
import type { Slot } from "../paxos/ids.ts";
import type { LogRecord, RecoveredEntry, RecoveredState } from "../paxos/records.ts";
import type { ReplicaSnapshot } from "./replica.ts";

/**
 * One member's disk over all its lives. Records are durable once synced; a crash loses those that are not. Like the real
 * log it keeps the highest promise and own round whatever is cut (rule 21).
 */
export class Disk {
  /** Sync whatever is recorded at once; otherwise only when the scenario says so. */
  automatic = true;
  #unsynced: LogRecord[] = [];
  /** The number of the last durable record of this life. */
  #durable = 0;
  #promised: Ballot = ZERO_BALLOT;
  #ownRound = 0;
  #chosenThrough = 0;
  readonly #entries = new Map<number, RecoveredEntry>();
  #snapshot: ReplicaSnapshot | null = null;

  /** The highest ballot that a durable record promises. */
  get promised(): Ballot {
    return this.#promised;
  }

  get ownRound(): number {
    return this.#ownRound;
  }

  get durable(): number {
    return this.#durable;
  }

  get unsynced(): readonly LogRecord[] {
    return this.#unsynced;
  }

  get snapshot(): ReplicaSnapshot | null {
    return this.#snapshot;
  }

  /** What is durable for each slot above the snapshot. */
  get entries(): ReadonlyMap<number, RecoveredEntry> {
    return this.#entries;
  }

  /** Every slot up to here is held, and durably known to be chosen. */
  get chosenThrough(): number {
    let through: number = this.#snapshot?.handle.slot ?? 0;
    while (through < this.#chosenThrough && this.#entries.has(through + 1)) through += 1;
    return through;
  }

  append(records: readonly LogRecord[], firstRecord: number): void {
    if (records.length === 0) return;
    assert(firstRecord === this.#durable + this.#unsynced.length + 1, "records are numbered without a gap");
    this.#unsynced.push(...records);
  }

  /** Makes the oldest `count` records durable, all by default, and returns them. */
  sync(count = this.#unsynced.length): readonly LogRecord[] {
    const synced = this.#takeUnsynced(count);
    for (const record of synced) this.#keep(record);
    this.#durable += synced.length;
    return synced;
  }

  #takeUnsynced(count: number): readonly LogRecord[] {
    if (count < this.#unsynced.length) return this.#unsynced.splice(0, count);
    const all = this.#unsynced;
    this.#unsynced = [];
    return all;
  }

  /** Loses what is not durable; a new life numbers its records from 1 again. */
  crash(): void {
    this.#unsynced = [];
    this.#durable = 0;
  }

  /** Keeps a snapshot, synced at once, in place of an older one and of the records that it covers (rule 20). */
  writeSnapshot(snapshot: ReplicaSnapshot): void {
    const { slot } = snapshot.handle;
    if (slot <= (this.#snapshot?.handle.slot ?? 0)) return;
    this.#snapshot = snapshot;
    for (const at of this.#entries.keys()) if (at <= slot) this.#entries.delete(at);
  }

  recover(): RecoveredState {
    const entries = [...this.#entries.values()].sort((a, b) => a.slot - b.slot);
    const snapshot = this.#snapshot?.handle ?? null;
    return { promised: this.#promised, ownRound: this.#ownRound, snapshot, entries, chosenThrough: this.chosenThrough as Slot };
  }

  #keep(record: LogRecord): void {
    switch (record.type) {
      case "promised":
        this.#promised = maxBallot(this.#promised, record.ballot);
        return;
      case "campaign":
        this.#promised = maxBallot(this.#promised, record.ballot);
        this.#ownRound = Math.max(this.#ownRound, record.ballot.round);
        return;
      case "accepted":
        this.#promised = maxBallot(this.#promised, record.ballot);
        return this.#keepEntry({ slot: record.slot, ballot: record.ballot, value: record.value, learned: false });
      case "learned":
        return this.#keepEntry({ slot: record.slot, ballot: ZERO_BALLOT, value: record.value, learned: true });
      case "chosen":
        this.#chosenThrough = Math.max(this.#chosenThrough, record.through);
        return;
      case "probe":
    }
  }

  #keepEntry(entry: RecoveredEntry): void {
    if (entry.slot > (this.#snapshot?.handle.slot ?? 0)) this.#entries.set(entry.slot, entry);
  }
}
