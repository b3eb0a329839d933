import { expect, it, onTestFinished, vi } from "vitest";
import { slot } from "../../src/paxos/ids.ts";
import { startNode } from "../../src/node/start.ts";
import { SimulatedDisk } from "../../src/sim/simulated-disk.ts";
import { FOLDER } from "../storage/fixtures.ts";
import { call, get, put } from "../process/http.ts";

async function start(disk: SimulatedDisk) {
  const node = await startNode({ name: "one", data: FOLDER, listen: "127.0.0.1:0", logLevel: "silent", fileSystem: disk.fileSystem(), storage: { segmentBytes: 16_384 } });
  onTestFinished(() => node.stop());
  return node;
}

async function folderOfOne(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const node = await start(disk);
  const { incarnation } = node.service.identity();
  const voters = [{ incarnation, name: "one", address: new URL(node.url).host }];
  await node.service.found({ cluster: "c".repeat(32), configuration: { voters, learners: [], removed: [] }, configurationSlot: slot(0) }, incarnation);
  expect((await put(node.url, "k", "v")).status).toBe(200);
  await node.stop();
  return disk;
}

const statusOf = async (url: string) => JSON.parse((await call(`${url}/v1/status`)).body) as Record<string, unknown>;

it("a member whose log is damaged starts, says why it does not serve, and stays fenced when the damage is gone", async () => {
  const disk = await folderOfOne();
  const log = `${FOLDER}/log/0000000001.log`;
  const right = disk.contents(log);
  disk.plant(log, right.with(600, (right[600] as number) ^ 4));
  for (let life = 0; life < 2; life++) {
    const node = await start(disk);
    expect(await statusOf(node.url)).toMatchObject({ member: "one", cluster: "c".repeat(32), role: "fenced", fenced: expect.stringContaining(log) });
    expect(await put(node.url, "k", "w")).toMatchObject({ status: 503, code: "SYNOD_ERR_FENCED" });
    expect(await get(node.url, "k")).toMatchObject({ code: "SYNOD_ERR_FENCED" });
    expect(await call(`${node.url}/v1/kv/k?consistency=local`)).toMatchObject({ code: "SYNOD_ERR_FENCED" });
    expect((await call(`${node.url}/readyz`)).status).toBe(503);
    expect((await call(`${node.url}/healthz`)).status).toBe(200);
    expect((await call(`${node.url}/metrics`)).body).toContain('synod_fenced{reason="corrupt"} 1');
    await node.stop();
    disk.plant(log, right);
  }
});

it("a member whose identity cannot be read starts fenced, and is nobody", async () => {
  const disk = await folderOfOne();
  disk.plant(`${FOLDER}/identity.json`, new Uint8Array(20));
  const node = await start(disk);
  expect(await statusOf(node.url)).toMatchObject({ member: "one", incarnation: "0".repeat(32), role: "fenced" });
});

it("a fence whose note is damaged holds", async () => {
  const disk = await folderOfOne();
  disk.plant(`${FOLDER}/fence.json`, new Uint8Array(20));
  const node = await start(disk);
  expect(await statusOf(node.url)).toMatchObject({ role: "fenced", fenced: expect.stringContaining("fence.json") });
});

it.each(["EIO", "EROFS"] as const)("a member whose disk fails at work (%s) is fenced until it starts again on a disk that works", async (code) => {
  const disk = await folderOfOne();
  const node = await start(disk);
  await vi.waitFor(async () => expect((await put(node.url, "k", "before")).status).toBe(200), { timeout: 20_000 });
  disk.failCode = code;
  disk.fail = ({ kind }) => kind === "write" || kind === "datasync";
  expect(await put(node.url, "k", "lost")).toMatchObject({ code: expect.stringMatching(/OUTCOME_UNKNOWN|FENCED/) });
  expect(await statusOf(node.url)).toMatchObject({ role: "fenced", fenced: expect.stringContaining(code) });
  expect((await call(`${node.url}/metrics`)).body).toContain('synod_fenced{reason="disk"} 1');
  expect(disk.paths()).not.toContain(`${FOLDER}/fence.json`);
  await node.stop();
  disk.fail = () => false;
  const again = await start(disk);
  await vi.waitFor(async () => expect((await put(again.url, "k", "after")).status).toBe(200), { timeout: 20_000 });
});

it("a member that is fenced for ever can be renewed as what it is, and starts anew as another", async () => {
  const disk = await folderOfOne();
  const log = `${FOLDER}/log/0000000001.log`;
  const right = disk.contents(log);
  disk.plant(log, right.with(600, (right[600] as number) ^ 4));
  const node = await start(disk);
  const { incarnation, fence } = await statusOf(node.url);
  expect(fence).toMatchObject({ kind: "corrupt", reason: expect.stringContaining(log) });
  const renew = (named: unknown) => call(`${node.url}/v1/renew`, { method: "POST", body: JSON.stringify({ incarnation: named }), headers: { "content-type": "application/json" } });
  expect(await renew("a".repeat(32))).toMatchObject({ status: 409, code: "SYNOD_ERR_WRONG_INCARNATION" });
  expect(await renew("this one")).toMatchObject({ status: 400 });
  expect(JSON.parse((await renew(incarnation)).body)).toEqual({ member: "one", renewed: incarnation });
  await node.renewed;
  await node.stop();
  const again = await start(disk);
  const born = await statusOf(again.url);
  expect(born).toMatchObject({ cluster: null, fenced: null, fence: null, role: "learner" });
  expect(born["incarnation"]).not.toBe(incarnation);
});

it("a member that votes is not renewed, and keeps what it has", async () => {
  const disk = await folderOfOne();
  const node = await start(disk);
  const { incarnation } = await statusOf(node.url);
  const refused = await call(`${node.url}/v1/renew`, { method: "POST", body: JSON.stringify({ incarnation }), headers: { "content-type": "application/json" } });
  expect(refused).toMatchObject({ status: 409, code: "SYNOD_ERR_MEMBER_NEEDED" });
  await node.stop();
  const again = await start(disk);
  expect(await statusOf(again.url)).toMatchObject({ incarnation, cluster: "c".repeat(32) });
});
