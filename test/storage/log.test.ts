import { expect, it } from "vitest";
import { accepted, campaign, chosen, entriesOf, learned, Life, promised, snapshotHandle, stream, ballot } from "./fixtures.ts";
import { type Operation, SimulatedDisk } from "../../src/sim/simulated-disk.ts";

const logSync = ({ kind, path }: Operation): boolean => kind === "datasync" && path.endsWith("1.log");
const logWrite = ({ kind, path }: Operation): boolean => kind === "write" && path.endsWith("1.log");

it("gives back after a restart what was appended before it", async () => {
  const disk = new SimulatedDisk();
  const first = await Life.begin(disk);
  expect(first.recovered).toEqual({ promised: { round: 0, incarnation: "0".repeat(32) }, ownRound: 0, snapshot: null, entries: [], chosenThrough: 0 });
  await first.keep(promised(3), campaign(4), accepted(1, 4, "one"), accepted(2, 4, "two"), learned(4, "four"), accepted(1, 5, "uno"));
  await first.keep(chosen(2), { type: "probe" });
  await first.storage.close();
  const second = await Life.begin(disk);
  expect(second.storage.identity).toEqual(first.storage.identity);
  expect(entriesOf(second.recovered)).toEqual(["1:5:uno", "2:4:two", "4:learned:four"]);
  expect(second.recovered).toMatchObject({ promised: ballot(5), ownRound: 4, chosenThrough: 2 });
});

it("keeps records across a power loss as soon as they are reported durable", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(accepted(1, 1, "kept"));
  disk.losePower(0);
  expect(entriesOf((await Life.begin(disk)).recovered)).toEqual(["1:1:kept"]);
});

it("makes one sync of all records that arrive while a sync runs, and reports them in order", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  const held = disk.hold(logSync);
  life.append(promised(1));
  await held.reached;
  for (let round = 2; round <= 50; round++) life.append(promised(round));
  const before = disk.count(logSync);
  held.release();
  await life.recorder.reached(50);
  expect(life.recorder.acks).toEqual([1, 50]);
  expect(disk.count(logSync) - before).toBe(1);
  expect(life.recorder.samples.map(({ records }) => records)).toEqual([1, 49]);
});

it("puts appends of the same moment into one batch", async () => {
  const life = await Life.begin(new SimulatedDisk());
  life.append(promised(1));
  life.append(promised(2));
  await life.recorder.reached(2);
  expect(life.recorder.acks).toEqual([2]);
});

it("reports nothing durable before the sync has returned", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  const held = disk.hold(logSync);
  life.append(promised(1));
  await held.reached;
  await new Promise((resolve) => setImmediate(resolve));
  expect(life.recorder.acks).toEqual([]);
  held.release();
  await life.recorder.reached(1);
});

it("never has two batches on their way at once", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk, { segmentBytes: 64 * 1024 });
  for (let round = 1; round <= 20; round++) {
    life.append(accepted(round, round, new Uint8Array(600)));
    await undefined;
  }
  await life.recorder.reached(20);
  const calls = disk.trace.filter((operation) => logWrite(operation) || logSync(operation)).map(({ kind }) => kind);
  expect(calls.filter((_, index) => index % 2 === 0).every((kind) => kind === "write")).toBe(true);
  expect(calls.filter((_, index) => index % 2 === 1).every((kind) => kind === "datasync")).toBe(true);
});

it("splits what waits into batches of the given size", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk, { segmentBytes: 64 * 1024, maxBatchBytes: 2000 });
  life.append(...[1, 2, 3, 4, 5].map((at) => accepted(at, 1, new Uint8Array(800))));
  await life.recorder.reached(5);
  expect(life.recorder.acks).toEqual([2, 4, 5]);
});

it("takes a record that is larger than a segment", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(accepted(1, 1, new Uint8Array(20_000).fill(7)), accepted(2, 1, "next"));
  disk.losePower(0);
  const entries = (await Life.begin(disk)).recovered.entries;
  expect(entries.map(({ value }) => value.length)).toEqual([20_000, 4]);
});

it("marks the last batch as synced when the log goes idle, once", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(promised(1));
  const syncs = life.storage.stats().syncs;
  await life.idle();
  expect(life.storage.stats().syncs).toBe(syncs + 1);
  expect(life.timers.waiting).toBe(0);
  expect(life.recorder.acks).toEqual([1]);
});

it("repeats the promise and the own round in every new segment, so that cutting the log does not lower them (rule 21)", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(campaign(8), promised(9));
  for (let at = 1; at <= 30; at++) await life.keep(accepted(at, 2, new Uint8Array(1500)), chosen(at));
  expect(life.storage.stats().segments).toBeGreaterThan(3);
  await life.storage.writeSnapshot(snapshotHandle(29), stream(new Uint8Array(10)));
  expect(life.storage.stats().segments).toBe(1);
  expect(disk.paths().some((path) => path.endsWith("0000000001.log"))).toBe(false);
  disk.losePower(0);
  const { recovered } = await Life.begin(disk);
  expect(recovered).toMatchObject({ promised: ballot(9), ownRound: 8, chosenThrough: 30 });
  expect(recovered.entries.map(({ slot }) => slot)).toEqual([30]);
});

