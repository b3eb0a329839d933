import { expect, it } from "vitest";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";
import { noteFence, readFence } from "../../src/storage/fence-file.ts";
import { FOLDER } from "./fixtures.ts";

it("of several reasons for which a member is fenced for ever its folder keeps the first, which is what the others followed from", async () => {
  const disk = new SimulatedDisk();
  expect(await readFence(disk.fileSystem(), FOLDER)).toBeNull();
  await noteFence(disk.fileSystem(), FOLDER, { kind: "copied", reason: "the first" });
  await noteFence(disk.fileSystem(), FOLDER, { kind: "corrupt", reason: "the second" });
  disk.losePower(0);
  expect(await readFence(disk.fileSystem(), FOLDER)).toEqual({ kind: "copied", reason: "the first" });
});
