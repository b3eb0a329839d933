import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { slot } from "../../src/paxos/ids.ts";
import { startNode } from "../../src/node/start.ts";
import { restoreState } from "../../src/node/restore-state.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { decodeValue } from "../../src/paxos/value.ts";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import { openStorage } from "../../src/storage/open.ts";
import { FlippedFiles } from "../support/flipped-files.ts";
import { FOLDER } from "./fixtures.ts";

const MEMBER = "one";
const SEGMENT_BYTES = 16 * 1024;
/** Four such writes fill a segment, so that little of it is left over, where a flip changes nothing. */
const VALUE_BYTES = 3_800;
const LEAST_BYTES = 256 * 1024;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a member of one that served a while leaves behind: a snapshot, several segments, and the files beside them. */
async function folderOfRealMember(): Promise<Map<string, Uint8Array>> {
  const disk = new SimulatedDisk();
  disk.traced = false;
  const node = await startNode({
    name: MEMBER, data: FOLDER, listen: "127.0.0.1:0", logLevel: "silent", fileSystem: disk.fileSystem(),
    storage: { segmentBytes: SEGMENT_BYTES }, snapshotBytes: 190 * 1024,
  });
  const { service } = node;
  const { incarnation } = service.identity();
  const address = new URL(node.url).host;
  await service.found({ cluster: "c".repeat(32), configuration: { voters: [{ incarnation, name: MEMBER, address }], learners: [], removed: [] }, configurationSlot: slot(0) }, incarnation);
  const write = async (index: number): Promise<void> => {
    const value = bytesOf(`value ${index} `.padEnd(VALUE_BYTES, "x"));
    const command = encodeCommand({ type: "put", key: bytesOf(`key ${index % 50}`), value, prevRevision: null, retry: { kind: "none" } });
    const outcome = await new Promise((resolve) => service.write(command, resolve));
    if (outcome instanceof Error) throw outcome;
  };
  for (let index = 0; index < 52; index++) await write(index);
  await vi.waitFor(() => expect(disk.paths().some((path) => path.endsWith(".snap"))).toBe(true), { timeout: 20_000 });
  for (let index = 52; index < 68; index++) await write(index);
  await node.stop();
  return new Map(disk.paths().map((path) => [path, disk.contents(path)]));
}

/** A digest of all that a member would go on from: who it is, what it promised and accepted, and the state that it would serve. */
async function everything(files: FlippedFiles): Promise<string> {
  const storage = await openStorage({
    fileSystem: files.fileSystem(), folder: FOLDER, member: MEMBER,
    listener: { onDurable: () => {}, onSyncFailed: (error) => { throw error; } },
    options: { segmentBytes: SEGMENT_BYTES, timers: { now: () => 0, after: () => () => {} } },
  });
  try {
    const { identity, founding, recovered } = storage;
    const state = await restoreState(storage);
    for (const { slot, value } of recovered.entries) {
      const decoded = decodeValue(value);
      if (slot <= recovered.chosenThrough && decoded.kind === "commands") state.applySlot(slot, decoded.commands);
    }
    let sum = 0;
    for (const { slot, ballot, value } of recovered.entries) sum = crc32(value, crc32(JSON.stringify([slot, ballot]), sum));
    for (const { key, value } of state.range({ prefix: new Uint8Array(0), limit: 1_000 }).items) sum = crc32(value, crc32(key, sum));
    const { promised, ownRound, snapshot, chosenThrough } = recovered;
    return JSON.stringify([identity, founding, promised, ownRound, snapshot, chosenThrough, state.revision, state.checksum, sum]);
  } finally {
    await storage.close();
  }
}

describe("a folder of a real member", () => {
  let original: Map<string, Uint8Array>;
  let expected: string;

  beforeAll(async () => {
    original = await folderOfRealMember();
    expected = await everything(new FlippedFiles(original));
  });

  it("is large enough and holds a snapshot and several segments", () => {
    const paths = [...original.keys()];
    const total = [...original.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(total).toBeGreaterThanOrEqual(LEAST_BYTES);
    expect(paths.filter((path) => path.endsWith(".snap"))).toHaveLength(1);
    expect(paths.filter((path) => path.endsWith(".log")).length).toBeGreaterThan(3);
  });

  it("gives the right data or is refused with a code, whichever byte of it is flipped", async () => {
    const files = new FlippedFiles(original);
    const tally = { right: 0, refused: 0 };
    for (const [path, bytes] of original) {
      for (let at = 0; at < bytes.length; at++) {
        const mask = 1 << ((at * 5 + 3) % 8);
        bytes[at] = (bytes[at] as number) ^ mask;
        files.reset();
        try {
          if ((await everything(files)) !== expected) throw new Error(`wrong data after byte ${at} of ${path} was flipped`);
          tally.right += 1;
        } catch (error) {
          if (!(error instanceof SynodError) || error.code !== "SYNOD_ERR_CORRUPT") throw error;
          tally.refused += 1;
        }
        bytes[at] = (bytes[at] as number) ^ mask;
      }
    }
    expect(await everything((files.reset(), files))).toBe(expected);
    expect(tally.refused).toBeGreaterThan(LEAST_BYTES * 0.9);
  }, 600_000);
});
