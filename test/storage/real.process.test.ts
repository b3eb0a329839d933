import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const PROGRAM = join(import.meta.dirname, "storage-process.ts");

let folder = "";
let children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "synod-storage-"));
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await rm(folder, { recursive: true, force: true });
});

class Program {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #onLine: () => void = () => {};

  constructor(...parameters: string[]) {
    this.#child = spawn(process.execPath, [PROGRAM, folder, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(this.#child);
    this.#ended = once(this.#child, "close");
    if (this.#child.stdout === null) throw new Error("no output");
    createInterface(this.#child.stdout).on("line", (line) => {
      this.lines.push(line);
      this.#onLine();
    });
  }

  async line(matches: (line: string) => boolean): Promise<string> {
    for (;;) {
      const found = this.lines.find(matches);
      if (found !== undefined) return found;
      const more = new Promise<void>((resolve) => (this.#onLine = resolve));
      const ended = await Promise.race([more, this.#ended.then(() => true)]);
      if (ended === true && !this.lines.some(matches)) throw new Error(`ended without it: ${this.lines.slice(-3).join(" | ")}`);
    }
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** The highest number in a line that begins with `word`. */
  highest(word: string): number {
    return Math.max(0, ...this.lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.split(" ")[1])));
  }
}

const opened = (line: string): boolean => line.startsWith("open ") || line.startsWith("error ");

it("refuses a second process on the same folder, and lets one in as soon as the first was killed", async () => {
  const first = new Program("real");
  await first.line((line) => line === "founded");
  expect(await new Program("look").line(opened)).toMatch(/^error SYNOD_ERR_FOLDER_LOCKED/);
  await first.kill();
  expect(await new Program("look").line(opened)).toMatch(/^open /);
});

describe.each(["real", "volatile"])("a process on the %s file system", (kind) => {
  it("finds again, after each of several SIGKILLs, all that it said was durable", async () => {
    let kept = 0;
    let snapshot = 0;
    let identity: string | undefined;
    for (let life = 0; life < 5; life++) {
      const program = new Program(kind);
      const line = await program.line(opened);
      const [, found, holes, at, founded, incarnation] = /^open (\d+) holes (\d+) snapshot (\d+) founded (\w+) as (\w+)$/.exec(line) ?? [line];
      expect(line).toMatch(/^open /);
      expect(Number(found)).toBeGreaterThanOrEqual(kept);
      expect(Number(holes)).toBe(0);
      expect(Number(at)).toBeGreaterThanOrEqual(snapshot);
      expect(founded).toBe(String(life > 0));
      expect(incarnation).toBe(identity ?? incarnation);
      identity = incarnation;
      await program.line((said) => said.startsWith("snapshot "));
      await program.kill();
      kept = Math.max(kept, program.highest("durable"));
      snapshot = Math.max(snapshot, program.highest("snapshot"));
    }
    expect(kept).toBeGreaterThan(1000);
  });
});

describe("on the volatile file system, a SIGKILL shows that a sync is missing:", () => {
  it.each([
    ["of the log", "datasync:.log"],
    ["of the log's folder", "syncFolder:/log"],
    ["of a snapshot", "datasync:.snap.tmp"],
    ["of the snapshots' folder", "syncFolder:/snapshots"],
    ["of the identity", "datasync:identity.json.tmp"],
    ["of the founding document", "datasync:founding.json.tmp"],
  ])("the sync %s", async (_name, ignored) => {
    const program = new Program("volatile", ignored);
    await program.line((line) => line.startsWith("snapshot "));
    await program.kill();
    const line = await new Program("look").line(opened);
    const found = Number(/^open (\d+)/.exec(line)?.[1] ?? -1);
    expect(found).toBeLessThan(program.highest("durable"));
  });
});
