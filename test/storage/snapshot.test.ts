import { expect, it } from "vitest";
import { accepted, chosen, entriesOf, FOLDER, Life, snapshotHandle, stream } from "./fixtures.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { type Operation, SimulatedDisk } from "../../src/sim/simulated-disk.ts";

const SNAPSHOTS = `${FOLDER}/snapshots`;

function snapshotsOn(disk: SimulatedDisk): string[] {
  return disk.paths().filter((path) => path.startsWith(SNAPSHOTS)).map((path) => path.slice(SNAPSHOTS.length + 1));
}

it("gives back a snapshot of any size, in pieces of any size", async () => {
  for (const size of [0, 1, 65_535, 65_536, 65_537, 300_000]) {
    const disk = new SimulatedDisk();
    const state = new SeededRandom(size).bytes(size);
    const life = await Life.begin(disk);
    await life.storage.writeSnapshot(snapshotHandle(7), stream(state.subarray(0, 10), state.subarray(10, 70_000), state.subarray(70_000)));
    disk.losePower(0);
    const { storage } = await Life.begin(disk);
    const reader = await storage.openSnapshot();
    expect(reader?.handle).toEqual(snapshotHandle(7));
    expect(reader?.size).toBe(size);
    expect(Buffer.compare((await reader?.read(0, size)) ?? new Uint8Array(1), state)).toBe(0);
    const middle = await reader?.read(Math.floor(size / 3), Math.floor(size / 2));
    expect(Buffer.compare(middle ?? new Uint8Array(1), state.subarray(Math.floor(size / 3), Math.floor(size / 3) + Math.floor(size / 2)))).toBe(0);
    expect(await reader?.read(size, 10)).toHaveLength(0);
    await reader?.close();
  }
});

it("keeps only the newest snapshot, and ignores one that does not advance", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.storage.writeSnapshot(snapshotHandle(5), stream(new Uint8Array(5)));
  await life.storage.writeSnapshot(snapshotHandle(9), stream(new Uint8Array(9)));
  await life.storage.writeSnapshot(snapshotHandle(9), stream(new Uint8Array(1)));
  await life.storage.writeSnapshot(snapshotHandle(7), stream(new Uint8Array(7)));
  expect(snapshotsOn(disk)).toEqual(["9.snap"]);
  expect((await life.storage.openSnapshot())?.size).toBe(9);
});

it("lets a reader finish with a snapshot that newer ones have replaced", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.storage.writeSnapshot(snapshotHandle(5), stream(new Uint8Array(50).fill(5)));
  const reader = await life.storage.openSnapshot();
  await life.storage.writeSnapshot(snapshotHandle(9), stream(new Uint8Array(90)));
  expect(await reader?.read(0, 50)).toEqual(new Uint8Array(50).fill(5));
  await reader?.close();
  await reader?.close();
});

it("ignores log entries at or below an installed snapshot, and keeps those above", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(accepted(1, 1, "old"), accepted(5, 1, "old"), accepted(6, 2, "new"), chosen(3));
  await life.storage.writeSnapshot(snapshotHandle(5), stream(new Uint8Array(5)));
  disk.losePower(0);
  const { recovered } = await Life.begin(disk);
  expect(entriesOf(recovered)).toEqual(["6:2:new"]);
  expect(recovered.chosenThrough).toBe(5);
  expect(recovered.snapshot?.slot).toBe(5);
});

it("refuses to put a snapshot in place that does not read back as it was written", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.storage.writeSnapshot(snapshotHandle(5), stream(new Uint8Array(5)));
  const held = disk.hold(({ kind, path }: Operation) => kind === "open" && path.endsWith("9.snap.tmp") && disk.paths().includes(path));
  const written = life.storage.writeSnapshot(snapshotHandle(9), stream(new Uint8Array(900)));
  const refused = expect(written).rejects.toMatchObject({ code: "SYNOD_ERR_CORRUPT" });
  await held.reached;
  const bytes = disk.contents(`${SNAPSHOTS}/9.snap.tmp`);
  bytes[500] = 1;
  disk.plant(`${SNAPSHOTS}/9.snap.tmp`, bytes);
  held.release();
  await refused;
  expect(snapshotsOn(disk)).toContain("5.snap");
  await life.storage.writeSnapshot(snapshotHandle(9), stream(new Uint8Array(900)));
  expect(snapshotsOn(disk)).toEqual(["9.snap"]);
});

it("keeps the snapshot it has when the state to write breaks off", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.storage.writeSnapshot(snapshotHandle(5), stream(new Uint8Array(5)));
  const broken = (async function* () {
    yield new Uint8Array(100);
    throw new Error("the sender went away");
  })();
  await expect(life.storage.writeSnapshot(snapshotHandle(9), broken)).rejects.toThrow("the sender went away");
  disk.losePower(1);
  expect((await Life.begin(disk)).recovered.snapshot?.slot).toBe(5);
  expect(snapshotsOn(disk)).toEqual(["5.snap"]);
});

it("removes older snapshots and log segments only after the new one is synced, checked, renamed and its folder synced", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.storage.writeSnapshot(snapshotHandle(1), stream(new Uint8Array(5)));
  for (let at = 2; at <= 6; at++) await life.keep(accepted(at, 1, new Uint8Array(7000)));
  disk.trace.length = 0;
  await life.storage.writeSnapshot(snapshotHandle(5), stream(new Uint8Array(5)));
  const steps = disk.trace.map(({ kind, path }) => `${kind} ${path.slice(FOLDER.length + 1)}`);
  const order = ["datasync snapshots/5.snap.tmp", "read snapshots/5.snap.tmp", "rename snapshots/5.snap.tmp", "syncFolder snapshots",
    "remove snapshots/1.snap", "remove log/0000000001.log"].map((step) => steps.indexOf(step));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order.every((index) => index >= 0)).toBe(true);
});

it("goes on appending while a snapshot is written", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  let acknowledged = 0;
  const slow = (async function* () {
    for (let at = 1; at <= 10; at++) {
      yield new Uint8Array(40_000);
      await life.keep(accepted(at, 1, "during"));
      acknowledged = at;
    }
  })();
  await life.storage.writeSnapshot(snapshotHandle(3), slow);
  expect(acknowledged).toBe(10);
  disk.losePower(0);
  expect((await Life.begin(disk)).recovered.entries.map(({ slot }) => slot)).toEqual([4, 5, 6, 7, 8, 9, 10]);
});

it("counts the bytes of records since the last snapshot, also after a restart", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(accepted(1, 1, new Uint8Array(1000)));
  expect(life.storage.stats().bytesSinceSnapshot).toBeGreaterThan(1000);
  await life.storage.writeSnapshot(snapshotHandle(1), stream());
  expect(life.storage.stats().bytesSinceSnapshot).toBe(0);
  await life.keep(accepted(2, 1, new Uint8Array(2000)));
  await life.storage.close();
  const { bytesSinceSnapshot } = (await Life.begin(disk)).storage.stats();
  expect(bytesSinceSnapshot).toBeGreaterThan(2000);
  expect(bytesSinceSnapshot).toBeLessThan(3000);
});
