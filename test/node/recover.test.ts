import { mkdtempSync, rmSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RecoverOptions, type RecoveryPlan, recoverFolder } from "../../src/node/recover.ts";
import { restoreState } from "../../src/node/restore-state.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { LogRecord } from "../../src/paxos/records.ts";
import { StateMachine } from "../../src/state/state-machine.ts";
import { NodeFileSystem } from "../../src/storage/file-system.ts";
import type { FileHandle, FileSystem, Founding, Storage } from "../../src/storage/interface.ts";
import { openStorage } from "../../src/storage/open.ts";
import { put } from "../state/helpers.ts";
import { A, ballot, Recorder } from "../storage/fixtures.ts";
import { FlippedFiles } from "../support/flipped-files.ts";

const SMALL = { segmentBytes: 8_192 };
const NEW_CLUSTER = "d".repeat(32);
const MEMBERS = ["b", "c"].map((digit) => ({ incarnation: digit.repeat(32) as typeof A, name: digit, address: `${digit}:1` }));
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

const FOLDER = "/data";
let folder = "";
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "synod-recover-")); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(fileSystem: FileSystem, path: string, recorder = new Recorder()): Promise<Storage> {
  return openStorage({ fileSystem, folder: path, member: "a", listener: recorder, options: { ...SMALL, drawIncarnation: () => A } });
}

const accepted = (at: number, key: string): LogRecord =>
  ({ type: "accepted", slot: slot(at), ballot: ballot(3), value: encodeValue({ kind: "commands", origin: ballot(3), commands: [put(key, `value of ${key}`)] }) });

/** A member of three: a snapshot at slot 2, slots 3 and 4 known to be chosen, 5 accepted only, and 7 behind a gap. */
async function oldFolder(fileSystem: FileSystem, path: string): Promise<void> {
  const recorder = new Recorder();
  const storage = await open(fileSystem, path, recorder);
  const founding: Founding = { cluster: "e".repeat(32), configuration: { voters: [{ incarnation: A, name: "a", address: "a:1" }, ...MEMBERS], learners: [], removed: [] }, configurationSlot: slot(0) };
  await storage.saveFounding(founding);
  const state = new StateMachine();
  for (const at of [1, 2]) state.applySlot(at, [put(`k${at}`, `value of k${at}`)]);
  const handle = { ...founding, slot: slot(2), leaderBallot: ballot(3), promised: ballot(3), checksum: state.checksum };
  storage.append([1, 2, 3, 4, 5, 7].map((at) => accepted(at, `k${at}`)), 1);
  storage.append([{ type: "chosen", through: slot(4) }, { type: "promised", ballot: ballot(9) }], 7);
  await recorder.reached(8);
  await storage.writeSnapshot(handle, (async function* () { yield* state.snapshot().chunks(); })());
  await storage.close();
}

function recovery(fileSystem: FileSystem, path: string, options: Partial<RecoverOptions> = {}) {
  return recoverFolder({ fileSystem, folder: path, drawClusterId: () => NEW_CLUSTER, confirm: async () => true, storage: SMALL, ...options });
}

/** Which of the two the folder is now; throws when it is neither. */
async function look(fileSystem: FileSystem, path: string): Promise<"old" | "new"> {
  const storage = await open(fileSystem, path);
  try {
    if (storage.founding?.cluster === "e".repeat(32)) {
      expect(storage.identity.incarnation).toBe(A);
      expect(storage.recovered).toMatchObject({ chosenThrough: 4, promised: { round: 9 } });
      return "old";
    }
    expect(storage.founding?.cluster).toBe(NEW_CLUSTER);
    expect(storage.identity.incarnation).not.toBe(A);
    expect(storage.founding?.configuration).toEqual({ voters: [{ incarnation: storage.identity.incarnation, name: "a", address: "a:1" }], learners: [], removed: [] });
    expect(storage.recovered).toMatchObject({ chosenThrough: 7, promised: { round: 9 }, entries: [], snapshot: { slot: 7, cluster: NEW_CLUSTER, leaderBallot: ballot(3) } });
    const state = await restoreState(storage);
    const found = state.range({ prefix: new Uint8Array(0), limit: 100 }).items.map(({ key, value }) => [text(key), text(value)]);
    expect(found).toEqual(["k1", "k2", "k3", "k4", "k5", "k7"].map((key) => [key, `value of ${key}`]));
    return "new";
  } finally {
    await storage.close();
  }
}

