import { assert } from "../codec/assert.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import { corrupt } from "./corrupt.ts";
import type { FileHandle, FileSystem, SnapshotReader } from "./interface.ts";
import { CHUNK_BYTES, chunkOffset, encodeChunk, encodeSnapshotHeader, readChunk, readSnapshotHeader } from "./snapshot-format.ts";

/** Streams a snapshot's state into `file`, one chunk in memory at a time. Returns the bytes of state written. */
export async function writeSnapshotFile(
  file: FileHandle, handle: SnapshotHandle, state: AsyncIterable<Uint8Array>,
): Promise<number> {
  const headerBytes = encodeSnapshotHeader({ handle, size: 0 }).length;
  const chunk = new ByteWriter();
  let index = 0;
  const flush = async (): Promise<void> => {
    await file.write(encodeChunk(chunk.view(), handle.slot, index), chunkOffset(headerBytes, index));
    index += 1;
    chunk.reset();
  };
  for await (const piece of state) {
    for (let at = 0; at < piece.length; ) {
      const taken = Math.min(piece.length - at, CHUNK_BYTES - chunk.length);
      chunk.raw(piece.subarray(at, at + taken));
      at += taken;
      if (chunk.length === CHUNK_BYTES) await flush();
    }
  }
  const size = index * CHUNK_BYTES + chunk.length;
  if (chunk.length > 0) await flush();
  await file.write(encodeSnapshotHeader({ handle, size }), 0);
  return size;
}

/** A snapshot file that is open for reading, shared by those who hold it; the last one to let go closes it. */
export class SnapshotFile {
  readonly handle: SnapshotHandle;
  readonly size: number;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #headerBytes: number;
  #holders = 1;

  private constructor(path: string, file: FileHandle, handle: SnapshotHandle, size: number, headerBytes: number) {
    this.#path = path;
    this.#file = file;
    this.handle = handle;
    this.size = size;
    this.#headerBytes = headerBytes;
  }

  /** Opens a snapshot and checks every byte of it. Throws `SYNOD_ERR_CORRUPT` when one is wrong, or the slot is not `slot`. */
  static async open(fileSystem: FileSystem, path: string, slot: number): Promise<SnapshotFile> {
    const file = await fileSystem.open(path, "read");
    try {
      const { header, headerBytes } = await readSnapshotHeader(path, file);
      if (header.handle.slot !== slot) throw corrupt(path, 0, `holds slot ${header.handle.slot}, not ${slot}`);
      for (let index = 0; index * CHUNK_BYTES < header.size; index++) await readChunk(path, file, { header, headerBytes }, index);
      return new SnapshotFile(path, file, header.handle, header.size, headerBytes);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** One more reader; it must be closed. */
  reader(): SnapshotReader {
    assert(this.#holders > 0, "a closed snapshot file has no readers");
    this.#holders += 1;
    let open = true;
    return {
      handle: this.handle,
      size: this.size,
      read: (offset, length) => {
        assert(open, "the snapshot reader is open");
        return this.#read(offset, length);
      },
      close: async () => {
        if (!open) return;
        open = false;
        await this.release();
      },
    };
  }

  /** Lets go of the file. */
  async release(): Promise<void> {
    this.#holders -= 1;
    assert(this.#holders >= 0, "a snapshot file is released once by each holder");
    if (this.#holders === 0) await this.#file.close();
  }

  async #read(offset: number, length: number): Promise<Uint8Array> {
    assert(offset >= 0 && length >= 0, "a snapshot is read from within");
    const end = Math.min(offset + length, this.size);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    const header = { handle: this.handle, size: this.size };
    for (let index = Math.floor(offset / CHUNK_BYTES); index * CHUNK_BYTES < end; index++) {
      const chunk = await readChunk(this.#path, this.#file, { header, headerBytes: this.#headerBytes }, index);
      const start = index * CHUNK_BYTES;
      const from = Math.max(offset, start);
      bytes.set(chunk.subarray(from - start, Math.min(end, start + chunk.length) - start), from - offset);
    }
    return bytes;
  }
}
