import { rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Program } from "../local/harness.ts";
import { NODE_UNDER_TEST, TestCluster, until } from "./cluster.ts";
import { type Answer, call, get, put } from "./http.ts";
import { mountable, SmallDisk } from "./small-disk.ts";

const MIB = 1024 * 1024;
const del = (url: string, key: string): Promise<Answer> => call(`${url}/v1/kv/${key}`, { method: "DELETE" });
const valueOf = (number: number): string => `value ${number} `.padEnd(4_000, "v");

/** Runs `body` on a founded cluster whose members have a small file system each. */
async function onSmallDisks(
  nodes: number, mount: (folder: string) => Promise<SmallDisk>, body: (cluster: TestCluster, diskOf: (name: string) => SmallDisk) => Promise<void>,
): Promise<void> {
  const cluster = new TestCluster({ nodes, disk: "real", segmentBytes: 65_536, snapshotBytes: 128 * 1024 });
  const disks = new Map<string, SmallDisk>();
  try {
    await cluster.open();
    for (const name of cluster.names) disks.set(name, await mount(cluster.dataFolder(name)));
    await cluster.startAll();
    await cluster.leader();
    await body(cluster, (name) => disks.get(name) as SmallDisk);
  } finally {
    await cluster.shutdown();
    for (const disk of disks.values()) await disk.remove();
  }
  await rm(cluster.folder, { recursive: true, force: true });
}

/** Resolves once `holds` does. */
const untilTrue = (what: string, holds: () => Promise<boolean>): Promise<void> => until(what, async () => ((await holds()) ? null : "not yet"));

/** Overwrites twenty keys until a write is refused. Returns that answer. */
async function writeUntilRefused(url: string): Promise<Answer> {
  for (let number = 0; number < 2_000; number++) {
    const answer = await put(url, `k${number % 20}`, valueOf(number));
    if (answer.status !== 200) return answer;
  }
  throw new Error("no write was refused");
}

const tmpfs = (folder: string): Promise<SmallDisk> => SmallDisk.tmpfs(folder, 2 * MIB);
const ext4 = (folder: string): Promise<SmallDisk> => SmallDisk.ext4(folder, 16 * MIB);

describe.skipIf(!mountable("tmpfs"))("a real file system that fills", () => {
  it("makes a member of one refuse what grows, go on with deletes and reads, start again, and recover when there is space", () =>
    onSmallDisks(1, tmpfs, async (cluster, diskOf) => {
      const { url } = await cluster.leader();
      const disk = diskOf("n1");
      for (let number = 0; number < 20; number++) expect((await put(url, `k${number}`, valueOf(number))).status).toBe(200);
      disk.fill(2 * MIB);
      expect(await writeUntilRefused(url)).toMatchObject({ status: 507, code: "SYNOD_ERR_NO_SPACE" });
      expect(await cluster.status("n1")).toMatchObject({ diskFull: true, fenced: null, role: "leader" });
      expect((await call(`${url}/metrics`)).body).toContain("synod_disk_full 1");
      await cluster.untilLogged("n1", /SYNOD_ERR_NO_SPACE/);
      expect((await get(url, "k3")).status).toBe(200);
      for (let number = 0; number < 5; number++) expect((await del(url, `k${number}`)).status).toBe(200);

      await cluster.kill("n1");
      await cluster.start("n1");
      await cluster.untilServing("n1");
      const again = cluster.node("n1").url;
      expect((await get(again, "k3")).status).toBe(404);
      expect((await get(again, "k7")).status).toBe(200);
      await untilTrue("the restarted member knows that its disk is full", async () => (await put(again, "k7", valueOf(1))).status === 507);
      expect((await del(again, "k7")).status).toBe(200);

      await disk.empty();
      await untilTrue("a write is taken again", async () => (await put(again, "k1", "back")).status === 200);
      expect(await cluster.status("n1")).toMatchObject({ diskFull: false });
      expect((await call(`${again}/metrics`)).body).toContain("synod_disk_full 0");
    }));

  it("makes a leader hand over to a member with space, and writes go on", () => onSmallDisks(3, tmpfs, async (cluster, diskOf) => {
    const { name: full, url } = await cluster.leader();
    const [other = ""] = cluster.names.filter((name) => name !== full);
    expect((await put(url, "k", valueOf(0))).status).toBe(200);
    diskOf(full).fill(2 * MIB);
    let refused = 0;
    await untilTrue("another member leads", async () => {
      const answer = await put(cluster.node(other).url, "k", valueOf(1));
      if (answer.status !== 200) {
        expect(answer.code).toMatch(/NO_SPACE|NO_LEADER|BUSY|OUTCOME_UNKNOWN/);
        refused += 1;
      }
      return (await cluster.status(other)).leader !== full && (await cluster.status(other)).leader !== null;
    });
    for (let number = 0; number < 60; number++) expect((await put(cluster.node(other).url, `k${number % 20}`, valueOf(number))).status).toBe(200);
    expect(await cluster.status(full)).toMatchObject({ diskFull: true, fenced: null });
    expect(refused).toBeLessThan(50);
    await diskOf(full).empty();
    await untilTrue("the disk counts as free", async () => !(await cluster.status(full)).diskFull);
    await cluster.untilServing(full);
  }));

  it("makes a leader refuse what grows when no quorum has space, certainly, and go on with deletes", () => onSmallDisks(3, tmpfs, async (cluster, diskOf) => {
    const { url } = await cluster.leader();
    for (let number = 0; number < 20; number++) expect((await put(url, `k${number}`, valueOf(number))).status).toBe(200);
    for (const name of cluster.names) diskOf(name).fill(2 * MIB);
    const anyUrl = (): string => cluster.urls[0] as string;
    await untilTrue("a write is refused", async () => (await put(anyUrl(), "k1", valueOf(1))).code === "SYNOD_ERR_NO_SPACE");
    for (let number = 0; number < 10; number++) expect((await del(anyUrl(), `k${number}`)).status).toBe(200);
    expect((await get(anyUrl(), "k15")).status).toBe(200);
    for (const name of cluster.names) await diskOf(name).empty();
    await untilTrue("a write is taken again", async () => (await put(anyUrl(), "k1", "back")).status === 200);
  }));
});

