import { assert } from "../codec/assert.ts";
import { type Ballot, ZERO_BALLOT } from "./ballot.ts";
import type { Slot } from "./ids.ts";
import type { ValueBytes } from "./messages.ts";
import type { RecoveredState } from "./records.ts";

/** What one member holds for one slot: the last value it accepted there, or the value it knows to be chosen. */
export interface LogEntry {
  readonly slot: Slot;
  /** The ballot of acceptance; the zero ballot when the value was only learned as chosen. */
  readonly ballot: Ballot;
  readonly value: ValueBytes;
  readonly chosen: boolean;
}

/** Which entries stay when a snapshot covers them. */
export interface Retained {
  /** Bytes of the last of them, for peers that lag a little. */
  readonly bytes: number;
  /** A peer is given the snapshot at this slot and will ask for what lies above it; null: none is. */
  readonly wantedAbove: Slot | null;
  /** Bytes of them that stay for that peer. */
  readonly wantedBytes: number;
}

/**
 * One member's log above its snapshot, in memory. It may have holes: a member can accept a slot before it knows those
 * below. `chosenThrough` is the end of the prefix that is chosen and present (or in the snapshot); only that is applied.
 */
export class ReplicaLog {
  readonly #entries = new Map<number, LogEntry>();
  #cutThrough: Slot;
  #snapshotSlot: Slot;
  #last: Slot;
  #chosenThrough: Slot;

  constructor(recovered: RecoveredState) {
    this.#snapshotSlot = recovered.snapshot?.slot ?? (0 as Slot);
    this.#cutThrough = this.#snapshotSlot;
    this.#last = this.#snapshotSlot;
    this.#chosenThrough = this.#snapshotSlot;
    for (const { slot, ballot, value, learned } of recovered.entries) {
      assert(slot > this.#snapshotSlot, "a recovered entry lies above the snapshot");
      const chosen = learned || slot <= recovered.chosenThrough;
      this.#put({ slot, ballot: learned ? ZERO_BALLOT : ballot, value, chosen });
    }
    this.#advance();
    assert(this.#chosenThrough >= recovered.chosenThrough, "every slot recovered as chosen is present");
  }

  /** Entries up to here are gone from memory; who needs them needs the snapshot (rule 4). */
  get cutThrough(): Slot {
    return this.#cutThrough;
  }

  /** The newest snapshot that a peer can be given. Never below `cutThrough`. */
  get snapshotSlot(): Slot {
    return this.#snapshotSlot;
  }

  /** The highest slot with an entry, or the cut. */
  get last(): Slot {
    return this.#last;
  }

  get chosenThrough(): Slot {
    return this.#chosenThrough;
  }

  get(slot: number): LogEntry | undefined {
    return this.#entries.get(slot);
  }

  /** Whether another value than `value` is known to be chosen in `slot`. */
  refutes(slot: number, value: ValueBytes): boolean {
    const known = this.#entries.get(slot);
    return known?.chosen === true && !bytesEqual(known.value, value);
  }

  /** Holds `value` as accepted in `slot` at `ballot`. A chosen value can be accepted again but never replaced. */
  accept(slot: Slot, ballot: Ballot, value: ValueBytes): void {
    assert(slot > this.#cutThrough, "a slot below the cut is never accepted");
    const known = this.#entries.get(slot);
    if (known?.chosen === true) assertSameValue(slot, known.value, value);
    this.#put({ slot, ballot, value, chosen: known?.chosen === true });
  }

  /** Holds `value` as chosen in `slot`. False when that was known already. */
  learn(slot: Slot, value: ValueBytes): boolean {
    if (slot <= this.#cutThrough) return false;
    const known = this.#entries.get(slot);
    if (known?.chosen === true) {
      assertSameValue(slot, known.value, value);
      return false;
    }
    this.#put({ slot, ballot: ZERO_BALLOT, value, chosen: true });
    this.#advance();
    return true;
  }

  /** Marks what is held in `from` to `through` as chosen. Every one of these slots must be present or below the prefix. */
  markChosen(from: number, through: number): void {
    for (let slot = Math.max(from, this.#chosenThrough + 1); slot <= through; slot++) {
      const entry = this.#entries.get(slot);
      assert(entry !== undefined, () => `slot ${slot} is held when it is marked chosen`);
      if (!entry.chosen) this.#entries.set(slot, { ...entry, chosen: true });
    }
    this.#advance();
  }

  /** Entries from `fromSlot` to `throughSlot` in order, holes left out, until `maxBytes` of values are exceeded; at least one. */
  slice(fromSlot: number, throughSlot: number, maxBytes: number): LogEntry[] {
    const entries: LogEntry[] = [];
    let bytes = 0;
    for (let slot = fromSlot; slot <= throughSlot; slot++) {
      const entry = this.#entries.get(slot);
      if (entry === undefined) continue;
      bytes += entry.value.length;
      if (bytes > maxBytes && entries.length > 0) break;
      entries.push(entry);
    }
    return entries;
  }

  /** A snapshot at `slot` exists: forgets entries at or below it, but for the last of them as far as `retained` says. */
  cut(slot: Slot, retained: Retained): void {
    assert(slot <= this.#chosenThrough, "only what is chosen and present is cut");
    if (slot <= this.#snapshotSlot) return;
    this.#snapshotSlot = slot;
    let bytes = 0;
    let keepFrom: number = slot;
    while (keepFrom > this.#cutThrough) {
      bytes += this.#entries.get(keepFrom)?.value.length ?? 0;
      const wanted = retained.wantedAbove !== null && keepFrom > retained.wantedAbove;
      if (bytes > (wanted ? retained.wantedBytes : retained.bytes)) break;
      keepFrom -= 1;
    }
    this.#dropThrough(keepFrom as Slot);
  }

  /** A snapshot at `slot`, beyond what was chosen and present here, is installed. Keeps what lies above it (rule 21). */
  install(slot: Slot): void {
    assert(slot > this.#chosenThrough, "an installed snapshot advances");
    this.#dropThrough(slot);
    this.#snapshotSlot = slot;
    this.#chosenThrough = slot;
    if (this.#last < slot) this.#last = slot;
    this.#advance();
  }

  #dropThrough(slot: Slot): void {
    for (let gone = this.#cutThrough + 1; gone <= slot; gone++) this.#entries.delete(gone);
    this.#cutThrough = slot;
  }

  #put(entry: LogEntry): void {
    this.#entries.set(entry.slot, entry);
    if (entry.slot > this.#last) this.#last = entry.slot;
  }

  #advance(): void {
    while (this.#entries.get(this.#chosenThrough + 1)?.chosen === true) this.#chosenThrough = (this.#chosenThrough + 1) as Slot;
  }
}

/** Agreement itself: no two values are ever chosen in one slot. */
function assertSameValue(slot: Slot, chosen: ValueBytes, other: ValueBytes): void {
  assert(bytesEqual(chosen, other), () => `slot ${slot} is chosen and was given another value`);
}

/** Whether two byte strings are the same. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
