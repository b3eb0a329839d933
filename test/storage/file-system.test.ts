import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NodeFileSystem } from "../../src/storage/file-system.ts";
import { VolatileFileSystem } from "../support/volatile-file-system.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-files-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe.each([["real", () => new NodeFileSystem()], ["volatile", () => new VolatileFileSystem()]])("the %s file system", (_kind, make) => {
  it("writes, reads, renames, lists and removes", async () => {
    const files = make();
    const nested = join(folder, "a/b");
    await files.makeFolder(nested);
    const file = await files.open(join(nested, "one"), "create");
    await file.write(Uint8Array.of(1, 2, 3), 2);
    expect(await file.size()).toBe(5);
    expect([...(await file.read(1, 10))]).toEqual([0, 1, 2, 3]);
    await file.datasync();
    await file.write(Uint8Array.of(9), 3);
    await file.close();
    await files.rename(join(nested, "one"), join(nested, "two"));
    await files.syncFolder(nested);
    expect(await files.list(nested)).toEqual(["two"]);
    expect([...((await files.readFile(join(nested, "two"))) ?? [])]).toEqual([0, 0, 1, 9, 3]);
    await files.remove(join(nested, "two"));
    await files.remove(join(nested, "two"));
    expect(await files.readFile(join(nested, "two"))).toBeNull();
  });

  it("does not create over a file, nor open one that is not there", async () => {
    const files = make();
    await (await files.open(join(folder, "one"), "create")).close();
    await expect(files.open(join(folder, "one"), "create")).rejects.toMatchObject({ code: "EEXIST" });
    await expect(files.open(join(folder, "two"), "write")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("gives a lock to one holder at a time", async () => {
    const files = make();
    const release = await files.lock(join(folder, "lock"));
    await expect(make().lock(join(folder, "lock"))).rejects.toMatchObject({ code: "SYNOD_ERR_FOLDER_LOCKED" });
    await release();
    await (await files.lock(join(folder, "lock")))();
  });
});

it("keeps from the real disk what the volatile file system was not told to sync", async () => {
  const [files, disk] = [new VolatileFileSystem(), new NodeFileSystem()];
  const path = join(folder, "one");
  const file = await files.open(path, "create");
  await file.write(Uint8Array.of(1), 0);
  await file.datasync();
  expect(await disk.readFile(path)).toBeNull();
  await files.syncFolder(folder);
  await file.write(Uint8Array.of(2), 0);
  expect([...((await disk.readFile(path)) ?? [])]).toEqual([1]);
  await file.datasync();
  expect([...((await disk.readFile(path)) ?? [])]).toEqual([2]);
  await file.close();
});
