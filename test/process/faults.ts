import type { TestCluster } from "./cluster.ts";
import type { LoadRun } from "./load-run.ts";

/** Whether the others can go on without one member. */
function isSpareable(cluster: TestCluster): boolean {
  return cluster.names.length - 1 > cluster.names.length / 2;
}

/** SIGKILLs the leader, lets the others go on if they can, and starts it again, so many times. */
export async function killLeader(cluster: TestCluster, load: LoadRun, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const { name } = await cluster.leader();
    await cluster.kill(name);
    if (isSpareable(cluster)) {
      await cluster.leader();
      await load.acknowledged(10);
    }
    await cluster.start(name);
    await cluster.untilServing(name);
    await load.acknowledged(10);
  }
}

/**
 * SIGSTOPs the leader until the others have gone on without it, and resumes it while most clients ask it and none else: reads and writes that
 * waited in its sockets are what it sees first, before it can know that it does not lead any more.
 */
export async function pauseLeader(cluster: TestCluster, load: LoadRun, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const { name, url } = await cluster.leader();
    await cluster.pause(name);
    if (isSpareable(cluster)) {
      await cluster.leader();
      await load.acknowledged(10);
    }
    load.favour(url);
    await load.unanswered(1, url);
    await cluster.resume(name);
    await Promise.all([load.answeredReads(10, url), load.acknowledged(10, url)]);
    load.favour(null);
    await cluster.untilServing(name);
  }
}

/** SIGKILLs every member at the same time and starts all again, so many times. */
export async function restartAll(cluster: TestCluster, load: LoadRun, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await Promise.all(cluster.names.map((name) => cluster.kill(name)));
    await Promise.all(cluster.names.map((name) => cluster.start(name)));
    await Promise.all(cluster.names.map((name) => cluster.untilServing(name)));
    await load.acknowledged(20);
  }
}

/** Stops each member in good order and starts it again before the next. */
export async function stopEachInTurn(cluster: TestCluster, load: LoadRun): Promise<void> {
  for (const name of cluster.names) {
    await cluster.stop(name);
    if (isSpareable(cluster)) await load.acknowledged(10);
    await cluster.start(name);
    await cluster.untilServing(name);
    await load.acknowledged(10);
  }
}
