import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ClusterFile, clusterFile, isAlive, isListening, Program, Scratch } from "./harness.ts";

const scratch = new Scratch();
afterEach(() => scratch.clean());

async function startDev(folder: string, nodes = 3): Promise<Program> {
  const program = runDev(folder, nodes);
  await program.says(/Ctrl-C stops everything/);
  return program;
}

function runDev(folder: string, nodes: number): Program {
  const program = new Program([process.execPath, join(import.meta.dirname, "dev-main.ts"), folder, String(nodes)]);
  scratch.onClean(async () => {
    program.child.kill("SIGTERM");
    await program.ended;
  });
  return program;
}

async function expectNothingLeft({ manager, nodes }: ClusterFile): Promise<void> {
  for (const { pid } of nodes) if (pid !== null) expect(isAlive(pid)).toBe(false);
  for (const url of [manager, ...nodes.map((node) => node.url)]) if (url !== null) expect(await isListening(url)).toBe(false);
}

describe("synod dev as a process", () => {
  it("prints the election, how to use the cluster, and one line for each node", async () => {
    const dev = await startDev(scratch.folder());
    await dev.says(/n3 {4}running/);
    expect(dev.output).toMatch(/n1\s+campaigns with ballot 1\.n1/);
    expect(dev.output).toMatch(/curl -X PUT --data 'hello' http:\/\/127\.0\.0\.1:\d+\/v1\/kv\//);
    expect(dev.output).toMatch(/^n1 {4}running {3}leader/m);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("ends on %s within 2 s, a paused node included, and leaves no process and no port", async (signal) => {
    const folder = scratch.folder();
    const dev = await startDev(folder);
    const before = clusterFile(folder);
    await fetch(`${before.manager}/nodes/n2/pause`, { method: "POST" });
    const began = performance.now();
    dev.child.kill(signal);
    expect(await dev.ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(2_000);
    await expectNothingLeft(before);
  });

  it("ends when it is asked to during the start", async () => {
    const folder = scratch.folder();
    const dev = runDev(folder, 5);
    await dev.says(/5 nodes in/);
    dev.child.kill("SIGINT");
    expect(await dev.ended).toBe(0);
    await expectNothingLeft(clusterFile(folder));
  });

  it("says that one is running when it is started twice", async () => {
    const folder = scratch.folder();
    await startDev(folder);
    const second = runDev(folder, 3);
    expect(await second.ended).toBe(1);
    expect(second.output).toMatch(/SYNOD_ERR_FOLDER_LOCKED: .*running/);
  });

  it("starts anew after its manager was killed, and ends the paused node that was left", async () => {
    const folder = scratch.folder();
    const first = await startDev(folder);
    const left = clusterFile(folder);
    await fetch(`${left.manager}/nodes/n2/pause`, { method: "POST" });
    first.child.kill("SIGKILL");
    await first.ended;
    const second = await startDev(folder);
    for (const { pid } of left.nodes) expect(isAlive(pid ?? -1)).toBe(false);
    expect(second.output).toMatch(new RegExp(`ended process ${left.nodes[1]?.pid}`));
    expect(clusterFile(folder).nodes.map((node) => node.url)).toEqual(left.nodes.map((node) => node.url));
  });
});
