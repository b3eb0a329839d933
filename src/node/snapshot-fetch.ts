import { assert } from "../codec/assert.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import type { StateLimits } from "../state/limits.ts";
import { StateRestorer } from "../state/restorer.ts";
import type { StateMachine } from "../state/state-machine.ts";
import type { PeerMessage } from "./peer-messages.ts";

/** A part is asked for again when it did not come within this time, and given up after so many times: a peer may restart meanwhile. */
const RETRY_MS = 1_000;
const MAX_RETRIES = 15;

export interface SnapshotFetchPort {
  /** Those of all members. */
  readonly limits: StateLimits;
  nowMs(): number;
  send(to: Incarnation, message: PeerMessage): void;
  /** Makes the snapshot durable: resolves once it is synced and verified. */
  write(handle: SnapshotHandle, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** The snapshot is durable and restored: put it in place. */
  install(handle: SnapshotHandle, state: StateMachine): void;
  failed(error: unknown): void;
}

type Chunk = Extract<PeerMessage, { type: "snapshotChunk" }>;

/** One snapshot under way from one peer: asked for part by part, written and restored as the parts come. */
export class SnapshotFetch {
  readonly from: Incarnation;
  readonly minSlot: Slot;
  readonly #port: SnapshotFetchPort;
  readonly #restorer: StateRestorer;
  #handle: SnapshotHandle | null = null;
  #size = 0;
  #offset = 0;
  #askedAtMs = 0;
  #retries = 0;
  #ended = false;
  #consumed = false;
  /** The part that came and was not written yet, and who waits for one. At most one part is held. */
  #part: Uint8Array | null = null;
  #wake: (() => void) | null = null;

  constructor(port: SnapshotFetchPort, from: Incarnation, minSlot: Slot) {
    this.#port = port;
    this.#restorer = new StateRestorer(port.limits);
    this.from = from;
    this.minSlot = minSlot;
    this.#ask();
  }

  /** Over, one way or the other. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Every part came. From then on nothing is given up: the snapshot will be on disk, so the state must follow. */
  get #complete(): boolean {
    return this.#handle !== null && this.#offset === this.#size;
  }

  #ask(): void {
    this.#askedAtMs = this.#port.nowMs();
    const slot = this.#handle?.slot ?? (0 as Slot);
    this.#port.send(this.from, { type: "snapshotRequest", minSlot: this.minSlot, slot, offset: this.#offset });
  }

  take(from: Incarnation, chunk: Chunk): void {
    if (this.#ended || from !== this.from || chunk.offset !== this.#offset || this.#part !== null) return;
    if (this.#handle === null) this.#begin(chunk);
    if (this.#handle?.slot !== chunk.handle.slot || this.#size !== chunk.size) return;
    if (chunk.bytes.length === 0 && this.#offset < this.#size) return;
    this.#retries = 0;
    this.#offset += chunk.bytes.length;
    this.#part = chunk.bytes.slice();
    this.#wake?.();
  }

  #begin(chunk: Chunk): void {
    if (chunk.handle.slot < this.minSlot) return;
    this.#handle = chunk.handle;
    this.#size = chunk.size;
    void this.#finish(chunk.handle);
  }

  async #finish(handle: SnapshotHandle): Promise<void> {
    try {
      await this.#port.write(handle, this.#parts());
      // A snapshot that the member took itself meanwhile, at that slot or above, is as good: then nothing of this one was taken.
      if (!this.#consumed) return;
      const state = this.#restorer.finish();
      assert(state.checksum === handle.checksum, "a snapshot restores to the checksum in its handle");
      if (!this.#ended) this.#port.install(handle, state);
    } catch (error) {
      this.#port.failed(error);
    } finally {
      this.#ended = true;
    }
  }

  async *#parts(): AsyncGenerator<Uint8Array> {
    this.#consumed = true;
    let written = 0;
    while (written < this.#size) {
      while (this.#part === null) {
        if (this.#ended) throw new Error("the transfer was given up");
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      const part = this.#part;
      this.#part = null;
      written += part.length;
      if (this.#offset < this.#size) this.#ask();
      this.#restorer.push(part);
      yield part;
    }
  }

  unavailable(from: Incarnation): void {
    if (from === this.from) this.giveUp();
  }

  /** Asks again, or gives up, when the peer is silent. */
  tick(): void {
    if (this.#ended || this.#complete || this.#part !== null || this.#port.nowMs() - this.#askedAtMs < RETRY_MS) return;
    this.#retries += 1;
    if (this.#retries > MAX_RETRIES) return this.giveUp();
    this.#ask();
  }

  giveUp(): void {
    if (this.#ended || this.#complete) return;
    this.#ended = true;
    this.#wake?.();
  }
}
