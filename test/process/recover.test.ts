import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "../local/harness.ts";
import { until, withCluster } from "./cluster.ts";
import { call, get, put } from "./http.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
const KEYS = 30;
const valueOf = (index: number): string => `value ${index} `.padEnd(3_000, "v");

const recover = (data: string, ...flags: string[]): Program => new Program([process.execPath, MAIN, "recover", "--data", data, ...flags]);

it("of three members two are lost: the third becomes a cluster of its own, with all its data, and the old ones cannot talk to it", () =>
  withCluster({ nodes: 3, disk: "real" }, async (cluster) => {
    const { name: survivor, url } = await cluster.leader();
    for (let index = 0; index < KEYS; index++) expect((await put(url, `k${index}`, valueOf(index))).status).toBe(200);
    const before = await cluster.status(survivor);
    const data = cluster.dataFolder(survivor);
    const early = recover(data, "--yes");
    expect(await early.ended).toBe(1);
    expect(early.output).toContain("SYNOD_ERR_FOLDER_LOCKED");

    for (const name of cluster.names) await cluster.kill(name);
    const asked = recover(data);
    expect(await asked.ended).toBe(1);
    expect(asked.output).toMatch(/What may be lost.*every write that was acknowledged beyond slot \d+.*SYNOD_ERR_BAD_REQUEST.*--yes/s);
    const program = recover(data, "--yes");
    expect(await program.ended).toBe(0);
    expect(program.output).toMatch(new RegExp(`Member ${survivor} of cluster ${before.cluster} holds ${KEYS} keys at revision ${before.revision}`));

    await cluster.start(survivor);
    await cluster.untilServing(survivor);
    const after = await cluster.status(survivor);
    expect(after.cluster).not.toBe(before.cluster);
    expect(after.incarnation).not.toBe(before.incarnation);
    expect(after.configuration).toMatchObject({ voters: [{ name: survivor, incarnation: after.incarnation }], learners: [] });
    const own = cluster.node(survivor).url;
    for (let index = 0; index < KEYS; index++) expect((await get(own, `k${index}`)).body === valueOf(index), `k${index}`).toBe(true);

    // The old members come back after all: they are the old cluster, and the new one is none of it.
    const others = cluster.names.filter((name) => name !== survivor);
    for (const name of others) await cluster.start(name);
    for (const name of others) await cluster.untilServing(name);
    const [other = ""] = others;
    const seen = await untilRefused(cluster.node(other).url, survivor);
    expect(seen).toMatch(/cluster|incarnation/);
    expect((await put(cluster.node(other).url, "k0", "old")).status).toBe(200);
    expect((await put(own, "k0", "new")).status).toBe(200);
    expect(await get(own, "k0")).toMatchObject({ body: "new" });
    expect(await get(cluster.node(other).url, "k0")).toMatchObject({ body: "old" });
  }));

/** Why the member at `url` has no link to `peer`. */
async function untilRefused(url: string, peer: string): Promise<string> {
  let why = "";
  await until(`${url} is refused by ${peer}`, async () => {
    const { peers } = JSON.parse((await call(`${url}/v1/status`)).body) as { peers: { name: string; link: string; refused: string | null }[] };
    const found = peers.find(({ name }) => name === peer);
    expect(found?.link).not.toBe("up");
    why = found?.refused ?? "";
    return why === "" ? "it is not" : null;
  });
  return why;
}
