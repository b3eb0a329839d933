import { slot } from "../../src/paxos/ids.ts";
import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { foundCluster } from "../../src/founding/founder.ts";
import type { RecordFiles } from "../../src/founding/record.ts";
import type { Founding } from "../../src/storage/interface.ts";

class Crash extends Error {}

/** Counts the steps of a run, of whatever kind, and crashes at one of them: before or after it takes effect. */
class Steps {
  readonly #crashAt: number;
  readonly #before: boolean;
  taken: string[] = [];

  constructor(crashAt = -1, before = true) {
    this.#crashAt = crashAt;
    this.#before = before;
  }

  async run<T>(name: string, act: () => T | Promise<T>): Promise<T> {
    const index = this.taken.push(name) - 1;
    if (index >= this.#crashAt && this.#crashAt >= 0 && this.#before) throw new Crash(name);
    const result = await act();
    if (index >= this.#crashAt && this.#crashAt >= 0) throw new Crash(name);
    return result;
  }
}

interface FakeFile {
  written: Uint8Array;
  synced: Uint8Array;
}

/** A disk on which a power loss takes whatever was not synced: contents, and names of files in the folder. */
class FakeDisk {
  #names = new Map<string, FakeFile>();
  #syncedNames = new Map<string, FakeFile>();

  files(steps: Steps): RecordFiles {
    return {
      makeFolder: () => steps.run("makeFolder", () => {}),
      readFile: async (path) => this.#names.get(path)?.written ?? null,
      remove: (path) => steps.run("remove", () => void this.#names.delete(path)),
      rename: (from, to) => steps.run("rename", () => {
        const file = this.#names.get(from);
        if (file === undefined) throw new Error(`no ${from}`);
        this.#names.delete(from);
        this.#names.set(to, file);
      }),
      syncFolder: () => steps.run("syncFolder", () => void (this.#syncedNames = new Map(this.#names))),
      open: (path) => steps.run("open", () => {
        if (this.#names.has(path)) throw new Error(`${path} is there`);
        const file: FakeFile = { written: new Uint8Array(0), synced: new Uint8Array(0) };
        this.#names.set(path, file);
        return {
          write: (bytes) => steps.run("write", () => void (file.written = bytes.slice())),
          datasync: () => steps.run("datasync", () => void (file.synced = file.written)),
          read: async () => file.written, size: async () => file.written.length, close: async () => {},
        };
      }),
    };
  }

  losePower(): void {
    this.#names = new Map(this.#syncedNames);
    for (const file of this.#names.values()) file.written = file.synced;
  }

  put(path: string, text: string): void {
    const bytes = new TextEncoder().encode(text);
    const file = { written: bytes, synced: bytes };
    this.#names.set(path, file);
    this.#syncedNames.set(path, file);
  }
}

interface FakeMember {
  name: string;
  incarnation: string;
  founding: Founding | null;
  down?: boolean;
}

const digits = (digit: string): string => digit.repeat(32);

function members(count: number): FakeMember[] {
  return Array.from({ length: count }, (_, index) => ({ name: `n${index + 1}`, incarnation: digits(String(index + 1)), founding: null }));
}

function fakeFetch(all: readonly FakeMember[], steps: Steps) {
  return (url: string, init: RequestInit): Promise<Response> => steps.run(`${init.method}`, async () => {
    const member = all[Number(new URL(url).port) - 7001];
    if (member === undefined || member.down === true) throw new TypeError("fetch failed");
    if (init.method === "POST") {
      const { incarnation, founding } = JSON.parse(String(init.body)) as { incarnation: string; founding: Founding };
      if (incarnation !== member.incarnation) return error("SYNOD_ERR_WRONG_INCARNATION");
      if (member.founding !== null && member.founding.cluster !== founding.cluster) return error("SYNOD_ERR_ALREADY_FOUNDED");
      member.founding = founding;
    }
    return Response.json({ member: member.name, incarnation: member.incarnation, cluster: member.founding?.cluster ?? null });
  });
}

function error(code: "SYNOD_ERR_WRONG_INCARNATION" | "SYNOD_ERR_ALREADY_FOUNDED" | "SYNOD_ERR_STOPPING"): Response {
  const thrown = new SynodError(code);
  return Response.json(thrown.toBody(), { status: thrown.kind.status });
}

let drawn = 0;

interface Run {
  all: FakeMember[];
  disk?: FakeDisk;
  steps?: Steps;
  urls?: string[];
  onPause?: (nowMs: number) => void;
}

/** One run of the founder, with time that passes only while it pauses. */
function found({ all, disk = new FakeDisk(), steps = new Steps(), urls, onPause }: Run): Promise<Founding> {
  let nowMs = 0;
  return foundCluster({
    record: "/data/founding.json",
    urls: urls ?? all.map((_, index) => `http://127.0.0.1:${7001 + index}`),
    fetch: fakeFetch(all, steps),
    files: disk.files(steps),
    drawClusterId: () => (++drawn).toString(16).padStart(32, "0"),
    now: () => nowMs,
    pause: async (ms) => { nowMs += ms; onPause?.(nowMs); },
    timeoutMs: 10_000,
  });
}

describe("the founder", () => {
  it("gives every member one document with all incarnations", async () => {
    const all = members(3);
    const founding = await found({ all });
    expect(founding.configuration.voters).toEqual(all.map(({ name, incarnation }, index) => ({ name, incarnation, address: `127.0.0.1:${7001 + index}` })));
    for (const member of all) expect(member.founding).toEqual(founding);
  });

  it("has the document on disk before it sends anything", async () => {
    const steps = new Steps();
    await found({ all: members(2), steps });
    const order = steps.taken.filter((step) => step !== "GET");
    expect(order).toEqual(["makeFolder", "open", "write", "datasync", "rename", "syncFolder", "POST", "POST"]);
  });

  it("never makes two clusters, whatever step it crashes at and whether unsynced bytes survive", async () => {
    const rehearsal = new Steps();
    await found({ all: members(3), steps: rehearsal });
    expect(rehearsal.taken.length).toBeGreaterThan(12);
    for (let step = 0; step < rehearsal.taken.length; step += 1) {
      for (const before of [true, false]) {
        for (const powerLoss of [true, false]) {
          const all = members(3);
          const disk = new FakeDisk();
          await found({ all, disk, steps: new Steps(step, before) }).catch(() => {});
          if (powerLoss) disk.losePower();
          const founding = await found({ all, disk });
          for (const member of all) expect(member.founding).toEqual(founding);
        }
      }
    }
  });

  it("keeps its word when power is lost after a second run that was also cut short", async () => {
    const all = members(2);
    const disk = new FakeDisk();
    const rehearsal = new Steps();
    await found({ all: members(2), steps: rehearsal });
    await found({ all, disk, steps: new Steps(rehearsal.taken.indexOf("rename"), false) }).catch(() => {});
    const second = new Steps();
    await found({ all, disk, steps: second });
    expect(second.taken.indexOf("syncFolder")).toBeLessThan(second.taken.indexOf("POST"));
    disk.losePower();
    const founding = await found({ all, disk });
    for (const member of all) expect(member.founding).toEqual(founding);
  });

  it("waits for a member that starts late", async () => {
    const all = members(3);
    const late = all[2] as FakeMember;
    late.down = true;
    await found({ all, onPause: (nowMs) => { if (nowMs >= 5_000) late.down = false; } });
    expect(late.founding).not.toBeNull();
  });

  it("gives up after its time, without having founded anything, when a member never answers", async () => {
    const all = members(3);
    (all[1] as FakeMember).down = true;
    const disk = new FakeDisk();
    await expect(found({ all, disk })).rejects.toMatchObject({ code: "SYNOD_ERR_UNREACHABLE" });
    expect(all.every((member) => member.founding === null)).toBe(true);
    expect(await disk.files(new Steps()).readFile("/data/founding.json")).toBeNull();
  });

  it("refuses when a reachable member is founded already, even while others do not answer", async () => {
    const all = members(3);
    (all[0] as FakeMember).down = true;
    (all[2] as FakeMember).founding = { cluster: digits("f"), configuration: { voters: [], learners: [], removed: [] }, configurationSlot: slot(0) };
    await expect(found({ all })).rejects.toMatchObject({ code: "SYNOD_ERR_ALREADY_FOUNDED" });
    expect(all[1]?.founding).toBeNull();
  });

  it("refuses a member that lost its folder after it was recorded", async () => {
    const all = members(3);
    const disk = new FakeDisk();
    await found({ all, disk });
    Object.assign(all[2] as FakeMember, { incarnation: digits("e"), founding: null });
    await expect(found({ all, disk })).rejects.toMatchObject({ code: "SYNOD_ERR_WRONG_INCARNATION" });
    expect(all[2]?.founding).toBeNull();
  });

  it("wants the addresses of all recorded members", async () => {
    const all = members(3);
    const disk = new FakeDisk();
    await found({ all, disk });
    const urls = ["http://127.0.0.1:7001", "http://127.0.0.1:7002"];
    await expect(found({ all, disk, urls })).rejects.toThrow(/also names n3/);
  });

  it("refuses two addresses of one member, no address, too many, and what is no URL", async () => {
    const all = members(2);
    for (const urls of [["http://127.0.0.1:7001", "http://localhost:7001"], [], Array.from({ length: 10 }, () => "http://h:7001"), ["n1:7001"]]) {
      await expect(found({ all, urls })).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST" });
    }
  });

  it("never overwrites a record that it cannot read", async () => {
    const disk = new FakeDisk();
    disk.put("/data/founding.json", "{ half");
    await expect(found({ all: members(1), disk })).rejects.toMatchObject({ code: "SYNOD_ERR_CORRUPT" });
  });
});
