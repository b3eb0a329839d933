import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "../local/harness.ts";
import { NODE_UNDER_TEST, type TestCluster, until, withCluster } from "./cluster.ts";
import { call, get, put } from "./http.ts";

interface Fenced {
  readonly fenced: string | null;
  readonly role: string;
}

const statusOf = async (url: string): Promise<Fenced> => JSON.parse((await call(`${url}/v1/status`)).body) as Fenced;

async function untilFenced(url: string): Promise<Fenced> {
  await until(`${url} is fenced`, async () => ((await statusOf(url)).fenced === null ? "it is not" : null));
  return statusOf(url);
}

/** A process on a copy of the member's folder, at another address. */
async function startCopy(cluster: TestCluster, name: string, folder: string): Promise<{ readonly program: Program; readonly url: string }> {
  const program = new Program([
    process.execPath, NODE_UNDER_TEST, "--name", name, "--data", folder, "--listen", "127.0.0.1:0",
    "--peers-file", join(cluster.folder, "peers.json"), "--stop-with-parent", "--segment-bytes", "131072",
  ]);
  await program.says(/"synod":"listening"/);
  return { program, url: /"synod":"listening".*"url":"([^"]+)"/.exec(program.output)?.[1] ?? "" };
}

it("the copy of a running member's folder is fenced, in all its lives, and the member goes on", () => withCluster({ nodes: 3, disk: "real" }, async (cluster) => {
  const { name: leader, url } = await cluster.leader();
  const [copied = ""] = cluster.names.filter((name) => name !== leader);
  expect((await put(url, "k", "v")).status).toBe(200);
  await cluster.kill(copied);
  const folder = join(cluster.folder, "copy");
  await cp(cluster.dataFolder(copied), folder, { recursive: true });
  await cluster.start(copied);
  await cluster.untilServing(copied);
  await cluster.untilLinked(copied);
  for (let life = 0; life < 2; life++) {
    const copy = await startCopy(cluster, copied, folder);
    const { fenced, role } = await untilFenced(copy.url);
    expect(role).toBe("fenced");
    expect(fenced).toMatch(/copied or restored volume/);
    expect((await call(`${copy.url}/metrics`)).body).toContain('synod_fenced{reason="copied"} 1');
    await copy.program.says(/SYNOD_ERR_FENCED.*copied or restored volume/);
    expect(await put(copy.url, "k", "w")).toMatchObject({ status: 503, code: "SYNOD_ERR_FENCED" });
    copy.program.child.kill("SIGKILL");
    await copy.program.ended;
  }
  expect((await put(cluster.node(copied).url, "k", "x")).status).toBe(200);
  expect(await cluster.status(copied)).toMatchObject({ fenced: null });
}));

it("a member whose folder was replaced by an older copy of it is fenced, and the others go on", () => withCluster({ nodes: 3, disk: "real" }, async (cluster) => {
  const { name: leader, url } = await cluster.leader();
  const [restored = ""] = cluster.names.filter((name) => name !== leader);
  await cluster.kill(restored);
  const backup = join(cluster.folder, "backup");
  await cp(cluster.dataFolder(restored), backup, { recursive: true });
  await cluster.start(restored);
  await cluster.untilServing(restored);
  for (let number = 0; number < 10; number++) expect((await put(cluster.node(restored).url, "k", `${number}`)).status).toBe(200);
  // The next life says in its handshakes how far it came.
  await cluster.kill(restored);
  await cluster.start(restored);
  await cluster.untilServing(restored);
  await cluster.kill(restored);
  await rm(cluster.dataFolder(restored), { recursive: true });
  await cp(backup, cluster.dataFolder(restored), { recursive: true });
  await cluster.start(restored);
  expect((await untilFenced(cluster.node(restored).url)).fenced).toMatch(/copied or restored volume: it ends with record \d+, and had record \d+/);
  expect((await put(url, "k", "after")).status).toBe(200);
  // Neither does the next life vote: with one more member gone there is no quorum.
  await cluster.kill(restored);
  await cluster.start(restored);
  expect(await statusOf(cluster.node(restored).url)).toMatchObject({ role: "fenced" });
  const [third = ""] = cluster.names.filter((name) => name !== leader && name !== restored);
  await cluster.kill(third);
  expect((await put(url, "k", "no quorum")).status).toBeGreaterThanOrEqual(500);
  await cluster.start(third);
  await cluster.untilServing(third);
  expect((await get(cluster.node(third).url, "k")).status).toBe(200);
}));
