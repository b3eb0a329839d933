import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { assert } from "../codec/assert.ts";
import type { DiskThreadMemory, DiskThreadReply } from "./disk-thread-main.ts";
import type { WriteDone } from "./durable-writer.ts";

/** More than a batch of the log usually takes. */
const DATA_BYTES = 2 * 1024 * 1024;
const HEAP_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 };
const MAIN = join(import.meta.dirname, `disk-thread-main${extname(import.meta.filename)}`);

/**
 * A thread that writes and syncs. Node's own asynchronous calls hand a write to another thread, are told of its end, and hand over
 * the sync: two wake-ups of each side, where a wake-up costs about half of what the disk itself takes. Here there is one. A disk
 * that hangs holds up this thread only, so the member still notices and steps down (rule 9).
 */
export class DiskThread {
  static readonly MAX_BYTES = DATA_BYTES;

  readonly #memory: DiskThreadMemory = {
    turn: new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)),
    order: new Float64Array(new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT)),
    data: new Uint8Array(new SharedArrayBuffer(DATA_BYTES)),
  };
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #waiting: WriteDone | null = null;
  #broken: Error | null = null;

  constructor() {
    this.#worker = new Worker(MAIN, { workerData: this.#memory, resourceLimits: HEAP_LIMITS, name: "disk" });
    this.#worker.on("message", (reply: DiskThreadReply) => this.#answered(reply));
    this.#worker.on("error", (error) => this.#break(error instanceof Error ? error : new Error(String(error))));
    this.#ended = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#break(new Error("the thread that writes to the disk has ended"));
        resolve();
      });
    });
  }

  /** Writes all of `bytes`, at most `MAX_BYTES`, at `position` of the open file `fd`, and syncs the file. One at a time. */
  write(fd: number, bytes: Uint8Array, position: number, tell: WriteDone): void {
    assert(this.#waiting === null, "one write is under way at a time");
    assert(bytes.length <= DATA_BYTES, "a write fits the shared memory");
    if (this.#broken !== null) return queueMicrotask(() => tell(this.#broken));
    const { order, data } = this.#memory;
    data.set(bytes);
    order.set([fd, bytes.length, position]);
    this.#waiting = tell;
    this.#wake();
  }

  /** Ends the thread, after the write under way. */
  async close(): Promise<void> {
    if (this.#broken === null) {
      Atomics.store(this.#memory.turn, 1, 1);
      this.#wake();
    }
    await this.#ended;
  }

  /** The number comes round after 2^32 orders, which is no harm: the thread only asks whether it changed. */
  #wake(): void {
    Atomics.add(this.#memory.turn, 0, 1);
    Atomics.notify(this.#memory.turn, 0);
  }

  #answered(reply: DiskThreadReply): void {
    this.#end(reply === null ? null : Object.assign(new Error(reply.message), { code: reply.code }));
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#end(this.#broken);
  }

  #end(error: Error | null): void {
    const tell = this.#waiting;
    this.#waiting = null;
    tell?.(error);
  }
}
