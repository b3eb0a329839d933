import type { SnapshotHandle } from "../paxos/records.ts";
import type { StateSnapshot } from "../state/snapshot.ts";

/** One that could not be taken is tried again after this time: on a full disk each attempt costs as much as a success. */
const RETRY_MS = 2_000;

export interface SnapshotTakerPort {
  nowMs(): number;
  /** Bytes of records since the last snapshot. */
  bytesSinceSnapshot(): number;
  /** Bytes of the newest snapshot; 0 when there is none. */
  snapshotBytes(): number;
  /** The applied state and what it stands for, frozen; null when it cannot be taken now. */
  freeze(): { readonly handle: SnapshotHandle; readonly snapshot: StateSnapshot } | null;
  write(handle: SnapshotHandle, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  taken(handle: SnapshotHandle): void;
  failed(error: unknown): void;
}

/** Takes a snapshot when the log has grown by so many bytes, or by as many as the last one has, one at a time: the log stays bounded in bytes (rule 20). */
export class SnapshotTaker {
  readonly #port: SnapshotTakerPort;
  readonly #everyBytes: number;
  #running: Promise<void> | null = null;
  #requested = false;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(port: SnapshotTakerPort, everyBytes: number) {
    this.#port = port;
    this.#everyBytes = everyBytes;
  }

  /** Takes one as soon as possible, whatever the log's size: a peer needs it. */
  request(): void {
    this.#requested = true;
  }

  get running(): Promise<void> | null {
    return this.#running;
  }

  /** Whether a snapshot is being taken, or is to be taken by the next `tick` for which the time has come. */
  get busy(): boolean {
    if (this.#running !== null || this.#requested) return true;
    const logged = this.#port.bytesSinceSnapshot();
    // Not before as much was logged as a snapshot takes: so the writing of snapshots costs no more than that of the log.
    return logged >= this.#everyBytes && logged >= this.#port.snapshotBytes();
  }

  tick(): void {
    if (this.#running !== null || this.#port.nowMs() < this.#notBeforeMs || !this.busy) return;
    const frozen = this.#port.freeze();
    if (frozen === null) return;
    this.#requested = false;
    this.#running = this.#take(frozen.handle, frozen.snapshot).finally(() => (this.#running = null));
  }

  async #take(handle: SnapshotHandle, snapshot: StateSnapshot): Promise<void> {
    try {
      await this.#port.write(handle, eachInItsTurn(snapshot.chunks()));
      this.#port.taken(handle);
    } catch (error) {
      this.#notBeforeMs = this.#port.nowMs() + RETRY_MS;
      this.#port.failed(error);
    }
  }
}

/** The event loop turns between any two chunks, because the writer waits for the disk there. */
async function* eachInItsTurn(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
