import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Disk, type TestCluster, withCluster } from "./cluster.ts";
import { get, put } from "./http.ts";

const WRITES = 120;
const VALUE_BYTES = 4_096;

const valueOf = (round: number, number: number): string => `round ${round}, value ${number} `.padEnd(VALUE_BYTES, "x");
const keyOf = (number: number): string => `k${number % 40}`;

/** Far more bytes than members keep of entries below their snapshots. */
async function writeMuch(url: string, round: number): Promise<void> {
  for (let number = 0; number < WRITES; number += 10) {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, at) => put(url, keyOf(number + at), valueOf(round, number + at))));
    expect(answers.map(({ status, body }) => (status === 200 ? status : body))).toEqual(answers.map(() => 200));
  }
}

/** The slot of the newest snapshot in a member's folder; 0: none. */
async function newestSnapshot(cluster: TestCluster, name: string): Promise<number> {
  const names = await readdir(join(cluster.dataFolder(name), "snapshots"));
  return Math.max(0, ...names.map((file) => Number(/^(\d+)\.snap$/.exec(file)?.[1] ?? 0)));
}

async function expectRound(url: string, round: number): Promise<void> {
  for (let number = WRITES - 40; number < WRITES; number++) {
    expect((await get(url, keyOf(number))).body === valueOf(round, number), `${keyOf(number)} through ${url} is of round ${round}`).toBe(true);
  }
}

describe.each<Disk>(["real", "volatile"])("on a %s disk a member that missed more than the others keep of their logs", (disk) => {
  const title = "catches up by snapshot, also when it is killed meanwhile, and then carries a majority";
  it(title, () => withCluster({ nodes: 3, disk }, async (cluster) => {
    const { name: leader, url } = await cluster.leader();
    const [behind = "", other = ""] = cluster.names.filter((name) => name !== leader);
    await writeMuch(url, 1);
    await cluster.untilServing(behind);
    const { applied } = await cluster.status(behind);
    await cluster.kill(behind);
    await writeMuch(url, 2);
    await writeMuch(url, 3);
    expect(await newestSnapshot(cluster, leader)).toBeGreaterThan(applied);
    expect(await newestSnapshot(cluster, other)).toBeGreaterThan(applied);

    await cluster.start(behind);
    await cluster.kill(behind);
    await cluster.start(behind);
    await cluster.untilServing(behind);
    expect(await newestSnapshot(cluster, behind)).toBeGreaterThan(applied);
    await expectRound(cluster.node(behind).url, 3);

    await cluster.kill(leader);
    await cluster.leader();
    await expectRound(cluster.node(behind).url, 3);
    await writeMuch(cluster.node(behind).url, 4);
    await expectRound(cluster.node(other).url, 4);
  }));
});
