import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot, type Slot } from "../../src/paxos/ids.ts";
import type { SnapshotHandle } from "../../src/paxos/records.ts";
import type { PeerMessage } from "../../src/node/peer-messages.ts";
import { SnapshotFetch } from "../../src/node/snapshot-fetch.ts";
import { SNAPSHOT_PART_BYTES, SnapshotServer } from "../../src/node/snapshot-server.ts";
import { memberIncarnation, scenarioConfiguration } from "../../src/scenario/names.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import { DEFAULT_STATE_LIMITS } from "../../src/state/limits.ts";
import { StateMachine } from "../../src/state/state-machine.ts";
import type { SnapshotReader, Storage } from "../../src/storage/interface.ts";

const SERVER = memberIncarnation(1);
const FETCHER = memberIncarnation(2);
const VALUES = 8;
const VALUE_BYTES = 100_000;

interface StoredSnapshot {
  readonly handle: SnapshotHandle;
  readonly bytes: Uint8Array;
}

/** A state of several parts, as of `at`. */
function stateAt(at: number): { state: StateMachine; snapshot: StoredSnapshot } {
  const state = new StateMachine();
  for (let index = 0; index < VALUES; index++) {
    const value = new Uint8Array(VALUE_BYTES).fill(index + at);
    state.apply(slot(index + 1), encodeCommand({ type: "put", key: Uint8Array.of(index), value, prevRevision: null, retry: { kind: "none" } }));
  }
  const bytes = Buffer.concat([...state.snapshot().chunks()]);
  const configuration = scenarioConfiguration(2);
  const handle = {
    slot: slot(at), configuration, configurationSlot: slot(0), leaderBallot: ZERO_BALLOT, promised: ZERO_BALLOT, cluster: "c".repeat(32), checksum: state.checksum,
  };
  return { state, snapshot: { handle, bytes } };
}

function reader({ handle, bytes }: StoredSnapshot): SnapshotReader {
  return { handle, size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length), close: async () => {} };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One member that gives a snapshot and one that asks for it; messages wait until the test delivers them. */
class Transfer {
  nowMs = 0;
  busy = false;
  readonly stored: { newest: StoredSnapshot };
  readonly toServer: PeerMessage[] = [];
  readonly toFetcher: PeerMessage[] = [];
  readonly installed: { handle: SnapshotHandle; checksum: number }[] = [];
  readonly wanted: (number | null)[] = [];
  readonly pauses: (() => void)[] = [];
  readonly written: Uint8Array[] = [];
  /** Whether the fetcher's disk has verified what it was given. */
  verified = Promise.resolve();
  server: SnapshotServer;
  readonly fetch: SnapshotFetch;

  constructor(at = 10) {
    this.stored = { newest: stateAt(at).snapshot };
    this.server = this.newServer();
    this.fetch = new SnapshotFetch({
      limits: DEFAULT_STATE_LIMITS,
      nowMs: () => this.nowMs,
      send: (_to, message) => void this.toServer.push(message),
      write: async (_handle, chunks) => {
        for await (const chunk of chunks) this.written.push(chunk);
        await this.verified;
      },
      install: (handle, state) => void this.installed.push({ handle, checksum: state.checksum }),
      failed: (error) => { throw error; },
    }, SERVER, slot(1));
  }

  newServer(): SnapshotServer {
    const storage = { openSnapshot: async () => reader(this.stored.newest) } as Partial<Storage> as Storage;
    return new SnapshotServer(storage, {
      partBytes: SNAPSHOT_PART_BYTES,
      nowMs: () => this.nowMs,
      send: (_to, message) => void this.toFetcher.push(message),
      requestSnapshot: () => {},
      wanted: (above: Slot | null) => void this.wanted.push(above),
      busy: () => this.busy,
      after: (_ms, task) => void this.pauses.push(task),
      failed: (error) => { throw error; },
    });
  }

  /** Delivers what is under way, once in each direction; false: nothing was. */
  async exchange(): Promise<boolean> {
    const [asked, told] = [this.toServer.splice(0), this.toFetcher.splice(0)];
    for (const message of asked) if (message.type === "snapshotRequest") void this.server.answer(FETCHER, message);
    for (const message of told) {
      if (message.type === "snapshotChunk") this.fetch.take(SERVER, message);
      if (message.type === "snapshotUnavailable") this.fetch.unavailable(SERVER);
    }
    for (let turns = 0; turns < 4; turns++) await turn();
    return asked.length + told.length > 0;
  }

  async runToEnd(): Promise<void> {
    while (await this.exchange());
  }
}

