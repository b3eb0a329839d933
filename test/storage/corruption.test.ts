import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { accepted, campaign, chosen, entriesOf, FOLDER, FOUNDING, Life, promised, snapshotHandle, stream } from "./fixtures.ts";
import { type Operation, SimulatedDisk } from "../../src/sim/simulated-disk.ts";

const SECTOR = 512;
const LOG = `${FOLDER}/log/0000000001.log`;

async function errorOf(disk: SimulatedDisk): Promise<SynodError | null> {
  try {
    await Life.begin(disk);
    return null;
  } catch (error) {
    if (error instanceof SynodError) return error;
    throw error;
  }
}

function flip(disk: SimulatedDisk, path: string, at: number, mask = 1): void {
  const bytes = disk.contents(path);
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  disk.plant(path, bytes);
}

function zeroSector(disk: SimulatedDisk, sector: number): void {
  const bytes = disk.contents(LOG);
  disk.plant(LOG, bytes.fill(0, sector * SECTOR, (sector + 1) * SECTOR));
}

/** Sector 0 opens the segment, 1 holds slot 1, 2 to 4 hold slot 2. */
async function twoBatches(marked: boolean): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk);
  await life.keep(accepted(1, 1, "one"));
  await life.keep(accepted(2, 1, new Uint8Array(1200).fill(120)));
  if (marked) await life.idle();
  disk.losePower(0);
  return disk;
}

describe("a damaged log", () => {
  it("is found corrupt when a bit below the last mark is flipped, and says where", async () => {
    const disk = await twoBatches(true);
    flip(disk, LOG, SECTOR + 70);
    expect(await errorOf(disk)).toMatchObject({ code: "SYNOD_ERR_CORRUPT", details: { file: LOG, offset: SECTOR } });
  });

  it("is found corrupt when a bit of the last acknowledged batch is flipped, though nothing follows it", async () => {
    for (const at of [2 * SECTOR + 10, 3 * SECTOR + 10, 4 * SECTOR + 200, 4 * SECTOR + 509]) {
      const disk = await twoBatches(false);
      flip(disk, LOG, at);
      expect((await errorOf(disk))?.code, `byte ${at}`).toBe("SYNOD_ERR_CORRUPT");
    }
  });

  it("is found corrupt when a sector below the last mark is zero", async () => {
    for (const sector of [1, 2, 3, 4]) {
      const disk = await twoBatches(true);
      zeroSector(disk, sector);
      expect((await errorOf(disk))?.code, `sector ${sector}`).toBe("SYNOD_ERR_CORRUPT");
    }
  });

  it("is found corrupt when the header sector of a segment in use is zero", async () => {
    const disk = await twoBatches(true);
    zeroSector(disk, 0);
    expect((await errorOf(disk))?.code).toBe("SYNOD_ERR_CORRUPT");
  });

  it("is found corrupt when a batch stands where another belongs", async () => {
    const disk = await twoBatches(true);
    const bytes = disk.contents(LOG);
    bytes.copyWithin(2 * SECTOR, SECTOR, 2 * SECTOR);
    disk.plant(LOG, bytes);
    expect((await errorOf(disk))?.code).toBe("SYNOD_ERR_CORRUPT");
  });

  it("is found corrupt when it comes from another folder", async () => {
    const [ours, other] = [await twoBatches(true), await twoBatches(true)];
    ours.plant(LOG, other.contents(LOG));
    expect((await errorOf(ours))?.code).toBe("SYNOD_ERR_CORRUPT");
  });

  it("is refused ever after, also when it reads right again", async () => {
    const disk = await twoBatches(true);
    flip(disk, LOG, SECTOR + 70);
    expect((await errorOf(disk))?.code).toBe("SYNOD_ERR_CORRUPT");
    flip(disk, LOG, SECTOR + 70);
    expect(await errorOf(disk)).toMatchObject({ code: "SYNOD_ERR_FENCED", message: expect.stringContaining(LOG), details: { kind: "corrupt" } });
  });

  it("is found corrupt when the file was cut off", async () => {
    const disk = await twoBatches(true);
    disk.plant(LOG, disk.contents(LOG).subarray(0, 5 * SECTOR));
    expect((await errorOf(disk))?.code).toBe("SYNOD_ERR_CORRUPT");
  });
});

describe("a batch that was not completely written", () => {
  it.each([2, 3, 4])("is discarded whole when sector %i never arrived, whichever others did", async (sector) => {
    const disk = await twoBatches(false);
    zeroSector(disk, sector);
    expect(entriesOf((await Life.begin(disk)).recovered)).toEqual(["1:1:one"]);
  });

  it("leaves the same disk as one whose only sector turned into zeros later, so that nothing can tell these apart", async () => {
    const disk = new SimulatedDisk();
    const life = await Life.begin(disk);
    await life.keep(accepted(1, 1, "one"));
    const before = disk.clone();
    await life.keep(accepted(2, 1, "two"));
    disk.losePower(0);
    expect(disk.contents(LOG)).not.toEqual(before.contents(LOG));
    zeroSector(disk, 2);
    expect(disk.paths().map((path) => disk.contents(path))).toEqual(before.paths().map((path) => before.contents(path)));
  });

  it("is never read again, not even when its missing sector turns up", async () => {
    const disk = await twoBatches(false);
    const whole = disk.contents(LOG);
    zeroSector(disk, 3);
    const life = await Life.begin(disk);
    await life.keep(promised(9));
    disk.losePower(0);
    disk.plant(LOG, whole);
    expect(entriesOf((await Life.begin(disk)).recovered)).toEqual(["1:1:one"]);
  });
});

