import { expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { damageSomething } from "../../src/sim/disk-damage.ts";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { accepted, FOUNDING, Life } from "../storage/fixtures.ts";

const SLOTS = 12;
const DAMAGES = 3_000;
const NOTICED = ["SYNOD_ERR_CORRUPT", "SYNOD_ERR_FENCED"];

/** A member's disk after a power loss: every slot was durable, and no mark covers the last batch. */
async function usedDisk(random: SeededRandom): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk, { segmentBytes: 4096 });
  await life.storage.saveFounding(FOUNDING);
  for (let slot = 1; slot <= SLOTS; slot++) await life.keep(accepted(slot, 1, new Uint8Array(random.integer(1, 900)).fill(slot)));
  disk.losePower(0);
  return disk;
}

/** How many slots the next life finds; null: it notices the damage. */
async function slotsFound(disk: SimulatedDisk): Promise<number | null> {
  try {
    return (await Life.begin(disk)).recovered.entries.length;
  } catch (error) {
    if (error instanceof SynodError && NOTICED.includes(error.code)) return null;
    throw error;
  }
}

it("damages a disk in such ways only that a member starts with all that was durable, or notices (rule 14)", async () => {
  const random = new SeededRandom(1);
  const outcomes = new Map<number | null, number>();
  let disk = await usedDisk(random);
  for (let damage = 0; damage < DAMAGES; damage++) {
    if (damage % 50 === 0) disk = await usedDisk(random);
    const damaged = disk.clone();
    damageSomething(damaged, random);
    const found = await slotsFound(damaged);
    outcomes.set(found, (outcomes.get(found) ?? 0) + 1);
  }
  expect([...outcomes.keys()].toSorted()).toEqual([SLOTS, null].toSorted());
  expect(outcomes.get(null)).toBeGreaterThan(DAMAGES / 2);
});
