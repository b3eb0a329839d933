import type { FileHandle } from "./interface.ts";

/** Told once how a write ended: null when the bytes are durable, else what the disk reports of the write or of the sync. */
export type WriteDone = (error: unknown) => void;

/** Writes bytes and syncs them, for the log, where nothing else costs as much. One write at a time. */
export interface DurableWriter {
  /** Calls `tell` later, never before it returns. `bytes` must not change until then. */
  write(file: FileHandle, bytes: Uint8Array, position: number, tell: WriteDone): void;
  /** Waits for the write under way. Nothing is written afterwards. */
  close(): Promise<void>;
}

/** A write, then a sync, each on its own. */
export const twoStepWriter: DurableWriter = {
  write(file, bytes, position, tell) {
    file.write(bytes, position).then(() => file.datasync()).then(() => tell(null), tell);
  },
  close: async () => {},
};
