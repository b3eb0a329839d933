import { describe, expect, it } from "vitest";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";
import { noteFence } from "../../src/storage/fence-file.ts";
import { commitClearance } from "../../src/storage/folder-swap.ts";
import { accepted, chosen, FOLDER, FOUNDING, Life, promised, snapshotHandle, stream, text } from "./fixtures.ts";

/** A member's folder with all that a folder can hold, and whose it is. */
async function usedFolder(fenced: boolean): Promise<{ disk: SimulatedDisk; incarnation: string }> {
  const disk = new SimulatedDisk(7);
  const life = await Life.begin(disk);
  await life.storage.saveFounding(FOUNDING);
  await life.keep(promised(3), accepted(1, 3, "a"), accepted(2, 3, "b"), chosen(2), ...[3, 4, 5].map((at) => accepted(at, 3, new Uint8Array(5_000))));
  await life.storage.writeSnapshot(snapshotHandle(2), stream(text("the state")));
  const { incarnation } = life.storage.identity;
  await life.storage.close();
  if (fenced) await noteFence(disk.fileSystem(), FOLDER, { kind: "corrupt", reason: "a test says so" });
  return { disk, incarnation };
}

/** Whose folder it is now: the old one's with all that it held, or a new one's with nothing. */
async function look(disk: SimulatedDisk, incarnation: string): Promise<"old" | "new"> {
  const life = await Life.begin(disk, {}, { founded: false });
  const { identity, founding, recovered } = life.storage;
  await life.storage.close();
  if (identity.incarnation === incarnation) {
    expect(founding).toEqual(FOUNDING);
    expect(recovered).toMatchObject({ promised: { round: 3 }, snapshot: { slot: 2 } });
    expect(recovered.entries.map(({ slot }) => slot)).toEqual([3, 4, 5]);
    return "old";
  }
  expect(founding).toBeNull();
  expect(recovered).toMatchObject({ promised: { round: 0 }, ownRound: 0, snapshot: null, entries: [], chosenThrough: 0 });
  return "new";
}

describe("a folder that is given up", () => {
  it.each([["sound", false], ["fenced", true]] as const)("is a new member's from the next start on, when it was %s", async (_, fenced) => {
    const { disk, incarnation } = await usedFolder(fenced);
    await commitClearance(disk.fileSystem(), FOLDER);
    expect(await look(disk, incarnation)).toBe("new");
    expect(disk.paths().filter((path) => /recovery|fence|replaced/.test(path))).toEqual([]);
  });

  it.each(["kill", "losePower"] as const)("is the old one's or a new one's wherever it ends (%s)", async (end) => {
    const { disk: original, incarnation } = await usedFolder(false);
    const found = { old: 0, new: 0 };
    for (let calls = 1, over = false; !over; calls++) {
      const disk = original.clone();
      const crashed = disk.crashAfter(calls).then(() => false);
      const done = (async (): Promise<boolean> => {
        await commitClearance(disk.fileSystem(), FOLDER);
        // The next life begins the clearing, and may end in the middle of it too.
        await (await Life.begin(disk, {}, { founded: false })).storage.close();
        return true;
      })();
      over = await Promise.race([done, crashed]);
      disk[end]();
      const state = await look(disk, incarnation);
      found[state] += 1;
      // Once a new member's, it never is the old one's again.
      if (over || found.new > 1) expect(state).toBe("new");
    }
    expect(found.old).toBeGreaterThan(2);
    expect(found.new).toBeGreaterThan(15);
  });
});
