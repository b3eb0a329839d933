import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { LocalCluster, type LocalClusterOptions } from "../../src/local/local-cluster.ts";
import { serveManager } from "../../src/local/manager-api.ts";
import { clusterFile, fakeEntry, isAlive, isListening, Scratch } from "./harness.ts";

const scratch = new Scratch();
afterEach(() => scratch.clean());

function makeCluster(folder: string, options: Partial<LocalClusterOptions> = {}): LocalCluster {
  const cluster = new LocalCluster({ folder, nodes: 3, entry: fakeEntry, env: { FAKE_LEADER: "n2" }, ...options });
  scratch.onClean(() => cluster.shutdown());
  return cluster;
}

async function running(options: Partial<LocalClusterOptions> = {}, folder = scratch.folder()): Promise<LocalCluster> {
  const cluster = makeCluster(folder, options);
  await cluster.startAll();
  return cluster;
}

const pidOf = (cluster: LocalCluster, name: string): number => cluster.list().find((node) => node.name === name)?.pid ?? -1;
const stateOf = (cluster: LocalCluster, name: string): string | undefined => cluster.list().find((node) => node.name === name)?.state;
const processState = (pid: number): string | undefined => /^\d+ \(.*\) (\w)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];

describe("the local cluster", () => {
  it("starts every node on a port of its own and says where it is", async () => {
    const cluster = await running();
    const nodes = cluster.list();
    expect(nodes.map((node) => [node.name, node.state])).toEqual([["n1", "running"], ["n2", "running"], ["n3", "running"]]);
    expect(new Set(nodes.map((node) => node.url)).size).toBe(3);
    for (const node of nodes) expect(await isListening(node.url)).toBe(true);
    expect(clusterFile(cluster.folder).nodes).toEqual(nodes);
  });

  it("gives the nodes each other's addresses and founds them as one cluster", async () => {
    const cluster = await running();
    const peers = JSON.parse(readFileSync(join(cluster.folder, "peers.json"), "utf8")) as Record<string, string>;
    expect(Object.entries(peers).map(([name, address]) => [name, `http://${address}`])).toEqual(cluster.list().map((node) => [node.name, node.url]));
    const founded = await Promise.all(cluster.list().map(async ({ url }) => (await (await fetch(`${url}/v1/founding`)).json()) as { cluster: string }));
    expect(new Set(founded.map((answer) => answer.cluster)).size).toBe(1);
    expect(founded[0]?.cluster).toMatch(/^[0-9a-f]{32}$/);
  });

  it("finds the leader by the nodes' events", async () => {
    const cluster = await running();
    expect(await cluster.waitForLeader(5_000)).toEqual({ name: "n2", url: cluster.list()[1]?.url });
  });

  it("finds a leader that is started while it waits", async () => {
    const cluster = await running();
    await cluster.stop("n2");
    const leader = cluster.waitForLeader(5_000);
    await cluster.start("n2");
    expect((await leader).name).toBe("n2");
  });

  it("says with a code that no node led in time", async () => {
    const cluster = await running({ env: {} });
    await expect(cluster.waitForLeader(50)).rejects.toMatchObject({ code: "SYNOD_ERR_NO_LEADER" });
  });

  it("stops a node in good order and starts it again at the same address", async () => {
    const cluster = await running();
    const [before] = cluster.list();
    const row = await cluster.stop("n1");
    expect(row).toEqual({ name: "n1", pid: null, url: before?.url, state: "stopped" });
    expect(isAlive(before?.pid ?? -1)).toBe(false);
    const after = await cluster.start("n1");
    expect(after).toMatchObject({ url: before?.url, state: "running" });
    expect(after.pid).not.toBe(before?.pid);
  });

  it("kills a node", async () => {
    const cluster = await running();
    const pid = pidOf(cluster, "n3");
    expect(await cluster.kill("n3")).toMatchObject({ pid: null, state: "killed" });
    expect(isAlive(pid)).toBe(false);
    expect(clusterFile(cluster.folder).nodes[2]).toMatchObject({ pid: null, state: "killed" });
  });

  it("pauses and resumes a node", async () => {
    const cluster = await running();
    expect(await cluster.pause("n1")).toMatchObject({ state: "paused" });
    expect(processState(pidOf(cluster, "n1"))).toBe("T");
    expect(await cluster.resume("n1")).toMatchObject({ state: "running" });
    expect(processState(pidOf(cluster, "n1"))).not.toBe("T");
  });

  it("stops and kills paused nodes", async () => {
    const cluster = await running();
    await Promise.all([cluster.pause("n1"), cluster.pause("n2")]);
    expect(await cluster.stop("n1")).toMatchObject({ state: "stopped" });
    expect(await cluster.kill("n2")).toMatchObject({ state: "killed" });
  });

  it("shows a node that ended by itself as crashed and does not restart it", async () => {
    const cluster = await running();
    const crashed = new Promise<void>((resolve) => cluster.on("change", () => void (stateOf(cluster, "n1") === "crashed" && resolve())));
    process.kill(pidOf(cluster, "n1"), "SIGKILL");
    await crashed;
    expect(clusterFile(cluster.folder).nodes[0]).toMatchObject({ pid: null, state: "crashed" });
    expect(await cluster.start("n1")).toMatchObject({ state: "running" });
  });

  it("refuses what does not fit a node's state, and names it does not know", async () => {
    const cluster = await running();
    await expect(cluster.start("n1")).rejects.toMatchObject({ code: "SYNOD_ERR_NODE_STATE" });
    await expect(cluster.resume("n1")).rejects.toMatchObject({ code: "SYNOD_ERR_NODE_STATE" });
    await expect(cluster.pause("n4")).rejects.toMatchObject({ code: "SYNOD_ERR_NO_SUCH_NODE" });
    await cluster.stop("n1");
    for (const act of ["stop", "kill", "pause"] as const) {
      await expect(cluster[act]("n1")).rejects.toMatchObject({ code: "SYNOD_ERR_NODE_STATE" });
    }
  });

  it("tells what a node said that did not start, and leaves nothing running", async () => {
    const cluster = makeCluster(scratch.folder(), { env: { FAKE_CRASH: "n2" } });
    await expect(cluster.startAll()).rejects.toThrow(/n2 ended \(exit code 3\) before it listened.*I was told to crash/s);
    expect(cluster.list().every((node) => node.pid === null)).toBe(true);
  });

  it("shuts down within 2 s whatever its nodes do, and leaves no process and no port", async () => {
    const cluster = await running({ nodes: 4, env: { FAKE_DEAF: "n3" } });
    const nodes = cluster.list();
    await cluster.pause("n1");
    await cluster.kill("n2");
    const began = performance.now();
    await cluster.shutdown();
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const { pid, url } of nodes) {
      expect(isAlive(pid ?? -1)).toBe(false);
      expect(await isListening(url)).toBe(false);
    }
    expect(clusterFile(cluster.folder).manager).toBeNull();
    await expect(cluster.start("n2")).rejects.toMatchObject({ code: "SYNOD_ERR_STOPPING" });
  });

  it("can be shut down while it starts", async () => {
    const cluster = makeCluster(scratch.folder());
    const starting = cluster.startAll();
    const opened = new Promise<void>((resolve) => cluster.once("change", resolve));
    await opened;
    await cluster.shutdown();
    await expect(starting).rejects.toThrow();
    expect(cluster.list().every((node) => node.pid === null)).toBe(true);
    await running({}, cluster.folder);
  });
});

