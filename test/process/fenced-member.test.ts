import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "../local/harness.ts";
import { until, withCluster } from "./cluster.ts";
import { filesOf } from "./flipped-node.ts";
import { call, get, put } from "./http.ts";
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
    // Nothing waits for a member that answers nobody: the leader says so at once.
    await until("the leader misses it", async () => {
      const { code } = await call(`${url}/v1/members/${broken}/transfer-leadership`, { method: "POST" });
      return code === "SYNOD_ERR_NO_SUCCESSOR" ? null : code;
    });

    const replace = new Program([process.execPath, MAIN, "member", "replace", broken, newcomer.address, "--endpoint", url]);
    expect([await replace.ended, replace.output]).toEqual([0, expect.stringMatching(/x1 +voter/)]);
    await newcomer.untilServing();
    // The new one carries a quorum, and the fenced one none.
    await cluster.kill(other);
    expect((await put(newcomer.url, "k", "after")).status).toBe(200);
    expect(await get(url, "k")).toMatchObject({ body: "after" });
    expect(await cluster.status(broken)).toMatchObject({ role: "fenced" });
  })));

it("a learner that is lost is replaced by one command, too, and a new one is known by whichever name its address has", () =>
  withCluster({ nodes: 1, disk: "real" }, (cluster) => withNewcomers(cluster, ["x1", "x2"], async (lost, newcomer) => {
    const { url } = await cluster.leader();
    const member = async (...args: readonly string[]): Promise<{ readonly code: unknown; readonly output: string }> => {
      const program = new Program([process.execPath, MAIN, "member", ...args, "--endpoint", url]);
      return { code: await program.ended, output: program.output };
    };
    const { port } = new URL(lost.url);
    expect(await member("add", "--learner", `localhost:${port}`)).toEqual({ code: 0, output: "x1 learns\n" });
    expect(await member("add", "--learner", lost.address)).toEqual({ code: 0, output: "x1 learns\n" });
    await lost.kill();
    const { code, output } = await member("replace", "x1", newcomer.address);
    expect([code, output]).toEqual([0, expect.stringMatching(/x1 has left\nx2 learns\n[^]*x2 +learner/) as string]);
    expect(output).not.toMatch(/x1 +learner/);
  })));
