import type { Incarnation, Slot } from "../paxos/ids.ts";
import type { SnapshotReader, Storage } from "../storage/interface.ts";
import type { PeerMessage } from "./peer-messages.ts";

/** Bytes of state in one message. */
const CHUNK_BYTES = 192 * 1024;
/** Transfers that are served at once; one that nobody asked for in this long is forgotten. */
const MAX_TRANSFERS = 16;
const IDLE_MS = 10_000;

export interface SnapshotServerPort {
  nowMs(): number;
  send(to: Incarnation, message: PeerMessage): void;
  /** Has a new snapshot taken as soon as possible. */
  requestSnapshot(): void;
  failed(error: unknown): void;
}

interface Transfer {
  readonly reader: SnapshotReader;
  usedAtMs: number;
}

/** Gives peers the newest snapshot, piece by piece as they ask. The one that was begun stays open until it is no longer asked for. */
export class SnapshotServer {
  readonly #storage: Storage;
  readonly #port: SnapshotServerPort;
  readonly #transfers = new Map<Incarnation, Transfer>();
  readonly #busy = new Set<Incarnation>();

  constructor(storage: Storage, port: SnapshotServerPort) {
    this.#storage = storage;
    this.#port = port;
  }

  /** Answers one request. A peer has one request under way; more are ignored. */
  async answer(from: Incarnation, request: { readonly minSlot: Slot; readonly slot: Slot; readonly offset: number }): Promise<void> {
    if (this.#busy.has(from)) return;
    this.#busy.add(from);
    try {
      const transfer = await this.#transferFor(from, request);
      if (transfer === null) return this.#port.send(from, { type: "snapshotUnavailable", minSlot: request.minSlot });
      transfer.usedAtMs = this.#port.nowMs();
      const { handle, size } = transfer.reader;
      const offset = Math.min(request.offset, size);
      const bytes = await transfer.reader.read(offset, Math.min(CHUNK_BYTES, size - offset));
      this.#port.send(from, { type: "snapshotChunk", handle, size, offset, bytes });
    } catch (error) {
      this.#port.failed(error);
      await this.#forget(from);
    } finally {
      this.#busy.delete(from);
    }
  }

  async #transferFor(from: Incarnation, { minSlot, slot }: { readonly minSlot: Slot; readonly slot: Slot }): Promise<Transfer | null> {
    const known = this.#transfers.get(from);
    if (known !== undefined && slot !== 0 && known.reader.handle.slot === slot) return known;
    await this.#forget(from);
    if (slot !== 0 || this.#transfers.size >= MAX_TRANSFERS) return null;
    const reader = await this.#storage.openSnapshot();
    if (reader === null || reader.handle.slot < minSlot) {
      await reader?.close();
      this.#port.requestSnapshot();
      return null;
    }
    const transfer = { reader, usedAtMs: this.#port.nowMs() };
    this.#transfers.set(from, transfer);
    return transfer;
  }

  async #forget(peer: Incarnation): Promise<void> {
    const transfer = this.#transfers.get(peer);
    this.#transfers.delete(peer);
    await transfer?.reader.close();
  }

  /** Closes transfers that nobody asks for any more. */
  async tick(): Promise<void> {
    const nowMs = this.#port.nowMs();
    for (const [peer, transfer] of this.#transfers) {
      if (nowMs - transfer.usedAtMs > IDLE_MS && !this.#busy.has(peer)) await this.#forget(peer);
    }
  }

  async close(): Promise<void> {
    for (const peer of [...this.#transfers.keys()]) await this.#forget(peer);
  }
}
