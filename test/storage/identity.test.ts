import { expect, it } from "vitest";
import { FOLDER, FOUNDING, Life, Recorder } from "./fixtures.ts";
import { openStorage } from "../../src/storage/open.ts";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";

it("draws a new incarnation for each new folder and keeps it", async () => {
  const [one, two] = [new SimulatedDisk(), new SimulatedDisk()];
  const first = (await Life.begin(one)).storage.identity;
  expect(first).toEqual({ member: "one", incarnation: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect((await Life.begin(two)).storage.identity.incarnation).not.toBe(first.incarnation);
  one.losePower(0);
  expect((await Life.begin(one)).storage.identity).toEqual(first);
});

it("refuses a folder that belongs to a member of another name", async () => {
  const disk = new SimulatedDisk();
  await (await Life.begin(disk)).storage.close();
  const open = openStorage({ fileSystem: disk.fileSystem(), folder: FOLDER, member: "two", listener: new Recorder() });
  await expect(open).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST" });
});

it("refuses a folder that is open, and takes it again once it was closed", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await expect(Life.begin(disk)).rejects.toMatchObject({ code: "SYNOD_ERR_FOLDER_LOCKED" });
  await life.storage.close();
  await life.storage.close();
  await Life.begin(disk);
});

it("keeps the founding document durably before it says so, and takes only the same one again", async () => {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk, {}, { founded: false });
  expect(life.storage.founding).toBeNull();
  await life.storage.saveFounding(FOUNDING);
  disk.losePower(0);
  const { storage } = await Life.begin(disk);
  expect(storage.founding).toEqual(FOUNDING);
  await storage.saveFounding(structuredClone(FOUNDING));
  await expect(storage.saveFounding({ ...FOUNDING, cluster: "d".repeat(32) })).rejects.toMatchObject({ code: "SYNOD_ERR_ALREADY_FOUNDED" });
  expect(storage.founding).toEqual(FOUNDING);
});

it("takes one founding of two that come at once", async () => {
  const { storage } = await Life.begin(new SimulatedDisk(), {}, { founded: false });
  const results = await Promise.allSettled([storage.saveFounding(FOUNDING), storage.saveFounding({ ...FOUNDING, cluster: "d".repeat(32) })]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});
