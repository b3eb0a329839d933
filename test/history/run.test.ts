import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Anomaly, ReferenceServer } from "./reference-server.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "synod-history-run-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function runHistory(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(import.meta.dirname, "run.ts"), ...args], { cwd: folder }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }));
  });
}

async function runAgainst(anomaly: Anomaly | undefined, args: readonly string[]): Promise<{ code: number; output: string }> {
  const server = new ReferenceServer({ members: 2, random: new SeededRandom(1), cutRate: 0.01, ...(anomaly === undefined ? {} : { anomaly }) });
  const urls = await server.start();
  try {
    return await runHistory(["--endpoints", urls.join(), "--minutes", "0.02", ...args]);
  } finally {
    await server.stop();
  }
}

const kept = (): string[] => (existsSync(join(folder, ".history")) ? readdirSync(join(folder, ".history")) : []);

describe("npm run history", () => {
  it("ends with 0 on a right store, prints what it did and keeps no file", async () => {
    const { code, output } = await runAgainst(undefined, []);
    expect(output).toMatch(/\d+ operations: \d+ ok, \d+ fail, \d+ unknown/);
    expect(output).toMatch(/longest time without an acknowledged write: \d+ ms/);
    expect(output).toMatch(/linearizable: ok/);
    expect(code).toBe(0);
    expect(kept()).toEqual([]);
  });

  it("ends with 1 on a store that errs, shows the operations and keeps the history, which can be checked again", async () => {
    const { code, output } = await runAgainst("stale-read", []);
    expect(output).toMatch(/NOT LINEARIZABLE: key .*\n {2}\{"op":/);
    expect(code).toBe(1);
    const [name] = kept();
    const again = await runHistory(["--check", join(folder, ".history", name ?? "none")]);
    expect(again).toMatchObject({ code: 1, output: expect.stringContaining("NOT LINEARIZABLE") });
  });

  it("keeps the file that --out names", async () => {
    const path = join(folder, "out.jsonl");
    expect(await runAgainst(undefined, ["--out", path])).toMatchObject({ code: 0 });
    expect(await runHistory(["--check", path])).toMatchObject({ code: 0, output: expect.stringContaining("linearizable: ok") });
  });

  it("ends with 2 when no write succeeded, as that shows nothing", async () => {
    const { code, output } = await runHistory(["--endpoints", "http://127.0.0.1:1", "--minutes", "0.005"]);
    expect(output).toContain("the history shows nothing");
    expect(code).toBe(2);
  });

  it("ends with 3 and says why when it is asked for something it does not know", async () => {
    expect(await runHistory(["--faults", "flood"])).toMatchObject({ code: 3, output: expect.stringContaining("not flood") });
  });
});