describe.skipIf(!mountable("ext4"))("a real file system that becomes read-only", () => {
  it("fences the leader, which says so; the others go on, and it comes back once its disk does", () => onSmallDisks(3, ext4, async (cluster, diskOf) => {
    const { name: broken, url } = await cluster.leader();
    const [other = ""] = cluster.names.filter((name) => name !== broken);
    expect((await put(url, "k", "before")).status).toBe(200);
    diskOf(broken).abort();
    await untilTrue("another member leads", async () => {
      const { leader } = await cluster.status(other);
      return leader !== broken && leader !== null;
    });
    const { fenced, role } = await cluster.status(broken);
    expect(role).toBe("fenced");
    expect(fenced).toMatch(/EROFS|EIO/);
    expect((await call(`${url}/metrics`)).body).toContain('synod_fenced{reason="disk"} 1');
    await cluster.untilLogged(broken, /SYNOD_ERR_FENCED.*the disk failed/);
    expect(await put(url, "k", "x")).toMatchObject({ status: 503, code: "SYNOD_ERR_FENCED" });
    expect((await put(cluster.node(other).url, "k", "after")).status).toBe(200);
    await cluster.kill(broken);
    diskOf(broken).repair();
    await cluster.start(broken);
    await cluster.untilServing(broken);
    expect(await get(cluster.node(broken).url, "k")).toMatchObject({ body: "after" });
  }));

  it("is told with a code by a member that cannot start on it", () => onSmallDisks(1, ext4, async (cluster, diskOf) => {
    expect((await put((await cluster.leader()).url, "k", "v")).status).toBe(200);
    await cluster.stop("n1");
    diskOf("n1").readOnly(true);
    const node = new Program([process.execPath, NODE_UNDER_TEST, "--name", "n1", "--data", cluster.dataFolder("n1"), "--listen", "127.0.0.1:0", "--stop-with-parent"]);
    expect(await node.ended).toBe(1);
    expect(node.output).toContain("SYNOD_ERR_DISK");
    diskOf("n1").readOnly(false);
    await cluster.start("n1");
    await cluster.untilServing("n1");
    expect(await get(cluster.node("n1").url, "k")).toMatchObject({ body: "v" });
  }));
});
