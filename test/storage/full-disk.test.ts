import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";
import { accepted, entriesOf, FOLDER, Life, promised, snapshotHandle, stream } from "./fixtures.ts";

const SEGMENT = 8192;
const RESERVE = `${FOLDER}/log/reserve`;
const filler = (at: number) => accepted(at, 1, new Uint8Array(1_500).fill(at));

/** Lets what runs in the background go as far as it goes. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2_000; turn++) await undefined;
}

/** A member whose disk holds its first segment, the next one and the reserve, and not a byte more. */
async function onDiskThatIsJustLargeEnough(): Promise<{ disk: SimulatedDisk; life: Life }> {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await settle();
  disk.capacityBytes = disk.usedBytes;
  return { disk, life };
}

/** Appends until the storage says that the disk is full. Returns how many. */
async function fill(life: Life): Promise<number> {
  let count = 0;
  while (!life.storage.stats().full) {
    await life.keep(filler(++count));
    await settle();
  }
  return count;
}

describe("a full disk", () => {
  it("is told when no further segment can be made, and until then and after it all records are taken", async () => {
    const { life } = await onDiskThatIsJustLargeEnough();
    expect(life.recorder.space).toEqual([]);
    const count = await fill(life);
    expect(life.recorder.space).toEqual([true]);
    expect(life.storage.stats().scarce).toBe(false);
    for (let at = count + 1; at < count + 6; at++) await life.keep(filler(at));
    expect(life.recorder.failures).toEqual([]);
  });

  it("becomes scarce and then takes nothing, and nothing is lost when space comes back", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    let at = await fill(life);
    while (!life.storage.stats().scarce) await life.keep(filler(++at));
    for (let more = 0; more < 8; more++) life.append(filler(++at));
    await settle();
    expect(life.recorder.durable).toBeLessThan(at);
    expect(life.recorder.failures).toEqual([]);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    for (let second = 0; second < 3; second++) {
      life.timers.advance(1_000);
      await settle();
    }
    expect(life.recorder.durable).toBe(at);
    expect(life.recorder.space).toEqual([true, false]);
    expect(life.storage.stats()).toMatchObject({ full: false, scarce: false });
    await life.storage.close();
    expect(entriesOf((await Life.begin(disk)).recovered)).toHaveLength(at);
  });

  it("keeps its reserve for what fits into it: a larger batch waits for space", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    const at = await fill(life);
    life.append(accepted(at + 1, 1, new Uint8Array(2 * SEGMENT).fill(7)));
    await settle();
    expect(life.recorder.durable).toBe(at);
    expect(disk.paths()).toContain(RESERVE);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    for (let second = 0; second < 3; second++) {
      life.timers.advance(1_000);
      await settle();
    }
    expect(life.recorder.durable).toBe(at + 1);
    await life.storage.close();
    expect(entriesOf((await Life.begin(disk)).recovered)).toHaveLength(at + 1);
  });

  it("is asked again once a second whether it has room", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    await fill(life);
    life.timers.advance(1_000);
    await settle();
    expect(life.storage.stats().full).toBe(true);
    disk.capacityBytes += SEGMENT;
    life.timers.advance(1_000);
    await settle();
    expect(life.recorder.space).toEqual([true, false]);
  });

  it("lets a member start again, from the reserve, and tells a start for which nothing is left what is missing", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    const count = await fill(life);
    await life.storage.close();
    // Somebody else takes what removing files gives free.
    disk.capacityBytes -= SEGMENT;
    const second = await Life.begin(disk);
    expect(entriesOf(second.recovered)).toHaveLength(count);
    await second.keep(promised(7));
    await second.storage.close();
    expect(disk.paths()).not.toContain(RESERVE);
    disk.capacityBytes = 0;
    const error = await Life.begin(disk).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SynodError);
    expect(error).toMatchObject({ code: "SYNOD_ERR_NO_SPACE" });
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    expect((await Life.begin(disk)).recovered.promised.round).toBe(7);
  });

  it("lets a member start again and again while a snapshot covers what it wrote", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    const count = await fill(life);
    disk.capacityBytes += 1_000;
    await life.storage.writeSnapshot(snapshotHandle(count), stream(new Uint8Array(10)));
    await life.storage.close();
    for (let start = 0; start < 5; start++) {
      const next = await Life.begin(disk);
      await next.keep(promised(start + 2));
      await settle();
      await next.storage.close();
    }
  });

  it("leaves its reserve untouched at a start for which what the last life prepared is room enough", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    await life.storage.close();
    const next = await Life.begin(disk);
    await next.keep(promised(2));
    expect(disk.paths()).toContain(RESERVE);
    next.timers.advance(1_000);
    await settle();
    expect(next.storage.stats().full).toBe(false);
  });

  it("gets space back from segments that a snapshot covers as soon as the log rolls over", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    for (const at of [1, 2, 3]) await life.keep(filler(at));
    disk.capacityBytes += 1_000;
    await life.storage.writeSnapshot(snapshotHandle(3), stream(new Uint8Array(10)));
    const first = `${FOLDER}/log/0000000001.log`;
    expect(disk.paths()).toContain(first);
    for (let round = 2; disk.paths().includes(first); round++) {
      expect(round).toBeLessThan(40);
      await life.keep(promised(round));
      await settle();
    }
    life.timers.advance(1_000);
    await settle();
    expect(life.storage.stats().full).toBe(false);
  });

  it("keeps nothing of a snapshot for which it has no room", async () => {
    const { disk, life } = await onDiskThatIsJustLargeEnough();
    await life.keep(filler(1));
    await expect(life.storage.writeSnapshot(snapshotHandle(1), stream(new Uint8Array(200_000)))).rejects.toMatchObject({ code: "ENOSPC" });
    expect(disk.paths().filter((path) => path.includes("snap"))).toEqual([]);
    await life.keep(filler(2));
  });

  it("does not hold up a close, though a batch waits for space", async () => {
    const { life } = await onDiskThatIsJustLargeEnough();
    let at = await fill(life);
    for (let more = 0; more < 20; more++) life.append(filler(++at));
    await settle();
    await life.storage.close();
    expect(life.recorder.durable).toBeLessThan(at);
  });
});

