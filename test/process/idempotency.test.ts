import { describe, expect, it } from "vitest";
import { type Disk, type TestCluster, withCluster } from "./cluster.ts";
import { type Answer, call, get, put } from "./http.ts";

const KEY = { "idempotency-key": "order-1" };

/** The answer to a repetition through one member, which may have to wait for a leader first. */
async function repeat(url: string, key: string, body: string, headers: Readonly<Record<string, string>>, prevRevision?: number): Promise<Answer> {
  const query = prevRevision === undefined ? "" : `?prevRevision=${prevRevision}`;
  return call(`${url}/v1/kv/${key}${query}`, { method: "PUT", body, headers });
}

async function restartAll(cluster: TestCluster): Promise<void> {
  await Promise.all(cluster.names.map((name) => cluster.kill(name)));
  await Promise.all(cluster.names.map((name) => cluster.start(name)));
  await Promise.all(cluster.names.map((name) => cluster.untilServing(name)));
}

async function changeLeader(cluster: TestCluster): Promise<void> {
  const { name } = await cluster.leader();
  await cluster.kill(name);
  await cluster.leader();
  await cluster.start(name);
  await cluster.untilServing(name);
}

describe.each<Disk>(["real", "volatile"])("on a %s disk a repetition with an Idempotency-Key", (disk) => {
  const title = "gets the first answer through every member, after a leader change and after a restart of all";
  it(title, () => withCluster({ nodes: 3, disk }, async (cluster) => {
    const first = await put(cluster.urls[0] ?? "", "k", "first", KEY);
    expect(first).toMatchObject({ status: 200, revision: expect.any(Number) });
    const later = await put(cluster.urls[1] ?? "", "k", "second");
    expect(later.revision).toBeGreaterThan(first.revision ?? Infinity);
    const refused = await repeat(cluster.urls[2] ?? "", "k", "third", { "idempotency-key": "order-2" }, first.revision ?? 0);
    expect(refused).toMatchObject({ status: 412, code: "SYNOD_ERR_PRECONDITION" });
    for (const disturb of [async () => {}, () => changeLeader(cluster), () => restartAll(cluster)]) {
      await disturb();
      for (const url of cluster.urls) {
        expect(await put(url, "k", "first", KEY)).toEqual(first);
        // The refusal is remembered too: what was 412 once does not succeed later.
        expect(await repeat(url, "k", "third", { "idempotency-key": "order-2" }, first.revision ?? 0)).toEqual(refused);
        expect(await put(url, "k", "another", KEY)).toMatchObject({ status: 422, code: "SYNOD_ERR_IDEMPOTENCY_MISMATCH" });
        expect(await get(url, "k")).toMatchObject({ status: 200, body: "second", revision: later.revision });
      }
    }
  }));
});

const repeated = "a write under way while its leader is killed takes effect once, however often it is repeated";
it(repeated, () => withCluster({ nodes: 3, disk: "volatile" }, async (cluster) => {
  const { name } = await cluster.leader();
  const others = cluster.list().filter((node) => node.name !== name).map(({ url }) => url);
  const writes = Array.from({ length: 40 }, (_, number) => `write-${number}`);
  const attempt = (url: string, write: string): Promise<Answer | null> => put(url, write, write, { "idempotency-key": write }).catch(() => null);
  const underWay = writes.map((write, index) => attempt(others[index % others.length] ?? "", write));
  await cluster.kill(name);
  const firsts = await Promise.all(underWay);
  await cluster.leader();
  for (const [index, write] of writes.entries()) {
    const answers = [await attempt(others[0] ?? "", write), await attempt(others[1] ?? "", write)];
    const told = [firsts[index], ...answers].filter((answer) => answer?.status === 200).map((answer) => answer?.revision);
    expect(told.length, write).toBeGreaterThanOrEqual(2);
    expect(new Set(told).size, `${write} was told the revisions ${told.join(", ")}`).toBe(1);
    expect((await get(others[0] ?? "", write)).revision).toBe(told[0]);
  }
}));
