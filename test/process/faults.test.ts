import { describe, it } from "vitest";
import { type Disk, type TestCluster, withCluster } from "./cluster.ts";
import { killLeader, pauseLeader, restartAll, stopEachInTurn } from "./faults.ts";
import { type LoadRun, type LoadRunOptions, underLoad } from "./load-run.ts";

const DISKS: readonly Disk[] = ["real", "volatile"];

type Faults = (cluster: TestCluster, load: LoadRun) => Promise<void>;

function faultTest(title: string, nodes: number, disk: Disk, body: Faults, more: Partial<LoadRunOptions> = {}): void {
  const name = `${title} (${nodes} members, ${disk} disk)`;
  it(title, () => withCluster({ nodes, disk }, async (cluster) => {
    await underLoad(cluster, { name, seed: nodes, ...more }, (load) => body(cluster, load));
  }));
}

describe.each(DISKS)("five members on a %s disk, read and written through every member, stay linearizable when", (disk) => {
  faultTest("the leader is killed 20 times", 5, disk, (cluster, load) => killLeader(cluster, load, 20), { retries: 3 });
  faultTest("the leader is paused and resumed", 5, disk, (cluster, load) => pauseLeader(cluster, load, 3));
  faultTest("all are killed and started at once", 5, disk, (cluster, load) => restartAll(cluster, load, 2));
  faultTest("each in turn is stopped and started", 5, disk, stopEachInTurn);
});

describe.each([1, 2, 4])("a cluster of %i stays linearizable, on a disk that loses what was not synced, when", (nodes) => {
  faultTest("its leader is killed, paused and stopped, and all are killed at once", nodes, "volatile", async (cluster, load) => {
    await killLeader(cluster, load, 3);
    await pauseLeader(cluster, load, 1);
    await restartAll(cluster, load, 1);
    await stopEachInTurn(cluster, load);
  });
});