const names = (cluster: LocalCluster): string[] => cluster.list().map((node) => node.name);

/** The names of the members, as they stand. */
const membersIn = (folder: string): string[] => readdirSync(folder).filter((file) => file.startsWith("member-")).map((file) => file.slice("member-".length)).sort();

describe("nodes that come and go", () => {
  it("are added as processes and as voters, and removed as members first, then as processes with their data", async () => {
    const cluster = await running();
    const added = await cluster.add();
    expect(added).toMatchObject({ name: "n4", state: "running" });
    expect(JSON.parse(readFileSync(join(cluster.folder, "member-n4"), "utf8"))).toMatchObject({ role: "voter", address: new URL(added.url).host });
    expect(clusterFile(cluster.folder).nodes).toEqual(cluster.list());
    const pid = pidOf(cluster, "n2");
    expect((await cluster.remove("n2")).map((node) => node.name)).toEqual(["n1", "n3", "n4"]);
    expect(membersIn(cluster.folder)).toEqual(["n1", "n3", "n4"]);
    expect([isAlive(pid), existsSync(join(cluster.folder, "n2")), existsSync(join(cluster.folder, "n2.log"))]).toEqual([false, false, true]);
    expect(clusterFile(cluster.folder).nodes).toEqual(cluster.list());
    expect(Object.keys(JSON.parse(readFileSync(join(cluster.folder, "peers.json"), "utf8")) as object)).toEqual(["n1", "n3", "n4"]);
  });

  it("never take a name that was used", async () => {
    const cluster = await running();
    await cluster.remove("n3");
    await cluster.add();
    await cluster.remove("n4");
    expect((await cluster.add()).name).toBe("n5");
    expect(names(cluster)).toEqual(["n1", "n2", "n5"]);
  });

  it("are there in the next run as they were left, at their addresses", async () => {
    const first = await running();
    await first.add();
    await first.remove("n1");
    const before = first.list().map(({ name, url }) => [name, url]);
    await first.shutdown();
    const second = await running({ nodes: undefined }, first.folder);
    expect(second.list().map(({ name, url }) => [name, url])).toEqual(before);
    expect((await second.add()).name).toBe("n5");
  });

  it("are removed in whatever state they are", async () => {
    const cluster = await running({ nodes: 4 });
    await cluster.kill("n1");
    await cluster.pause("n2");
    await cluster.stop("n3");
    for (const name of ["n1", "n2", "n3"]) await cluster.remove(name);
    expect([names(cluster), membersIn(cluster.folder)]).toEqual([["n4"], ["n4"]]);
  });

  it("leave nothing behind when they do not start", async () => {
    const cluster = await running({ env: { FAKE_LEADER: "n2", FAKE_CRASH: "n4" } });
    await expect(cluster.add()).rejects.toThrow(/n4 ended \(exit code 3\) before it listened/);
    expect([names(cluster), membersIn(cluster.folder), existsSync(join(cluster.folder, "n4"))]).toEqual([["n1", "n2", "n3"], ["n1", "n2", "n3"], false]);
  });

  it("stay as they are when the cluster refuses, and can go on joining later", async () => {
    const cluster = await running();
    writeFileSync(join(cluster.folder, "refusal"), "SYNOD_ERR_NO_LIVE_QUORUM");
    await expect(cluster.remove("n2")).rejects.toMatchObject({ code: "SYNOD_ERR_NO_LIVE_QUORUM", message: "refused by a fake" });
    expect(stateOf(cluster, "n2")).toBe("running");
    await expect(cluster.add()).rejects.toMatchObject({
      code: "SYNOD_ERR_NO_LIVE_QUORUM", message: expect.stringMatching(/^n4 runs and has not joined yet: refused by a fake\. `synod dev add n4` goes on/) as string,
    });
    expect([names(cluster), membersIn(cluster.folder)]).toEqual([["n1", "n2", "n3", "n4"], ["n1", "n2", "n3"]]);
    rmSync(join(cluster.folder, "refusal"));
    expect(await cluster.join("n4")).toMatchObject({ name: "n4", state: "running" });
    expect(membersIn(cluster.folder)).toEqual(["n1", "n2", "n3", "n4"]);
  });

  it("say of a joining that it may have been done in part, and only of one that names its node that it may be asked for again", async () => {
    const cluster = await running();
    writeFileSync(join(cluster.folder, "refusal"), "SYNOD_ERR_LEARNER_LAGS");
    await expect(cluster.add()).rejects.toMatchObject({ code: "SYNOD_ERR_OUTCOME_UNKNOWN" });
    await expect(cluster.join("n4")).rejects.toMatchObject({ code: "SYNOD_ERR_CHANGE_UNKNOWN" });
  });

  it("come and go one at a time", async () => {
    const cluster = await running();
    const adding = cluster.add();
    for (const other of [cluster.add(), cluster.remove("n1"), cluster.join("n1")]) {
      await expect(other).rejects.toMatchObject({ code: "SYNOD_ERR_CHANGE_PENDING", message: expect.stringContaining("n4 is joining") as string });
    }
    await adding;
    await cluster.remove("n1");
    expect(names(cluster)).toEqual(["n2", "n3", "n4"]);
  });

  it("are at most nine, are known by their names, and need a node that runs", async () => {
    const cluster = await running({ nodes: 9 });
    await expect(cluster.add()).rejects.toMatchObject({ code: "SYNOD_ERR_TOO_MANY_MEMBERS" });
    await expect(cluster.remove("n10")).rejects.toMatchObject({ code: "SYNOD_ERR_NO_SUCH_NODE" });
    await cluster.remove("n9");
    await Promise.all(names(cluster).map((name) => cluster.stop(name)));
    await expect(cluster.add()).rejects.toMatchObject({ code: "SYNOD_ERR_NODE_STATE" });
    await expect(cluster.join("n1")).rejects.toMatchObject({ code: "SYNOD_ERR_NODE_STATE" });
  });

  it("do not hold up the end of the cluster while they join", async () => {
    const cluster = await running();
    writeFileSync(join(cluster.folder, "refusal"), "SYNOD_ERR_CHANGE_PENDING");
    const adding = cluster.add();
    adding.catch(() => {});
    await new Promise<void>((resolve) => cluster.on("change", () => void (stateOf(cluster, "n4") === "running" && resolve())));
    const began = performance.now();
    await cluster.shutdown();
    expect(performance.now() - began).toBeLessThan(2_000);
    await expect(adding).rejects.toMatchObject({ code: expect.stringMatching(/STOPPING|NODE_STATE/) as string });
    expect(cluster.list().every((node) => node.pid === null)).toBe(true);
  });
});

