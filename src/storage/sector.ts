import { Buffer } from "node:buffer";

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

/** Lays a batch out in sectors, zero-padded at the end. */
export function packSectors(batch: Uint8Array, tag: number): Uint8Array {
  const count = sectorsFor(batch.length);
  const sectors = new Uint8Array(count * SECTOR_BYTES);
  const view = new DataView(sectors.buffer);
  for (let index = 0; index < count; index++) {
    const from = index * SECTOR_PAYLOAD_BYTES;
    sectors.set(batch.subarray(from, from + SECTOR_PAYLOAD_BYTES), index * SECTOR_BYTES);
    view.setUint32(index * SECTOR_BYTES + SECTOR_PAYLOAD_BYTES, tag, true);
  }
  return sectors;
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
