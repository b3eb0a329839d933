import { mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DiskThread } from "../../src/storage/disk-thread.ts";
import type { DurableWriter } from "../../src/storage/durable-writer.ts";
import { NodeFileSystem } from "../../src/storage/file-system.ts";
import type { FileHandle } from "../../src/storage/interface.ts";

const files = new NodeFileSystem();
let folder = "";
let writer: DurableWriter;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-durable-"));
  writer = files.durableWriter();
});

afterEach(async () => {
  await writer.close();
  await rm(folder, { recursive: true, force: true });
});

function write(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => writer.write(file, bytes, position, (error) => (error === null ? resolve() : reject(error))));
}

it("writes bytes where they belong, of one file and another, one write after the other", async () => {
  const [one, two] = [await files.open(join(folder, "one"), "create"), await files.open(join(folder, "two"), "create")];
  await write(one, Uint8Array.of(1, 2, 3), 2);
  await write(two, Uint8Array.of(4), 0);
  await write(one, Uint8Array.of(9), 3);
  expect([...(await one.read(0, 10))]).toEqual([0, 0, 1, 9, 3]);
  expect([...(await two.read(0, 10))]).toEqual([4]);
  await Promise.all([one.close(), two.close()]);
});

it.each([DiskThread.MAX_BYTES, DiskThread.MAX_BYTES + 1])("writes %i bytes", async (length) => {
  const file = await files.open(join(folder, "large"), "create");
  const bytes = Uint8Array.from({ length }, (_, index) => index % 251);
  await write(file, bytes, 512);
  expect(Buffer.compare(await file.read(512, length + 1), bytes)).toBe(0);
  await file.close();
});

it("reaches beyond 4 GiB", async () => {
  const file = await files.open(join(folder, "sparse"), "create");
  const far = 5 * 2 ** 30;
  await write(file, Uint8Array.of(7), far);
  expect([...(await file.read(far, 2))]).toEqual([7]);
  await file.close();
});

it.runIf(existsSync("/dev/full"))("tells a full disk by its code, and writes on once there is room", async () => {
  const [full, file] = [await files.open("/dev/full", "write"), await files.open(join(folder, "one"), "create")];
  await expect(write(full, Uint8Array.of(1), 0)).rejects.toMatchObject({ code: "ENOSPC" });
  await write(file, Uint8Array.of(1), 0);
  expect(await file.size()).toBe(1);
  await Promise.all([full.close(), file.close()]);
});

it("reports what cannot be written to, and does not hang once it is closed", async () => {
  const [readOnly, file] = [await files.open(import.meta.filename, "read"), await files.open(join(folder, "one"), "create")];
  await expect(write(readOnly, Uint8Array.of(1), 0)).rejects.toMatchObject({ code: "EBADF" });
  await writer.close();
  await expect(write(file, Uint8Array.of(1), 0)).rejects.toThrow("has ended");
  await Promise.all([readOnly.close(), file.close()]);
});