describe("the kept folder", () => {
  it("has the same addresses, members and cluster in the next run", async () => {
    const first = await running();
    const before = first.list().map((node) => node.url);
    const founding = readFileSync(join(first.folder, "founding.json"), "utf8");
    await first.shutdown();
    const second = await running({ nodes: undefined }, first.folder);
    expect(second.list().map((node) => node.url)).toEqual(before);
    expect(readFileSync(join(first.folder, "founding.json"), "utf8")).toBe(founding);
  });

  it("gives a node another port when its own was taken meanwhile, and tells the others", async () => {
    const cluster = await running();
    const [node] = cluster.list();
    await cluster.stop("n1");
    const thief = createServer().listen(Number(new URL(node?.url ?? "").port), "127.0.0.1");
    await new Promise((resolve) => thief.once("listening", resolve));
    scratch.onClean(() => new Promise((resolve) => thief.close(resolve)));
    const moved = await cluster.start("n1");
    expect(moved.url).not.toBe(node?.url);
    const peers = JSON.parse(readFileSync(join(cluster.folder, "peers.json"), "utf8")) as Record<string, string>;
    expect(`http://${peers["n1"]}`).toBe(moved.url);
  });

  it("refuses another number of nodes and names --fresh", async () => {
    const first = await running();
    await first.shutdown();
    const second = makeCluster(first.folder, { nodes: 5 });
    await expect(second.startAll()).rejects.toMatchObject({ code: "SYNOD_ERR_NODES_DIFFER", message: expect.stringContaining("--fresh") as string });
  });

  it("is made anew by fresh, which removes nothing that is not the cluster's", async () => {
    const first = await running();
    await first.shutdown();
    writeFileSync(join(first.folder, "mine.txt"), "keep");
    const founding = readFileSync(join(first.folder, "founding.json"), "utf8");
    const second = await running({ nodes: 2, fresh: true }, first.folder);
    expect(readFileSync(join(first.folder, "founding.json"), "utf8")).not.toBe(founding);
    expect(existsSync(join(first.folder, "n3"))).toBe(false);
    expect(existsSync(join(first.folder, "mine.txt"))).toBe(true);
    expect(second.list()).toHaveLength(2);
  });

  it("is refused to a second manager, fresh or not, while the first runs", async () => {
    const first = await running();
    for (const fresh of [false, true]) {
      const second = makeCluster(first.folder, { fresh });
      await expect(second.startAll()).rejects.toMatchObject({
        code: "SYNOD_ERR_FOLDER_LOCKED", message: expect.stringContaining("running") as string,
      });
    }
    expect(first.list().every((node) => node.state === "running")).toBe(true);
  });
});