describe("a snapshot for a peer", () => {
  it("arrives in parts, each asked for when the last was written, and is installed whole", async () => {
    const transfer = new Transfer();
    await transfer.runToEnd();
    expect(transfer.written.length).toBeGreaterThan(3);
    expect(transfer.installed).toEqual([{ handle: transfer.stored.newest.handle, checksum: transfer.stored.newest.handle.checksum }]);
  });

  it("takes each part once, also when it comes again", async () => {
    const transfer = new Transfer();
    for (;;) {
      const [part] = transfer.toFetcher;
      if (!(await transfer.exchange())) break;
      if (part?.type === "snapshotChunk") transfer.fetch.take(SERVER, part);
    }
    expect(transfer.installed).toEqual([{ handle: transfer.stored.newest.handle, checksum: transfer.stored.newest.handle.checksum }]);
  });

  it("goes on where it stopped when the one who gives it was restarted", async () => {
    const transfer = new Transfer();
    for (let steps = 0; steps < 4; steps++) await transfer.exchange();
    const before = transfer.written.length;
    expect(before).toBeGreaterThan(0);
    transfer.server = transfer.newServer();
    transfer.toServer.length = 0;
    transfer.toFetcher.length = 0;
    transfer.nowMs += 3_000;
    transfer.fetch.tick();
    const [again] = transfer.toServer;
    expect(again).toMatchObject({ type: "snapshotRequest", slot: 10 });
    expect((again as { offset: number }).offset).toBeGreaterThan(0);
    await transfer.runToEnd();
    expect(transfer.installed.length).toBe(1);
  });

  it("is given up when only another one is there any more", async () => {
    const transfer = new Transfer();
    for (let steps = 0; steps < 4; steps++) await transfer.exchange();
    transfer.stored.newest = stateAt(20).snapshot;
    transfer.server = transfer.newServer();
    transfer.toServer.length = 0;
    transfer.toFetcher.length = 0;
    transfer.nowMs += 3_000;
    transfer.fetch.tick();
    await transfer.exchange();
    expect(transfer.toFetcher).toEqual([{ type: "snapshotUnavailable", minSlot: 1 }]);
  });

  for (const [which, as, moreBytes] of [["an earlier one", 10, 0], ["one of the same slot and another size", 20, 1]] as const) {
    it(`is never mixed with ${which}: a late part of that is left out, though it begins where the next is awaited`, async () => {
      const transfer = new Transfer(20);
      for (let steps = 0; steps < 4; steps++) await transfer.exchange();
      const { offset } = transfer.toServer[0] as Extract<PeerMessage, { type: "snapshotRequest" }>;
      expect(offset).toBeGreaterThan(0);
      const { handle, bytes } = stateAt(10).snapshot;
      const late = bytes.subarray(offset, offset + VALUE_BYTES);
      transfer.fetch.take(SERVER, { type: "snapshotChunk", handle: { ...handle, slot: slot(as) }, size: bytes.length + moreBytes, offset, bytes: late });
      await transfer.runToEnd();
      const { newest } = transfer.stored;
      expect(Buffer.concat(transfer.written).equals(newest.bytes)).toBe(true);
      expect(transfer.installed).toEqual([{ handle: newest.handle, checksum: newest.handle.checksum }]);
    });
  }

  it("is installed however long the disk takes to check it: given up then, it would be on disk and never in the state", async () => {
    const transfer = new Transfer();
    let verify = (): void => {};
    transfer.verified = new Promise((resolve) => (verify = resolve));
    await transfer.runToEnd();
    expect(transfer.installed).toEqual([]);
    for (let seconds = 0; seconds < 60; seconds++) {
      transfer.nowMs += 1_000;
      transfer.fetch.tick();
    }
    verify();
    await turn();
    expect(transfer.installed.length).toBe(1);
  });

  it("is given up after fifteen questions without an answer", async () => {
    const transfer = new Transfer();
    await transfer.exchange();
    transfer.toFetcher.length = 0;
    for (let seconds = 0; seconds < 16; seconds++) {
      expect(transfer.fetch.ended).toBe(false);
      transfer.nowMs += 1_000;
      transfer.fetch.tick();
    }
    expect(transfer.fetch.ended).toBe(true);
  });

  it("waits before each part while clients wait for the one who gives it", async () => {
    const transfer = new Transfer();
    transfer.busy = true;
    await transfer.exchange();
    expect(transfer.toFetcher).toEqual([]);
    transfer.pauses.splice(0).forEach((go) => go());
    await turn();
    await turn();
    expect(transfer.toFetcher.length).toBe(1);
  });

  it("keeps the entries above it wanted until nobody asks for it any more", async () => {
    const transfer = new Transfer();
    await transfer.runToEnd();
    expect(transfer.wanted).toEqual([10]);
    transfer.nowMs += 11_000;
    await transfer.server.tick();
    expect(transfer.wanted).toEqual([10, null]);
  });
});
