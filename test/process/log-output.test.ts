import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findPorts } from "../../src/local/ports.ts";

/*
 * What becomes of a member's log is none of the member's business: it starts, answers and stops whoever reads the log, slowly or not at all.
 */

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
const STOP_MS = 5_000;
let folder = "";
let child: ChildProcess | null = null;

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "synod-output-"))));
afterEach(() => {
  child?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a member with this standard output, and stops it once it answers. Says how it ended. */
async function liveWith(stdout: number | "pipe"): Promise<{ code: number | null; signal: NodeJS.Signals | null; ms: number }> {
  const [port] = await findPorts("127.0.0.1", [null]);
  const member = spawn(process.execPath, [MAIN, "node", "--name", "a", "--data", join(folder, "data"), "--listen", `127.0.0.1:${port}`], {
    stdio: ["ignore", stdout, "inherit"],
  });
  child = member;
  // The reader of a pipe goes away before anything is written.
  member.stdout?.destroy();
  const ended = once(member, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const url = `http://127.0.0.1:${port}/healthz`;
  await expect.poll(() => fetch(url).then(({ status }) => status, () => 0), { timeout: 15_000, interval: 50 }).toBe(200);
  const stoppedAt = performance.now();
  member.kill("SIGTERM");
  const [code, signal] = await ended;
  return { code, signal, ms: performance.now() - stoppedAt };
}

it.runIf(existsSync("/dev/full"))("a member whose log cannot be written starts, answers and stops", async () => {
  const full = openSync("/dev/full", "w");
  const { code, ms } = await liveWith(full);
  closeSync(full);
  expect(code).toBe(0);
  expect(ms).toBeLessThan(STOP_MS);
});

it("a member whose log's reader is gone starts, answers and stops", async () => {
  const { code, ms } = await liveWith("pipe");
  expect(code).toBe(0);
  expect(ms).toBeLessThan(STOP_MS);
});

it("a member whose log nobody reads, so that its pipe is full, starts, answers and ends within a bound", async () => {
  const path = join(folder, "pipe");
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  fill(reader);
  const writer = openSync(path, "w");
  const { signal, ms } = await liveWith(writer);
  for (const fd of [reader, writer]) closeSync(fd);
  expect(signal).toBe("SIGKILL");
  expect(ms).toBeLessThan(STOP_MS);
});

/** Writes until the pipe takes no more. */
function fill(fd: number): void {
  for (let bytes = 4_096; bytes > 0; ) {
    try {
      writeSync(fd, Buffer.alloc(bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      bytes = Math.floor(bytes / 2);
    }
  }
}
