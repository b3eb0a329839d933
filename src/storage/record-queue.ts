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

/** Encodes all of `records` with `writer`, in which their bytes stay: they are valid until it is used again. */
export function encodeRecords(records: readonly LogRecord[], writer: ByteWriter): EncodedRecords {
  writer.reset();
  let highestSlot = 0;
  for (const record of records) {
    writeRecord(writer, record);
    highestSlot = Math.max(highestSlot, entrySlot(record));
  }
  return { records, bytes: writer.view(), highestSlot };
}

/** Records that wait for the sync under way to end. */
export class RecordQueue {
  #waiting: LogRecord[] = [];
  #waitingBytes = 0;
  /** Encodes one batch after the other, so that a batch costs no new memory. */
  readonly #writer = new ByteWriter();

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

  /** Takes the oldest records, as many as fit `maxBytes`, but at least one when any waits. Their bytes are valid until the next call. */
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
    return encodeRecords(taken, this.#writer);
  }
}