it("keeps a segment that holds a slot above the snapshot, and all that follow it", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  for (const at of [1, 2, 40, 3, 4]) await life.keep(accepted(at, 1, new Uint8Array(7000)));
  const before = life.storage.stats().segments;
  await life.storage.writeSnapshot(snapshotHandle(20), stream());
  expect(life.storage.stats().segments).toBe(before - 2);
  disk.losePower(0);
  expect((await Life.begin(disk)).recovered.entries.map(({ slot }) => slot)).toEqual([40]);
});

it("does not cut a segment before the header of the next one is durable", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(promised(9), accepted(1, 2, new Uint8Array(7000)));
  const isHeader = ({ kind, path }: Operation): boolean => kind === "datasync" && path.endsWith("2.log");
  while (disk.count(isHeader) === 0) await undefined;
  const held = disk.hold(isHeader);
  life.append(accepted(2, 2, new Uint8Array(7000)));
  await held.reached;
  await life.storage.writeSnapshot(snapshotHandle(5), stream());
  disk.losePower(0);
  expect((await Life.begin(disk)).recovered.promised).toEqual(ballot(9));
});

it("writes a batch again into a new segment when its sync fails, and acknowledges it only then", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(accepted(1, 1, "before"));
  disk.fail = logSync;
  await life.keep(accepted(2, 1, "rewritten"));
  disk.fail = () => false;
  await life.keep(accepted(3, 1, "after"));
  expect(life.recorder.failures).toEqual([]);
  expect(life.recorder.repeated).toMatchObject([{ code: "EIO" }]);
  disk.losePower(0);
  expect(entriesOf((await Life.begin(disk)).recovered)).toEqual(["1:1:before", "2:1:rewritten", "3:1:after"]);
});

it("reports a failed sync once, and nothing durable after it, when the batch cannot be rewritten either", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(promised(1));
  disk.fail = ({ kind }) => kind === "datasync";
  life.append(promised(2));
  await life.recorder.failed();
  disk.fail = () => false;
  life.append(promised(3));
  await life.storage.close();
  expect(life.recorder.failures).toHaveLength(1);
  expect(life.recorder.acks).toEqual([1]);
  expect((await Life.begin(disk)).recovered.promised.round).toBeLessThan(3);
});

it("does not trust a batch that is still in the page cache after its sync failed: the next start writes it again", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(promised(1));
  disk.fail = ({ kind }) => kind === "datasync";
  life.append(promised(2));
  await life.recorder.failed();
  disk.fail = () => false;
  disk.kill();
  expect((await Life.begin(disk)).recovered.promised).toEqual(ballot(2));
  disk.losePower(0);
  expect((await Life.begin(disk)).recovered.promised).toEqual(ballot(2));
});

it("makes durable what it read at the start before the start is done (rule 5b)", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  const held = disk.hold(logSync);
  life.append(promised(7));
  await held.reached;
  disk.kill();
  expect((await Life.begin(disk)).recovered.promised).toEqual(ballot(7));
  disk.losePower(0);
  expect((await Life.begin(disk)).recovered.promised).toEqual(ballot(7));
});

it("leaves no old segments behind however often it restarts", async () => {
  const disk = new SimulatedDisk();
  await (await Life.begin(disk)).storage.close();
  for (let restart = 0; restart < 20; restart++) {
    const life = await Life.begin(disk);
    if (restart % 3 === 0) disk.kill();
    else await life.storage.close();
  }
  expect(disk.paths().filter((path) => path.endsWith(".log")).length).toBeLessThanOrEqual(3);
});

it("counts the records of a folder over all its lives", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(promised(1), promised(2));
  await life.storage.close();
  const second = await Life.begin(disk);
  await second.keep(promised(3));
  expect(second.storage.stats().records).toBe(3);
});

it("writes what waits before it closes", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  life.append(promised(5));
  await life.storage.close();
  disk.losePower(0);
  expect((await Life.begin(disk)).recovered.promised).toEqual(ballot(5));
});

it("leaves no hole in the log when removing a segment fails half-way", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  for (let at = 1; at <= 5; at++) await life.keep(accepted(at, 1, new Uint8Array(7000)));
  disk.fail = ({ kind, path }) => kind === "remove" && path.endsWith("1.log");
  await expect(life.storage.writeSnapshot(snapshotHandle(2), stream())).rejects.toThrow("EIO");
  disk.fail = () => false;
  await life.storage.writeSnapshot(snapshotHandle(4), stream());
  disk.losePower(0);
  expect((await Life.begin(disk)).recovered.entries.map(({ slot }) => slot)).toEqual([5]);
});
