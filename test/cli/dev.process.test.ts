import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { clusterFile, isAlive, isListening, Program, Scratch } from "../local/harness.ts";

const launcher = join(import.meta.dirname, "..", "..", "bin", "synod.mjs");
const scratch = new Scratch();
afterEach(() => scratch.clean());

/** A Node on PATH that is too old for synod itself; null where there is none. */
function findOldNode(): string | null {
  const candidates = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "node"));
  const isOld = (path: string): boolean => Number(/^v(\d+)/.exec(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout)?.[1]) < 24;
  return candidates.find((path) => existsSync(path) && isOld(path)) ?? null;
}

const oldNode = findOldNode();

function synod(node: string, args: readonly string[], cwd: string): Program {
  const program = new Program([node, launcher, ...args], {}, cwd);
  scratch.onClean(async () => {
    program.child.kill("SIGTERM");
    await program.ended;
  });
  return program;
}

async function startDev(node: string, cwd: string): Promise<Program> {
  const dev = synod(node, ["dev", "--nodes", "3"], cwd);
  await dev.says(/Ctrl-C stops everything/);
  return dev;
}

async function output(args: readonly string[], cwd: string): Promise<string> {
  const program = synod(process.execPath, args, cwd);
  await program.ended;
  return program.output;
}

const devFolder = (cwd: string): string => join(cwd, ".synod", "dev");

async function expectNothingLeft(before: ReturnType<typeof clusterFile>): Promise<void> {
  for (const { pid, url } of before.nodes) {
    if (pid !== null) expect(isAlive(pid)).toBe(false);
    expect(await isListening(url)).toBe(false);
  }
  expect(await isListening(before.manager ?? "")).toBe(false);
}

describe("synod dev with real members", () => {
  it("elects a leader, stores data, loses nothing with the leader, and keeps it for the next run", async () => {
    const cwd = scratch.folder();
    const dev = await startDev(process.execPath, cwd);
    expect(dev.output).toMatch(/campaigns with ballot/);
    expect(dev.output).toMatch(/promises ballot/);
    expect(await output(["kv", "put", "greeting", "hello"], cwd)).toBe("revision 1\n");
    expect(await output(["kv", "put", "greeting", "again", "--prev-revision", "0"], cwd)).toMatch(/^SYNOD_ERR_PRECONDITION/);

    const status = JSON.parse(await output(["status", "--json"], cwd)) as { leader: string };
    expect(await output(["dev", "kill", status.leader], cwd)).toMatch(/killed/);
    expect(await output(["kv", "get", "greeting"], cwd)).toBe("hello");
    expect(await output(["dev", "start", status.leader], cwd)).toMatch(/running/);
    expect((await output(["status"], cwd)).trim().split("\n")).toHaveLength(4);

    const before = clusterFile(devFolder(cwd));
    dev.child.kill("SIGINT");
    expect(await dev.ended).toBe(0);
    await expectNothingLeft(before);
    await startDev(process.execPath, cwd);
    expect(await output(["kv", "get", "greeting"], cwd)).toBe("hello");
    expect(await output(["kv", "list"], cwd)).toMatch(/greeting\s+1\s+1\s+5/);
  });

  it("grows and shrinks while it serves, and is in the next run as it was left", async () => {
    const cwd = scratch.folder();
    const dev = await startDev(process.execPath, cwd);
    await output(["kv", "put", "greeting", "hello"], cwd);
    expect(await output(["dev", "add"], cwd)).toMatch(/^n4 +running/m);
    await dev.says(/knows as members n1, n2, n3, n4 /);
    const { leader } = JSON.parse(await output(["status", "--json"], cwd)) as { leader: string };
    expect(await output(["dev", "remove", leader], cwd)).not.toMatch(new RegExp(`^${leader} `, "m"));
    const killed = clusterFile(devFolder(cwd)).nodes.map(({ name }) => name).filter((name) => name !== "n4")[0] ?? "";
    await output(["dev", "kill", killed], cwd);
    expect(await output(["dev", "remove", killed], cwd)).toMatch(/^n4 +running/m);
    expect(await output(["dev", "remove", "n7"], cwd)).toMatch(/^SYNOD_ERR_NO_SUCH_NODE/);
    const left = clusterFile(devFolder(cwd)).nodes.map(({ name }) => name);
    expect([left.length, left[1]]).toEqual([2, "n4"]);
    const members = await output(["member", "list"], cwd);
    expect(members.match(/^n\d+/gm)).toEqual(left);
    expect(members).toMatch(/^configuration \d+$/m);

    dev.child.kill("SIGINT");
    expect(await dev.ended).toBe(0);
    const again = synod(process.execPath, ["dev"], cwd);
    await again.says(/Ctrl-C stops everything/);
    expect(clusterFile(devFolder(cwd)).nodes.map(({ name }) => name)).toEqual(left);
    expect(await output(["kv", "get", "greeting"], cwd)).toBe("hello");
    expect(await output(["dev", "add"], cwd)).toMatch(/^n5 +running/m);
  });

  it("ends within 2 s of Ctrl-C with a paused leader", async () => {
    const cwd = scratch.folder();
    const dev = await startDev(process.execPath, cwd);
    const { leader } = JSON.parse(await output(["status", "--json"], cwd)) as { leader: string };
    await output(["dev", "pause", leader], cwd);
    const before = clusterFile(devFolder(cwd));
    const began = performance.now();
    dev.child.kill("SIGINT");
    expect(await dev.ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(2_000);
    await expectNothingLeft(before);
  });
});

describe.skipIf(oldNode === null)("under a Node that is too old, the launcher", () => {
  const old = oldNode ?? "";

  it("passes arguments, output and exit codes through", async () => {
    const help = synod(old, ["--help"], scratch.folder());
    expect([await help.ended, help.output.startsWith("Usage: synod")]).toEqual([0, true]);
    expect(await synod(old, ["explode"], scratch.folder()).ended).toBe(2);
    expect(await synod(old, ["status"], scratch.folder()).ended).toBe(1);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("passes %s through, and leaves no process", async (signal) => {
    const cwd = scratch.folder();
    const dev = await startDev(old, cwd);
    const before = clusterFile(devFolder(cwd));
    dev.child.kill(signal);
    expect(await dev.ended).toBe(0);
    await expectNothingLeft(before);
  });

  it("takes the cluster with it even when it is killed", async () => {
    const cwd = scratch.folder();
    const dev = await startDev(old, cwd);
    const before = clusterFile(devFolder(cwd));
    dev.child.kill("SIGKILL");
    // The pipes of its output are held by what it started: they close when the last of these has ended.
    expect(await dev.ended).toBe("SIGKILL");
    await expectNothingLeft(before);
  });
});
