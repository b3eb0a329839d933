import { fdatasyncSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** What the disk thread shares with the thread that commands it. */
export interface DiskThreadMemory {
  /** A number that changes with each order, and one that becomes 1 when there will be no more. */
  readonly turn: Int32Array;
  /** The order: file descriptor, bytes, position in the file. */
  readonly order: Float64Array;
  readonly data: Uint8Array;
}

/** What the disk thread answers: null when the bytes are durable, else what the disk reported. */
export type DiskThreadReply = null | { readonly code: string | undefined; readonly message: string };

/** Waits for orders and carries them out. The thread does nothing else, so it may block. */
function main({ turn, order, data }: DiskThreadMemory): void {
  for (let done = 0; ; ) {
    Atomics.wait(turn, 0, done);
    done = Atomics.load(turn, 0);
    if (Atomics.load(turn, 1) === 1) return;
    parentPort?.postMessage(carryOut(order, data));
  }
}

function carryOut(order: Float64Array, data: Uint8Array): DiskThreadReply {
  const [fd = -1, length = 0, position = 0] = order;
  try {
    for (let written = 0; written < length; ) {
      const count = writeSync(fd, data, written, length - written, position + written);
      if (count === 0) throw new Error("the disk took no bytes");
      written += count;
    }
    fdatasyncSync(fd);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { code, message };
  }
}

main(workerData as DiskThreadMemory);
