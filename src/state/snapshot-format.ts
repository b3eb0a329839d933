import { DecodeError, type ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import type { IdempotencyEntry } from "./idempotency-table.ts";
import { byteStringOf, bytesOf, type ByteString } from "./key.ts";
import type { KeyTable, StoredRecord } from "./key-table.ts";
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from "./limits.ts";
import { readRemembered, writeRemembered } from "./remembered.ts";
import { Session } from "./session.ts";
import type { StateCounters } from "./state-parts.ts";
import { valueOf } from "./value-arena.ts";

/**
 * A snapshot is a stream of records, each a u32 length and that many bytes, of which the first is the kind: one header, the
 * keys in byte order, idempotency entries by age, sessions by id, one end. Chunks cut the stream anywhere.
 */
export const HEADER = 1;
export const KEY = 2;
export const IDEMPOTENCY = 3;
export const SESSION = 4;
export const END = 5;

/** "SYNS" and the version of this format. */
const MAGIC = 0x534e5953;
const VERSION = 1;

/** No record is longer, so that a false length cannot make a reader wait or allocate for ever. */
export const MAX_RECORD_BYTES = MAX_KEY_BYTES + MAX_VALUE_BYTES + 64;

/** How many records of each kind there were, so that a stream with a hole is noticed. */
export interface SnapshotCounts {
  readonly keys: number;
  readonly idempotency: number;
  readonly sessions: number;
}

export function writeHeader(writer: ByteWriter, counters: StateCounters): void {
  writer.u32(1 + 8 + 6 * 8 + 4).u8(HEADER).u32(MAGIC).u32(VERSION);
  writer.u53(counters.slot).u53(counters.revision).u53(counters.logTimeMs).u32(counters.checksum);
  writer.u53(counters.nextIdempotencyOrdinal).u53(counters.nextSession).u53(counters.uses);
}

export function readHeader(reader: ByteReader): StateCounters {
  if (reader.u32() !== MAGIC) throw new DecodeError("not a snapshot of state");
  const version = reader.u32();
  if (version !== VERSION) throw new DecodeError(`a snapshot of version ${version}; this is version ${VERSION}`);
  return {
    slot: reader.u53(), revision: reader.u53(), logTimeMs: reader.u53(), checksum: reader.u32(),
    nextIdempotencyOrdinal: reader.u53(), nextSession: reader.u53(), uses: reader.u53(),
  };
}

export function writeKey(writer: ByteWriter, key: ByteString, record: Readonly<StoredRecord>): void {
  writer.u32(1 + 3 * 8 + 4 + key.length + record.length).u8(KEY);
  writer.u53(record.createRevision).u53(record.modRevision).u53(record.version);
  writer.bytes(bytesOf(key)).raw(valueOf(record));
}

/** Reads a key's record into `keys`, which copies the value. */
export function readKey(reader: ByteReader, keys: KeyTable): void {
  const createRevision = reader.u53();
  const modRevision = reader.u53();
  const version = reader.u53();
  const key = byteStringOf(reader.bytes());
  keys.load(key, reader.raw(reader.remaining), 0, createRevision, modRevision, version);
}

/** `scratch` is an empty writer, needed because the record's length is not known beforehand. */
export function writeIdempotency(writer: ByteWriter, scratch: ByteWriter, entry: IdempotencyEntry): void {
  scratch.reset().u8(IDEMPOTENCY).u53(entry.ordinal).u53(entry.timeMs).bytes(bytesOf(entry.key));
  writer.bytes(writeRemembered(scratch, entry.remembered).view());
}

export function readIdempotency(reader: ByteReader): IdempotencyEntry {
  const ordinal = reader.u53();
  const timeMs = reader.u53();
  return { ordinal, timeMs, key: byteStringOf(reader.bytes()), remembered: readRemembered(reader) };
}

export function writeSession(writer: ByteWriter, scratch: ByteWriter, session: Session): void {
  scratch.reset().u8(SESSION).u53(session.id).u53(session.acknowledged).u53(session.lastUse).u53(session.lastUseMs);
  scratch.u32(session.results.size);
  session.results.forEachPair((sequence, remembered) => {
    writeRemembered(scratch.u53(sequence), remembered);
  });
  writer.bytes(scratch.view());
}

export function readSession(reader: ByteReader): Session {
  const session = new Session(reader.u53(), 0);
  session.acknowledged = reader.u53();
  session.lastUse = reader.u53();
  session.lastUseMs = reader.u53();
  const count = reader.count(17);
  for (let index = 0; index < count; index++) session.results.set(reader.u53(), readRemembered(reader));
  return session;
}

export function writeEnd(writer: ByteWriter, counts: SnapshotCounts): void {
  writer.u32(1 + 3 * 8).u8(END).u53(counts.keys).u53(counts.idempotency).u53(counts.sessions);
}

export function readEnd(reader: ByteReader): SnapshotCounts {
  return { keys: reader.u53(), idempotency: reader.u53(), sessions: reader.u53() };
}