it.each([["with a byte in it that is not zero", new Uint8Array(SEGMENT).fill(1, 100, 101)], ["of another size", new Uint8Array(SEGMENT - 512)]])(
  "a reserve %s is replaced", async (_what, bytes) => {
    const disk = new SimulatedDisk();
    const life = await Life.begin(disk);
    await life.storage.close();
    disk.plant(RESERVE, bytes);
    await Life.begin(disk);
    await settle();
    expect(disk.contents(RESERVE)).toEqual(new Uint8Array(SEGMENT));
  });

it("loses no durable record on disks that fill and empty, whenever the power goes (300 seeds)", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const disk = new SimulatedDisk(seed);
    let kept = 0;
    let at = 0;
    for (let lives = 0; lives < 4; lives++) {
      const life = await Life.begin(disk).catch((error: unknown) => error);
      if (!(life instanceof Life)) {
        expect(life, `seed ${seed}`).toMatchObject({ code: "SYNOD_ERR_NO_SPACE" });
        disk.capacityBytes = Number.POSITIVE_INFINITY;
        continue;
      }
      const found = life.recovered.entries.map(({ slot }) => Number(slot));
      expect(found, `seed ${seed} life ${lives}`).toEqual(Array.from({ length: found.length }, (_, index) => index + 1));
      expect(found.length, `seed ${seed} life ${lives}`).toBeGreaterThanOrEqual(kept);
      at = found.length;
      for (let step = 0; step < 25; step++) {
        if (random.chance(0.15)) disk.capacityBytes = disk.usedBytes + random.integer(0, 2 * SEGMENT);
        if (random.chance(0.2)) life.timers.advance(1_000);
        life.append(filler(++at));
        for (let turn = random.integer(0, 60); turn > 0; turn--) await undefined;
      }
      kept = found.length + life.recorder.durable;
      if (random.chance(0.5)) disk.kill();
      else disk.losePower();
    }
  }
});
