import { crc32 } from "node:zlib";
import { assert } from "../codec/assert.ts";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { crc32 as crc32OfFew } from "../codec/crc32.ts";
import { writeIncarnation } from "../paxos/encoding.ts";
import type { Incarnation } from "../paxos/ids.ts";
import {
  isZero, packSectors, SECTOR_BYTES, SECTOR_PAYLOAD_BYTES, SectorBuffer, sectorsFor, sectorTag, tagOf, unpackSectors,
} from "./sector.ts";

const MAGIC = 0x424e5953;
const HEADER_BYTES = 53;

// Headers and places are so short that a call into zlib costs more than it saves.

/** Used again for each batch; what is written is read before the next one. */
const headerWriter = new ByteWriter(HEADER_BYTES);
const placeWriter = new ByteWriter(32);

/** A byte of a segment. Segment 0 stands for "before the first". */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

/** Where a batch stands. Covered by its checksums, so that a misplaced or foreign batch is not taken for the right one. */
export interface BatchPlace extends LogPosition {
  readonly incarnation: Incarnation;
}

/** What one write and one fdatasync make durable together, or not at all. */
export interface Batch {
  /** 1, 2, 3, … over the life of the folder. */
  readonly sequence: number;
  /** True for the batch at the start of a segment: its payload begins with a segment header. */
  readonly opensSegment: boolean;
  /** The number of its first record, counted from 1 over the life of the folder. */
  readonly firstRecord: number;
  readonly recordCount: number;
  /** The end of the last completed sync when this was written. Everything before it must be valid ever after (rule 14). */
  readonly synced: LogPosition;
  readonly payload: Uint8Array;
}

export type BatchRead =
  | { readonly kind: "batch"; readonly batch: Batch; readonly end: number }
  /** The sector where a header would be is all zero. */
  | { readonly kind: "unwritten" }
  /** The header is valid, but a sector of the batch was never written. */
  | { readonly kind: "torn"; readonly sequence: number; readonly end: number }
  /** Neither zero nor valid. */
  | { readonly kind: "bad"; readonly why: string };

/** Bytes on disk of a batch with a payload of `payloadBytes`. */
export function batchBytes(payloadBytes: number): number {
  return sectorsFor(HEADER_BYTES + payloadBytes) * SECTOR_BYTES;
}

/**
 * The sectors of a batch. The checksums cover the folder's incarnation, which no two folders share, and which exists
 * before the first segment does; the cluster id may come only later, and would add nothing to it.
 * The bytes lie in `buffer` and are valid until it is used again.
 */
export function encodeBatch(batch: Batch, place: BatchPlace, buffer = new SectorBuffer()): Uint8Array {
  const seed = placeChecksum(place);
  const writer = headerWriter.reset()
    .u32(MAGIC).u8(batch.opensSegment ? 1 : 0).u53(batch.sequence).u32(batch.payload.length)
    .u53(batch.firstRecord).u32(batch.recordCount)
    .u53(batch.synced.segment).u53(batch.synced.offset).u32(crc32(batch.payload, seed));
  writer.u32(crc32OfFew(writer.view(), seed));
  assert(writer.length === HEADER_BYTES, "the batch header has its fixed size");
  return packSectors(writer.view(), batch.payload, tagOf(batch.sequence), buffer);
}

/** Reads the batch at `place.offset` of a segment's bytes. Never throws, whatever the bytes are. */
export function readBatch(segment: Uint8Array, place: BatchPlace): BatchRead {
  const { offset } = place;
  if (offset + SECTOR_BYTES > segment.length) return { kind: "bad", why: "the segment ends inside a sector" };
  if (isZero(segment, offset, offset + SECTOR_BYTES)) return { kind: "unwritten" };
  try {
    return readWrittenBatch(segment, place);
  } catch (error) {
    if (error instanceof DecodeError) return { kind: "bad", why: error.message };
    throw error;
  }
}

function readWrittenBatch(segment: Uint8Array, place: BatchPlace): BatchRead {
  const seed = placeChecksum(place);
  const headerBytes = segment.subarray(place.offset, place.offset + HEADER_BYTES);
  const { header, payloadBytes, payloadChecksum } = readHeader(headerBytes, seed);
  const count = sectorsFor(HEADER_BYTES + payloadBytes);
  const end = place.offset + count * SECTOR_BYTES;
  if (end > segment.length) return { kind: "bad", why: "the batch is longer than its segment" };
  let torn = false;
  for (let at = place.offset; at < end; at += SECTOR_BYTES) {
    if (isZero(segment, at, at + SECTOR_BYTES)) torn = true;
    else if (sectorTag(segment, at) !== tagOf(header.sequence)) return { kind: "bad", why: `a sector of another batch at ${at}` };
  }
  if (torn) return { kind: "torn", sequence: header.sequence, end };
  const bytes = unpackSectors(segment, place.offset, count);
  const payload = bytes.subarray(HEADER_BYTES, HEADER_BYTES + payloadBytes);
  if (crc32(payload, seed) !== payloadChecksum) return { kind: "bad", why: "the payload does not match its checksum" };
  if (!isZero(bytes, HEADER_BYTES + payloadBytes, count * SECTOR_PAYLOAD_BYTES)) return { kind: "bad", why: "padding is not zero" };
  return { kind: "batch", batch: { ...header, payload }, end };
}

function readHeader(bytes: Uint8Array, seed: number) {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw new DecodeError("no batch header");
  const opensSegment = reader.boolean();
  const sequence = reader.u53();
  const payloadBytes = reader.u32();
  const firstRecord = reader.u53();
  const recordCount = reader.u32();
  const synced = { segment: reader.u53(), offset: reader.u53() };
  const payloadChecksum = reader.u32();
  const expected = crc32(bytes.subarray(0, reader.position), seed);
  if (reader.u32() !== expected) throw new DecodeError("the batch header does not match its checksum");
  return { header: { sequence, opensSegment, firstRecord, recordCount, synced }, payloadBytes, payloadChecksum };
}

function placeChecksum(place: BatchPlace): number {
  return crc32OfFew(writeIncarnation(placeWriter.reset(), place.incarnation).u53(place.segment).u53(place.offset).view());
}
