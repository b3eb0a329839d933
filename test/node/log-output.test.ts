import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LogOutput } from "../../src/node/log-output.ts";

let folder = "";
const fds: number[] = [];

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "synod-log-"))));
afterEach(() => {
  for (const fd of fds.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true, force: true });
});

function opened(path: string, flags: string): number {
  const fd = openSync(path, flags);
  fds.push(fd);
  return fd;
}

it("writes every line, in order, by the time it is flushed", async () => {
  const output = new LogOutput({ fd: opened(join(folder, "log"), "w") });
  const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index}\n`);
  for (const line of lines.slice(0, 500)) output.write(line);
  expect(await output.flush(5_000)).toBe(true);
  for (const line of lines.slice(500)) output.write(line);
  expect(await output.flush(5_000)).toBe(true);
  expect(readFileSync(join(folder, "log"), "utf8")).toBe(lines.join(""));
  expect(output.dropped).toBe(0);
});

it.runIf(existsSync("/dev/full"))("drops what cannot be written, and goes on", async () => {
  const output = new LogOutput({ fd: opened("/dev/full", "w") });
  output.write("lost\n");
  expect(await output.flush(5_000)).toBe(true);
  output.write("lost too\n");
  expect(await output.flush(5_000)).toBe(true);
  expect(output.dropped).toBe(2);
});

it("says that it could not write while nobody reads, holds a bounded number of bytes, and writes on once somebody does", async () => {
  const path = join(folder, "pipe");
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  const reader = opened(path, "r+");
  const output = new LogOutput({ fd: opened(path, "w"), maxBytes: 200_000 });
  const line = `${"x".repeat(9_999)}\n`;
  for (let count = 0; count < 20; count++) output.write(line);
  expect(await output.flush(50)).toBe(false);
  for (let count = 0; count < 30; count++) output.write(line);
  expect(output.dropped).toBe(10);
  const flushed = output.flush(5_000);
  const { read } = await import("node:fs");
  const buffer = Buffer.alloc(65_536);
  let bytes = 0;
  while (bytes < 40 * line.length) {
    bytes += await new Promise<number>((resolve, reject) => read(reader, buffer, (error, count) => (error === null ? resolve(count) : reject(error))));
  }
  expect(await flushed).toBe(true);
  expect(bytes).toBe(40 * line.length);
});