/** Founding, a snapshot, a segment before it and one after, a little data everywhere. */
async function smallFolder(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const life = await Life.begin(disk, { segmentBytes: 2048 });
  await life.storage.saveFounding(FOUNDING);
  await life.keep(campaign(3));
  await life.storage.writeSnapshot(snapshotHandle(2), stream(new Uint8Array(100).fill(5)));
  await life.keep(accepted(3, 3, "three"), accepted(4, 3, new Uint8Array(600).fill(52)), chosen(4));
  await life.keep(accepted(5, 3, "five"));
  await life.idle();
  await life.storage.close();
  disk.losePower(0);
  return disk;
}

async function everything(disk: SimulatedDisk): Promise<string> {
  const { storage } = await Life.begin(disk);
  const reader = await storage.openSnapshot();
  const state = reader === null ? null : [...(await reader.read(0, reader.size))];
  return JSON.stringify([storage.identity, storage.founding, storage.recovered, state]);
}

it("gives the right data or SYNOD_ERR_CORRUPT whichever byte of a folder is flipped", async () => {
  const original = await smallFolder();
  const expected = await everything(original.clone());
  const tally = { right: 0, corrupt: 0 };
  for (const path of original.paths()) {
    const length = original.contents(path).length;
    for (let at = 0; at < length; at++) {
      const disk = original.clone();
      flip(disk, path, at, 1 << (at % 8));
      try {
        expect(await everything(disk), `${path} byte ${at}`).toBe(expected);
        tally.right += 1;
      } catch (error) {
        if (!(error instanceof SynodError)) throw error;
        expect(error.code, `${path} byte ${at}`).toBe("SYNOD_ERR_CORRUPT");
        tally.corrupt += 1;
      }
    }
  }
  expect(tally.corrupt).toBeGreaterThan(1000);
}, 120_000);

describe("a folder that lost a file", () => {
  it.each([
    ["identity.json", "SYNOD_ERR_CORRUPT"],
    ["founding.json", "SYNOD_ERR_CORRUPT"],
    ["log/0000000002.log", "SYNOD_ERR_CORRUPT"],
    ["snapshots/20.snap", "SYNOD_ERR_CORRUPT"],
  ])("is refused without %s", async (name, code) => {
    const disk = new SimulatedDisk();
    const life = await Life.begin(disk);
    for (const at of [1, 30, 31, 32]) await life.keep(accepted(at, 1, new Uint8Array(7000)));
    await life.storage.writeSnapshot(snapshotHandle(20), stream());
    await life.keep(accepted(33, 1, new Uint8Array(7000)));
    await life.storage.close();
    const damaged = new SimulatedDisk();
    const lost = name === "log/0000000002.log" ? "log/0000000004.log" : name;
    expect(disk.paths()).toContain(`${FOLDER}/${lost}`);
    for (const path of disk.paths()) if (path !== `${FOLDER}/${lost}`) damaged.plant(path, disk.contents(path));
    expect((await errorOf(damaged))?.code).toBe(code);
  });

  it("is refused without the oldest segment, when it holds slots above the snapshot that are known to be chosen", async () => {
    const disk = new SimulatedDisk();
    const life = await Life.begin(disk);
    for (const at of [1, 2]) await life.keep(accepted(at, 1, new Uint8Array(7000)), chosen(at));
    await life.storage.writeSnapshot(snapshotHandle(2), stream());
    for (const at of [3, 4, 5]) await life.keep(accepted(at, 1, new Uint8Array(7000)), chosen(at));
    await life.storage.close();
    const damaged = new SimulatedDisk();
    const oldest = disk.paths().find((path) => path.endsWith(".log"));
    for (const path of disk.paths()) if (path !== oldest) damaged.plant(path, disk.contents(path));
    expect(await errorOf(damaged)).toMatchObject({ code: "SYNOD_ERR_CORRUPT", message: expect.stringContaining("slot 3 is missing") });
    expect(await errorOf(disk)).toBeNull();
  });

  it("is refused without any log when it was founded", async () => {
    const disk = await smallFolder();
    const damaged = new SimulatedDisk();
    for (const path of disk.paths()) if (!path.endsWith(".log") && !path.endsWith(".snap")) damaged.plant(path, disk.contents(path));
    expect((await errorOf(damaged))?.code).toBe("SYNOD_ERR_CORRUPT");
  });
});

it("reports what the disk says as SYNOD_ERR_DISK when it cannot open, and gives the folder free", async () => {
  const disk = await smallFolder();
  disk.fail = ({ kind, path }: Operation) => kind === "datasync" && path.endsWith(".log");
  expect((await errorOf(disk))?.code).toBe("SYNOD_ERR_DISK");
  disk.fail = () => false;
  expect(await errorOf(disk)).toBeNull();
});
