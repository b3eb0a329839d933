import { crc32 } from "node:zlib";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { readBallot, readConfiguration, readSlot, writeBallot, writeConfiguration } from "../paxos/encoding.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import { decodeOrCorrupt } from "./corrupt.ts";
import type { FileHandle } from "./interface.ts";

const MAGIC = 0x534e5953;
const VERSION = 1;
const CHECKSUM_BYTES = 4;
const MAX_HEADER_BYTES = 64 * 1024;

/** Bytes of state per chunk; each chunk is followed by its checksum, and only the last may be shorter. */
export const CHUNK_BYTES = 64 * 1024;

/** What a snapshot file begins with. */
export interface SnapshotHeader {
  readonly handle: SnapshotHandle;
  /** Bytes of state. */
  readonly size: number;
}

/** The header's bytes: as many for any `size`, so that it can be written last, when the size is known. */
export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const { handle, size } = header;
  const writer = new ByteWriter().u53(size).u53(handle.slot).u53(handle.configurationSlot);
  writeConfiguration(writeBallot(writeBallot(writer, handle.leaderBallot), handle.promised).text(handle.cluster).u53(handle.checksum), handle.configuration);
  const body = writer.view();
  const bytes = new ByteWriter().u32(MAGIC).u32(VERSION).u32(body.length).raw(body);
  return bytes.u32(crc32(bytes.view())).take();
}

/** Reads and checks the header and the file's length. Throws `SYNOD_ERR_CORRUPT`. */
export async function readSnapshotHeader(
  path: string, file: FileHandle,
): Promise<{ readonly header: SnapshotHeader; readonly headerBytes: number }> {
  const fileBytes = await file.size();
  const bytes = await file.read(0, Math.min(fileBytes, MAX_HEADER_BYTES));
  return decodeOrCorrupt(path, 0, () => {
    const { header, headerBytes } = decodeSnapshotHeader(bytes);
    const expected = headerBytes + header.size + Math.ceil(header.size / CHUNK_BYTES) * CHECKSUM_BYTES;
    if (fileBytes !== expected) throw new DecodeError(`${fileBytes} bytes long, not ${expected}`);
    return { header, headerBytes };
  });
}

function decodeSnapshotHeader(bytes: Uint8Array) {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw new DecodeError("no snapshot header");
  const version = reader.u32();
  if (version !== VERSION) throw new DecodeError(`unknown snapshot version ${version}`);
  const body = new ByteReader(reader.bytes());
  const expected = crc32(bytes.subarray(0, reader.position));
  if (reader.u32() !== expected) throw new DecodeError("the header does not match its checksum");
  const header = readBody(body);
  body.end();
  return { header, headerBytes: reader.position };
}

function readBody(body: ByteReader): SnapshotHeader {
  const size = body.u53();
  const slot = readSlot(body);
  const configurationSlot = readSlot(body);
  const leaderBallot = readBallot(body);
  const promised = readBallot(body);
  const cluster = body.text();
  const checksum = body.u53();
  const configuration = readConfiguration(body);
  return { handle: { slot, configuration, configurationSlot, leaderBallot, promised, cluster, checksum }, size };
}

/** Where chunk `index` begins in the file. */
export function chunkOffset(headerBytes: number, index: number): number {
  return headerBytes + index * (CHUNK_BYTES + CHECKSUM_BYTES);
}

/** A chunk with its checksum, which covers the slot and the chunk's place too. */
export function encodeChunk(chunk: Uint8Array, slot: number, index: number): Uint8Array {
  return new ByteWriter(chunk.length + CHECKSUM_BYTES).raw(chunk).u32(chunkChecksum(chunk, slot, index)).take();
}

/** Reads and checks chunk `index`. Throws `SYNOD_ERR_CORRUPT`. */
export async function readChunk(
  path: string, file: FileHandle, { header, headerBytes }: { header: SnapshotHeader; headerBytes: number }, index: number,
): Promise<Uint8Array> {
  const offset = chunkOffset(headerBytes, index);
  const length = Math.min(CHUNK_BYTES, header.size - index * CHUNK_BYTES);
  const bytes = await file.read(offset, length + CHECKSUM_BYTES);
  return decodeOrCorrupt(path, offset, () => {
    const reader = new ByteReader(bytes);
    const chunk = reader.raw(length);
    if (reader.u32() !== chunkChecksum(chunk, header.handle.slot, index)) {
      throw new DecodeError(`chunk ${index} does not match its checksum`);
    }
    return chunk;
  });
}

function chunkChecksum(chunk: Uint8Array, slot: number, index: number): number {
  return crc32(chunk, crc32(new ByteWriter(16).u53(slot).u53(index).view()));
}

