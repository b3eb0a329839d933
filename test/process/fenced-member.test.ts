import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "../local/harness.ts";
import { withCluster } from "./cluster.ts";
import { filesOf } from "./flipped-node.ts";
import { get, put } from "./http.ts";
import { withNewcomers } from "./newcomer.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

/** Flips one bit in the middle of what is written in the first segment of the log. */
async function damage(folder: string): Promise<void> {
  const log = (await filesOf(folder)).find(({ file }) => file.endsWith(".log"));
  const path = join(folder, log?.file ?? "");
  const bytes = await readFile(path);
  bytes[600] = (bytes[600] as number) ^ 16;
  await writeFile(path, bytes);
}

it("a member whose log was damaged is fenced while the others go on, and one command puts a new one in its place", () =>
  withCluster({ nodes: 3, disk: "real" }, (cluster) => withNewcomers(cluster, ["x1"], async (newcomer) => {
    const { name: leader, url } = await cluster.leader();
    const [broken = "", other = ""] = cluster.names.filter((name) => name !== leader);
    expect((await put(url, "k", "before")).status).toBe(200);
    await cluster.kill(broken);
    await damage(cluster.dataFolder(broken));
    await cluster.start(broken);
    expect(await cluster.status(broken)).toMatchObject({ role: "fenced", fenced: expect.stringContaining(".log") });
    expect(await get(cluster.node(broken).url, "k")).toMatchObject({ status: 503, code: "SYNOD_ERR_FENCED" });
    expect((await put(url, "k", "meanwhile")).status).toBe(200);

    const replace = new Program([process.execPath, MAIN, "member", "replace", broken, newcomer.address, "--endpoint", url]);
    expect([await replace.ended, replace.output]).toEqual([0, expect.stringMatching(/x1 +voter/)]);
    await newcomer.untilServing();
    // The new one carries a quorum, and the fenced one none.
    await cluster.kill(other);
    expect((await put(newcomer.url, "k", "after")).status).toBe(200);
    expect(await get(url, "k")).toMatchObject({ body: "after" });
    expect(await cluster.status(broken)).toMatchObject({ role: "fenced" });
  })));
