import type { FileHandle } from "./interface.ts";

/** Writes bytes and syncs them, for the log, where nothing else costs as much. One write at a time. */
export interface DurableWriter {
  /** The bytes are durable when this resolves. Throws what the disk reports of the write or of the sync. */
  write(file: FileHandle, bytes: Uint8Array, position: number): Promise<void>;
  /** Waits for the write under way. Nothing is written afterwards. */
  close(): Promise<void>;
}

/** A write, then a sync, each on its own. */
export const twoStepWriter: DurableWriter = {
  async write(file, bytes, position) {
    await file.write(bytes, position);
    await file.datasync();
  },
  close: async () => {},
};
