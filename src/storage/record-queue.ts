import { ByteWriter } from "../codec/byte-writer.ts";
import type { LogRecord } from "../paxos/records.ts";
import { entrySlot } from "./log-summary.ts";
import { recordBytesBound, writeRecord } from "./record-codec.ts";

/** Records encoded for one batch. */
export interface EncodedRecords {
  readonly records: readonly LogRecord[];
  readonly bytes: Uint8Array;
  readonly highestSlot: number;
}

/** Encodes all of `records`. */
export function encodeRecords(records: readonly LogRecord[]): EncodedRecords {
  const writer = new ByteWriter(records.reduce((sum, record) => sum + recordBytesBound(record), 0));
  let highestSlot = 0;
  for (const record of records) {
    writeRecord(writer, record);
    highestSlot = Math.max(highestSlot, entrySlot(record));
  }
  return { records, bytes: writer.finish(), highestSlot };
}

/** Records that wait for the sync under way to end. */
export class RecordQueue {
  #waiting: LogRecord[] = [];
  #waitingBytes = 0;

  get length(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#waitingBytes;
  }

  push(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.#waiting.push(record);
      this.#waitingBytes += recordBytesBound(record);
    }
  }

  /** Takes the oldest records, as many as fit `maxBytes`, but at least one when any waits. */
  take(maxBytes: number): EncodedRecords {
    let count = 0;
    let bytes = 0;
    for (const record of this.#waiting) {
      const size = recordBytesBound(record);
      if (count > 0 && bytes + size > maxBytes) break;
      bytes += size;
      count += 1;
    }
    const taken = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count);
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    this.#waitingBytes -= bytes;
    return encodeRecords(taken);
  }
}
