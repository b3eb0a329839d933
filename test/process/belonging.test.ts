import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { HISTORY_FOLDER } from "../history/history-file.ts";
import { Program } from "../local/harness.ts";
import { type TestCluster, withCluster } from "./cluster.ts";
import { call, get, put } from "./http.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

function nodeProgram(name: string, data: string): Program {
  return new Program([process.execPath, MAIN, "node", "--name", name, "--data", data, "--listen", "127.0.0.1:0", "--stop-with-parent"]);
}

function onRealDisks(nodes: number, body: (cluster: TestCluster) => Promise<void>): Promise<void> {
  return withCluster({ nodes, disk: "real" }, body);
}

async function listeningUrl(program: Program): Promise<string> {
  await program.says(/"synod":"listening"/);
  return /"synod":"listening".*"url":"([^"]+)"/.exec(program.output)?.[1] ?? "";
}

it("a second process on a data folder refuses to start and ends, and does not disturb the first", () => onRealDisks(1, async (cluster) => {
  const [url = ""] = cluster.urls;
  const second = nodeProgram("n1", cluster.dataFolder("n1"));
  expect(await second.ended).toBe(1);
  expect(second.output).toContain("SYNOD_ERR_FOLDER_LOCKED");
  expect(await put(url, "k", "v")).toMatchObject({ status: 200 });
}));

it("a process on an empty folder never founds a cluster by itself, in any of its lives, and says so", async () => {
  const data = join(HISTORY_FOLDER, `unfounded-${process.pid}`);
  let incarnation: unknown;
  for (let life = 0; life < 2; life++) {
    const program = nodeProgram("alone", data);
    const url = await listeningUrl(program);
    const status = JSON.parse((await call(`${url}/v1/status`)).body) as Record<string, unknown>;
    expect(status).toMatchObject({ cluster: null, leader: null, revision: 0 });
    expect(status["incarnation"]).toBe(incarnation ?? status["incarnation"]);
    incarnation = status["incarnation"];
    for (const answer of [await put(url, "k", "v"), await get(url, "k"), await call(`${url}/v1/kv?prefix=`)]) {
      expect(answer).toMatchObject({ status: 503, code: "SYNOD_ERR_NOT_FOUNDED" });
    }
    expect((await call(`${url}/readyz`)).status).toBe(503);
    program.child.kill("SIGTERM");
    expect(await program.ended).toBe(0);
  }
  await rm(data, { recursive: true });
});

it("a member that lost its folder is a new one: it knows no cluster, and the others do not count it", () => onRealDisks(3, async (cluster) => {
  const { name: leader } = await cluster.leader();
  const [lost = "", other = ""] = cluster.names.filter((name) => name !== leader);
  expect(await put(cluster.node(leader).url, "k", "v")).toMatchObject({ status: 200 });
  const before = await cluster.status(lost);
  await cluster.kill(lost);
  await rm(cluster.dataFolder(lost), { recursive: true });
  await cluster.start(lost);
  const after = await cluster.status(lost);
  expect(after).toMatchObject({ cluster: null, leader: null, applied: 0 });
  expect(after.incarnation).not.toBe(before.incarnation);
  expect(await get(cluster.node(lost).url, "k")).toMatchObject({ status: 503, code: "SYNOD_ERR_NOT_FOUNDED" });
  expect(await put(cluster.node(other).url, "k", "w")).toMatchObject({ status: 200 });
  // Two of three are needed, and the empty one is none of them.
  await cluster.kill(other);
  expect(await put(cluster.node(leader).url, "k", "x")).toMatchObject({ status: expect.toSatisfy((status: number) => status >= 500) });
  await cluster.start(other);
  await cluster.untilServing(other);
  expect((await get(cluster.node(other).url, "k")).status).toBe(200);
}));

it("a member of another cluster is refused, and each cluster goes on by itself", () => onRealDisks(3, (ours) =>
  onRealDisks(1, async (theirs) => {
    const { name: leader, url } = await ours.leader();
    const [replaced = ""] = ours.names.filter((name) => name !== leader);
    const [foreign = ""] = theirs.urls;
    await put(foreign, "k", "theirs");
    await ours.kill(replaced);
    await nameAddress(ours, replaced, new URL(foreign).host);
    await ours.untilLogged(leader, /"cluster [0-9a-f]{32}, not [0-9a-f]{32}"|otherCluster|4001/);
    expect((await ours.status(leader)).peers.find((peer) => peer.name === replaced)?.link).not.toBe("up");
    expect(await put(url, "k", "ours")).toMatchObject({ status: 200 });
    expect(await get(url, "k")).toMatchObject({ body: "ours" });
    expect(await get(foreign, "k")).toMatchObject({ body: "theirs" });
    await nameAddress(ours, replaced, new URL(ours.node(replaced).url).host);
    await ours.start(replaced);
    await ours.untilServing(replaced);
    expect(await get(ours.node(replaced).url, "k")).toMatchObject({ body: "ours" });
  })));

/** Tells the members that one of them is at this address. */
async function nameAddress(cluster: TestCluster, name: string, address: string): Promise<void> {
  const path = join(cluster.folder, "peers.json");
  const peers = JSON.parse(await readFile(path, "utf8")) as Record<string, string>;
  await writeFile(path, JSON.stringify({ ...peers, [name]: address }));
}