describe("the manager's HTTP", () => {
  const withManager = async (): Promise<{ cluster: LocalCluster; url: string }> => {
    const cluster = await running();
    scratch.onClean(await serveManager(cluster));
    return { cluster, url: clusterFile(cluster.folder).manager ?? "" };
  };

  it("lists the nodes and does to them what it is told", async () => {
    const { cluster, url } = await withManager();
    expect(await (await fetch(`${url}/nodes`)).json()).toEqual({ nodes: cluster.list() });
    const states: Record<string, string> = { pause: "paused", resume: "running", kill: "killed", start: "running", stop: "stopped" };
    for (const [action, state] of Object.entries(states)) {
      const answer = await fetch(`${url}/nodes/n1/${action}`, { method: "POST" });
      expect([action, answer.status, await answer.json()]).toEqual([action, 200, cluster.list()[0]]);
      expect(stateOf(cluster, "n1")).toBe(state);
    }
  });

  it("adds a node and removes it", async () => {
    const { cluster, url } = await withManager();
    const added = await fetch(`${url}/nodes`, { method: "POST" });
    expect([added.status, await added.json()]).toEqual([200, cluster.list()[3]]);
    const joined = await fetch(`${url}/nodes/n4/join`, { method: "POST" });
    expect([joined.status, await joined.json()]).toEqual([200, cluster.list()[3]]);
    const removed = await fetch(`${url}/nodes/n4?force=true`, { method: "DELETE" });
    expect([removed.status, await removed.json()]).toEqual([200, { nodes: cluster.list() }]);
    expect(names(cluster)).toEqual(["n1", "n2", "n3"]);
  });

  it("answers errors with their codes", async () => {
    const { url } = await withManager();
    const codeOf = async (path: string, init: RequestInit): Promise<unknown> => ((await (await fetch(`${url}${path}`, init)).json()) as { code: unknown }).code;
    expect(await codeOf("/nodes/n9/kill", { method: "POST" })).toBe("SYNOD_ERR_NO_SUCH_NODE");
    expect(await codeOf("/nodes/n1/resume", { method: "POST" })).toBe("SYNOD_ERR_NODE_STATE");
    expect(await codeOf("/nodes/n1/shutdown", { method: "POST" })).toBe("SYNOD_ERR_NO_ROUTE");
    expect(await codeOf("/nodes/n9", { method: "DELETE" })).toBe("SYNOD_ERR_NO_SUCH_NODE");
    expect(await codeOf("/nodes/n9/join", { method: "POST" })).toBe("SYNOD_ERR_NO_SUCH_NODE");
    expect(await codeOf("/elsewhere", {})).toBe("SYNOD_ERR_NO_ROUTE");
    expect(await codeOf("/nodes/n1/kill", { method: "POST", headers: { origin: "http://evil.example" } })).toBe("SYNOD_ERR_BAD_REQUEST");
  });
});
