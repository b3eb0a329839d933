import { unreachable } from "../codec/assert.ts";
import { type ByteReader, DecodeError } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { readBallot, readSlot, writeBallot } from "../paxos/encoding.ts";
import type { Slot } from "../paxos/ids.ts";
import type { LogRecord } from "../paxos/records.ts";

const PROMISED = 1;
const CAMPAIGN = 2;
const ACCEPTED = 3;
const LEARNED = 4;
const CHOSEN = 5;
const PROBE = 6;

/** The most bytes that a record takes besides its value. */
const MAX_FIXED_BYTES = 64;

/** An upper bound of what `writeRecord` writes for this record. */
export function recordBytesBound(record: LogRecord): number {
  return record.type === "accepted" || record.type === "learned" ? MAX_FIXED_BYTES + record.value.length : MAX_FIXED_BYTES;
}

/** The smallest encoding of any record. */
export const MIN_RECORD_BYTES = 1;

export function writeRecord(writer: ByteWriter, record: LogRecord): void {
  switch (record.type) {
    case "promised":
      writeBallot(writer.u8(PROMISED), record.ballot);
      return;
    case "campaign":
      writeBallot(writer.u8(CAMPAIGN), record.ballot);
      return;
    case "accepted":
      writeBallot(writer.u8(ACCEPTED).u53(record.slot), record.ballot).bytes(record.value);
      return;
    case "learned":
      writer.u8(LEARNED).u53(record.slot).bytes(record.value);
      return;
    case "chosen":
      writer.u8(CHOSEN).u53(record.through);
      return;
    case "probe":
      writer.u8(PROBE);
      return;
    default:
      unreachable(record);
  }
}

/** Reads one record; values are views. Throws `DecodeError`. */
export function readRecord(reader: ByteReader): LogRecord {
  const type = reader.u8();
  switch (type) {
    case PROMISED:
      return { type: "promised", ballot: readBallot(reader) };
    case CAMPAIGN:
      return { type: "campaign", ballot: readBallot(reader) };
    case ACCEPTED:
      return { type: "accepted", slot: readEntrySlot(reader), ballot: readBallot(reader), value: reader.bytes() };
    case LEARNED:
      return { type: "learned", slot: readEntrySlot(reader), value: reader.bytes() };
    case CHOSEN:
      return { type: "chosen", through: readSlot(reader) };
    case PROBE:
      return { type: "probe" };
    default:
      throw new DecodeError(`unknown record type ${type}`);
  }
}

function readEntrySlot(reader: ByteReader): Slot {
  const slot = readSlot(reader);
  if (slot === 0) throw new DecodeError("slots start at 1");
  return slot;
}
