import type { Incarnation, Slot } from "../paxos/ids.ts";
import type { SnapshotReader, Storage } from "../storage/interface.ts";
import type { PeerMessage } from "./peer-messages.ts";

/** Bytes of state in one message. */
export const SNAPSHOT_PART_BYTES = 192 * 1024;
/** Transfers that are served at once; one that nobody asked for in this long is forgotten. */
const MAX_TRANSFERS = 16;
const IDLE_MS = 10_000;

export interface SnapshotServerPort {
  /** Bytes of state in one message at the most. */
  readonly partBytes: number;
  nowMs(): number;
  send(to: Incarnation, message: PeerMessage): void;
  /** Has a new snapshot taken as soon as possible. */
  requestSnapshot(): void;
  /** The lowest snapshot that a peer is being given, so that the entries above it stay; null: no peer is. */
  wanted(above: Slot | null): void;
  /** Whether clients wait for this member. */
  busy(): boolean;
  after(ms: number, task: () => void): void;
  failed(error: unknown): void;
}

/** A part leaves so much later while clients wait for this member: a transfer takes at most about 12 MiB a second from them. */
const PACE_MS = 15;

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

  /** Whether there are transfers that `tick` may have to close. */
  get serves(): boolean {
    return this.#transfers.size + this.#busy.size > 0;
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
      if (this.#port.busy()) await new Promise<void>((resolve) => this.#port.after(PACE_MS, resolve));
      const bytes = await transfer.reader.read(offset, Math.min(this.#port.partBytes, size - offset));
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
    if (this.#transfers.size >= MAX_TRANSFERS) return null;
    const reader = await this.#storage.openSnapshot();
    // One that was begun goes on after a pause, or after this member's restart, as long as that snapshot is the newest.
    const other = reader !== null && slot !== 0 && reader.handle.slot !== slot;
    if (reader === null || reader.handle.slot < minSlot || other) {
      await reader?.close();
      if (!other) this.#port.requestSnapshot();
      return null;
    }
    const transfer = { reader, usedAtMs: this.#port.nowMs() };
    this.#transfers.set(from, transfer);
    this.#tellWanted();
    return transfer;
  }

  #tellWanted(): void {
    const slots = [...this.#transfers.values()].map(({ reader }) => reader.handle.slot);
    this.#port.wanted(slots.length === 0 ? null : (Math.min(...slots) as Slot));
  }

  async #forget(peer: Incarnation): Promise<void> {
    const transfer = this.#transfers.get(peer);
    if (transfer === undefined) return;
    this.#transfers.delete(peer);
    this.#tellWanted();
    await transfer.reader.close();
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