/** `files`, until `calls` calls that change something were made: from then on every such call fails, as if the process had ended. */
function ending(files: FlippedFiles, calls: number): { readonly fileSystem: FileSystem; readonly made: () => number } {
  let made = 0;
  const step = <A extends unknown[], T>(act: (...args: A) => Promise<T>) => async (...args: A): Promise<T> => {
    if (++made > calls) throw new Error("the process has ended");
    return act(...args);
  };
  const inner = files.fileSystem();
  const { makeFolder, rename, remove, syncFolder } = inner;
  const open = async (path: string, mode: "create" | "read" | "write"): Promise<FileHandle> => {
    const file = await (mode === "create" ? step(inner.open) : inner.open)(path, mode);
    return { ...file, write: step(file.write), datasync: step(file.datasync) };
  };
  const fileSystem = { ...inner, open, makeFolder: step(makeFolder), rename: step(rename), remove: step(remove), syncFolder: step(syncFolder) };
  return { fileSystem, made: () => made };
}

const real = new NodeFileSystem();

describe("recovering a member's folder", () => {
  it("says what it keeps and what may be lost, and changes nothing unless it is confirmed", async () => {
    await oldFolder(real, folder);
    const plans: RecoveryPlan[] = [];
    expect(await recovery(real, folder, { confirm: async (plan) => { plans.push(plan); return false; } })).toBeNull();
    expect(plans).toEqual([{
      member: "a", cluster: "e".repeat(32), others: MEMBERS, slot: 7, revision: 6, keys: 6, knownChosen: 4, missing: [6],
    }]);
    expect(await look(real, folder)).toBe("old");
  });

  it("makes a new cluster of it that holds all its data, and keeps what was there", async () => {
    await oldFolder(real, folder);
    const recovered = await recovery(real, folder);
    expect(recovered).toMatchObject({ cluster: NEW_CLUSTER, kept: "replaced-aaaaaaaa" });
    expect(await look(real, folder)).toBe("new");
    expect((await readdir(join(folder, "replaced-aaaaaaaa"))).sort()).toEqual(["founding.json", "identity.json", "log", "snapshots"]);
  });

  it("can be done again with the new folder", async () => {
    await oldFolder(real, folder);
    await recovery(real, folder);
    expect(await recovery(real, folder, { drawClusterId: () => "f".repeat(32) })).toMatchObject({ cluster: "f".repeat(32) });
  });

  it("is refused while somebody uses the folder, for one that was never founded, and for a damaged one", async () => {
    const storage = await open(real, folder);
    await expect(recovery(real, folder)).rejects.toMatchObject({ code: "SYNOD_ERR_FOLDER_LOCKED" });
    await storage.close();
    await expect(recovery(real, folder)).rejects.toMatchObject({ code: "SYNOD_ERR_NOT_FOUNDED" });
    await expect(recovery(real, join(folder, "nothing"))).rejects.toMatchObject({ code: "SYNOD_ERR_NOT_FOUNDED" });
    await writeFile(join(folder, "founding.json"), "{}");
    await expect(recovery(real, folder)).rejects.toMatchObject({ code: "SYNOD_ERR_CORRUPT" });
    await expect(recovery(real, folder)).rejects.toMatchObject({ code: "SYNOD_ERR_FENCED" });
  });

  it("leaves the old folder or the new one, wherever it ends", async () => {
    const original = new FlippedFiles(new Map());
    await oldFolder(original.fileSystem(), FOLDER);
    const found = { old: 0, new: 0 };
    for (let last = 0, over = false; !over; last++) {
      const files = original.copy();
      const { fileSystem, made } = ending(files, last);
      await recovery(fileSystem, FOLDER).catch((error: Error) => expect(error.message).toBe("the process has ended"));
      over = made() <= last;
      const state = await look(files.fileSystem(), FOLDER);
      found[state] += 1;
      if (over) expect(state).toBe("new");
      if (state === "new") continue;
      await recovery(files.fileSystem(), FOLDER);
      expect(await look(files.fileSystem(), FOLDER)).toBe("new");
    }
    expect(found.old).toBeGreaterThan(30);
    expect(found.new).toBeGreaterThan(15);
  });
});
