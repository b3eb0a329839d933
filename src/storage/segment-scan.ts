import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { LogRecord } from "../paxos/records.ts";
import { type Batch, type LogPosition, readBatch } from "./batch-codec.ts";
import { corrupt, decodeOrCorrupt } from "./corrupt.ts";
import { MIN_RECORD_BYTES, readRecord } from "./record-codec.ts";
import { isZero, SECTOR_BYTES, sectorTag, tagOf } from "./sector.ts";
import { readSegmentHeader, type SegmentHeader } from "./segment-header.ts";

/** A segment file as it was read. */
export interface SegmentBytes {
  readonly file: string;
  readonly segment: number;
  readonly bytes: Uint8Array;
}

/** A batch with its records read. */
export interface ScannedBatch {
  readonly offset: number;
  readonly end: number;
  readonly sequence: number;
  readonly firstRecord: number;
  readonly synced: LogPosition;
  readonly records: readonly LogRecord[];
  readonly payloadBytes: number;
}

/** The number of the record that follows a batch. */
export function recordAfter({ firstRecord, records }: ScannedBatch): number {
  return firstRecord + records.length;
}

/** A segment's first batch, which says what the segment is. */
export interface SegmentStart {
  readonly header: SegmentHeader;
  readonly batch: ScannedBatch;
}

/**
 * Reads the batch that opens a segment. Null when that batch was never completely written, so that nothing in the segment
 * was ever made durable. Throws `SYNOD_ERR_CORRUPT` when it is neither.
 */
export function readSegmentStart(source: SegmentBytes, incarnation: Incarnation): SegmentStart | null {
  if (isZero(source.bytes, 0, source.bytes.length)) return null;
  const { file, segment, bytes } = source;
  const read = readBatch(bytes, { incarnation, segment, offset: 0 });
  if (read.kind === "unwritten" || read.kind === "torn") return null;
  if (read.kind === "bad") throw corrupt(file, 0, read.why);
  const { batch, end } = read;
  return decodeOrCorrupt(file, 0, () => {
    if (!batch.opensSegment) throw new DecodeError("the segment does not begin with its header");
    const reader = new ByteReader(batch.payload);
    const header = readSegmentHeader(reader);
    if (header.segment !== segment) throw new DecodeError(`the header names segment ${header.segment}`);
    if (header.sizeBytes !== bytes.length) throw new DecodeError(`${bytes.length} bytes long, not ${header.sizeBytes}`);
    if (batch.synced.segment >= segment) throw new DecodeError("the segment before this one has no lower number");
    return { header, batch: scanned(batch, 0, end, readRecords(reader, batch.recordCount)) };
  });
}

/**
 * Reads the batches that follow a segment's first. With `end`, each byte up to there was once synced, so anything wrong is
 * corruption. Without, this is the last segment: its last batch may not have been completely written, and is discarded.
 */
export function readFollowingBatches(
  source: SegmentBytes, incarnation: Incarnation, first: ScannedBatch, end: number | null,
): ScannedBatch[] {
  const { file, segment, bytes } = source;
  const batches: ScannedBatch[] = [];
  let last = first;
  while (last.end < (end ?? bytes.length)) {
    const offset = last.end;
    const read = readBatch(bytes, { incarnation, segment, offset });
    if (read.kind === "bad") throw corrupt(file, offset, read.why);
    if (read.kind !== "batch") {
      if (end !== null) throw corrupt(file, offset, "never written, though a later header says it was synced");
      checkTornTail(source, offset, last.sequence + 1, read.kind === "torn" ? read.end : bytes.length);
      break;
    }
    last = decodeOrCorrupt(file, offset, () => readFollowing(read.batch, last, { segment, offset }, read.end));
    batches.push(last);
  }
  if (end !== null && last.end !== end) throw corrupt(file, end, "a batch reaches past the end that the next segment names");
  return batches;
}

/**
 * A batch was never completely written when a sector of it is all zero (rule 14); then nothing of it was acknowledged. As a
 * later batch is written only after the sync of the one before it, sectors of a later one prove that the zeros are damage.
 */
function checkTornTail({ file, bytes }: SegmentBytes, offset: number, sequence: number, end: number): void {
  const tag = tagOf(sequence);
  for (let at = offset; at < bytes.length; at += SECTOR_BYTES) {
    const whole = at + SECTOR_BYTES <= bytes.length;
    if (isZero(bytes, at, Math.min(bytes.length, at + SECTOR_BYTES))) continue;
    if (!whole || at >= end || sectorTag(bytes, at) !== tag) {
      throw corrupt(file, at, `a sector follows the batch at ${offset}, of which a sector was never written`);
    }
  }
}

/**
 * A segment whose opening batch was never completely written may hold sectors of that batch only. It was either the next
 * after `lastSequence`, or a repetition of that one (see `recoverLog`).
 */
export function checkUnopenedSegment({ file, bytes }: SegmentBytes, lastSequence: number): void {
  let found = 0;
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES);
    if (isZero(bytes, at, end)) continue;
    const tag = end - at === SECTOR_BYTES ? sectorTag(bytes, at) : 0;
    const expected = tag === tagOf(lastSequence + 1) || (lastSequence > 0 && tag === tagOf(lastSequence));
    if (!expected || (found !== 0 && tag !== found)) throw corrupt(file, at, "a written sector in a segment without a header");
    found = tag;
  }
}

function readFollowing(batch: Batch, last: ScannedBatch, place: LogPosition, end: number): ScannedBatch {
  if (batch.opensSegment) throw new DecodeError("a segment header inside a segment");
  if (batch.sequence !== last.sequence + 1) throw new DecodeError(`batch ${batch.sequence} follows batch ${last.sequence}`);
  if (batch.firstRecord !== recordAfter(last)) throw new DecodeError("records are missing before this batch");
  if (batch.synced.segment !== place.segment || batch.synced.offset !== place.offset) {
    throw new DecodeError("the batch before this one was not synced");
  }
  return scanned(batch, place.offset, end, readRecords(new ByteReader(batch.payload), batch.recordCount));
}

function scanned(batch: Batch, offset: number, end: number, records: LogRecord[]): ScannedBatch {
  const { sequence, firstRecord, synced, payload } = batch;
  return { offset, end, sequence, firstRecord, synced, records, payloadBytes: payload.length };
}

function readRecords(reader: ByteReader, count: number): LogRecord[] {
  if (count * MIN_RECORD_BYTES > reader.remaining) throw new DecodeError(`${count} records exceed the batch`);
  const records: LogRecord[] = [];
  for (let index = 0; index < count; index++) records.push(readRecord(reader));
  reader.end();
  return records;
}
