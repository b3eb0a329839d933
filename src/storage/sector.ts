import { Buffer } from "node:buffer";
import { assert } from "../codec/assert.ts";

/**
 * What a disk writes whole or not at all. Each sector of a log carries the tag of the batch that wrote it in its last four
 * bytes. Tags are never 0, so a sector that was never written is all zero, and every other one names its batch.
 */
export const SECTOR_BYTES = 512;
/** Bytes of a batch in one sector. */
export const SECTOR_PAYLOAD_BYTES = 508;

const ZEROS = Buffer.alloc(64 * 1024);

/** The tag of the batch numbered `sequence`: 1 to 2^32 - 1. */
export function tagOf(sequence: number): number {
  return (sequence % 0xffffffff) + 1;
}

/** How many sectors a batch of `bytes` bytes takes. */
export function sectorsFor(bytes: number): number {
  return Math.ceil(bytes / SECTOR_PAYLOAD_BYTES);
}

/** Memory for the sectors of one batch after the other, so that batches cost no new memory. */
export class SectorBuffer {
  /** A larger batch gets memory of its own, which is not kept. */
  static readonly MAX_KEPT_BYTES = 1024 * 1024;
  #bytes = new Uint8Array(16 * 1024);

  /** `length` bytes of any content, the caller's until the next call. */
  take(length: number): Uint8Array {
    if (length > SectorBuffer.MAX_KEPT_BYTES) return new Uint8Array(length);
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    return this.#bytes.subarray(0, length);
  }
}

/** Lays a batch's header and payload out in sectors, zero-padded at the end. */
export function packSectors(header: Uint8Array, payload: Uint8Array, tag: number, buffer: SectorBuffer): Uint8Array {
  assert(header.length < SECTOR_PAYLOAD_BYTES, "the header lies in the first sector");
  const count = sectorsFor(header.length + payload.length);
  const sectors = buffer.take(count * SECTOR_BYTES);
  sectors.set(header);
  let from = 0;
  for (let start = 0; start < sectors.length; start += SECTOR_BYTES) {
    const at = start === 0 ? header.length : start;
    const end = start + SECTOR_PAYLOAD_BYTES;
    const length = Math.min(payload.length - from, end - at);
    sectors.set(length === payload.length ? payload : payload.subarray(from, from + length), at);
    sectors.fill(0, at + length, end);
    writeTag(sectors, end, tag);
    from += length;
  }
  assert(from === payload.length, "the sectors hold the whole batch");
  return sectors;
}

function writeTag(bytes: Uint8Array, at: number, tag: number): void {
  bytes[at] = tag;
  bytes[at + 1] = tag >>> 8;
  bytes[at + 2] = tag >>> 16;
  bytes[at + 3] = tag >>> 24;
}

/** The batch bytes in `count` sectors from `offset` on, padding included. */
export function unpackSectors(segment: Uint8Array, offset: number, count: number): Uint8Array {
  const batch = new Uint8Array(count * SECTOR_PAYLOAD_BYTES);
  for (let index = 0; index < count; index++) {
    const from = offset + index * SECTOR_BYTES;
    batch.set(segment.subarray(from, from + SECTOR_PAYLOAD_BYTES), index * SECTOR_PAYLOAD_BYTES);
  }
  return batch;
}

/** The tag of the sector at `offset`, which must lie inside `segment`. */
export function sectorTag(segment: Uint8Array, offset: number): number {
  return new DataView(segment.buffer, segment.byteOffset, segment.byteLength).getUint32(offset + SECTOR_PAYLOAD_BYTES, true);
}

/** Whether every byte from `from` up to `to` is zero. */
export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = from; at < to; at += ZEROS.length) {
    const end = Math.min(to, at + ZEROS.length);
    if (buffer.compare(ZEROS, 0, end - at, at, end) !== 0) return false;
  }
  return true;
}
