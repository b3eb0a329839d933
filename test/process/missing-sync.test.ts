import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { checkHistory } from "../../src/history/checker.ts";
import { type ClusterOptions, type TestCluster, withCluster } from "./cluster.ts";
import { LoadRun } from "./load-run.ts";
import { countOmissions, type Sync } from "./syncs.ts";

/*
 * A process that is killed loses no page cache, so tests that only kill would pass without a single sync. Here the disk loses with the process
 * what was not synced, every member leaves one kind of sync out, all are killed at once, and what the test demands is that this is noticed: by
 * the checker, as the loss of an acknowledged write, or by the members, which fence themselves on a folder that lacks what it must hold.
 */

const SMALL = { segmentBytes: 32 * 1024, snapshotBytes: 8 * 1024, retainedBytes: 4 * 1024 };
/** One segment and no snapshot, so that nothing in the folder tells of what is lost. */
const LARGE = { segmentBytes: 1024 * 1024, snapshotBytes: 64 * 1024 * 1024 };
const MAX_ROUNDS = 40;

/** Works the cluster until every member has left the sync out so often, kills all, starts all. Says what that led to. */
async function killWithout(omitSync: Sync, atLeast: number, sizes: Partial<ClusterOptions>): Promise<string> {
  let noticed = "nothing was noticed";
  await withCluster({ nodes: 3, disk: "volatile", omitSync, ...sizes }, async (cluster) => {
    const load = new LoadRun(cluster, { name: `without ${omitSync}`, seed: 1, thinkMs: 2 });
    try {
      await load.acknowledged(100);
      for (let round = 0; !(await haveOmitted(cluster, atLeast)); round++) {
        if (round === MAX_ROUNDS) throw new Error(`a member did not leave ${omitSync} out ${atLeast} times`);
        await load.acknowledged(50);
      }
    } finally {
      await load.stop();
    }
    await Promise.all(cluster.names.map((name) => cluster.kill(name)));
    noticed = (await refusals(cluster)) ?? (await lostWrites(cluster, load)) ?? noticed;
  });
  return noticed;
}

async function haveOmitted(cluster: TestCluster, atLeast: number): Promise<boolean> {
  const logs = await Promise.all(cluster.names.map((name) => readFile(cluster.logPath(name), "utf8")));
  return logs.every((log) => countOmissions(log) >= atLeast);
}

/** What the members say that do not start, are fenced, or do not belong to the cluster any more; null when all take part again. */
async function refusals(cluster: TestCluster): Promise<string | null> {
  const starts = await Promise.allSettled(cluster.names.map((name) => cluster.start(name)));
  const refused = starts.find((start) => start.status === "rejected");
  if (refused !== undefined) return refused.reason instanceof SynodError ? refused.reason.message : String(refused.reason);
  const statuses = await Promise.all(cluster.names.map((name) => cluster.status(name)));
  const fenced = statuses.find((status) => status.fenced !== null);
  if (fenced !== undefined) return `fenced: ${fenced.fenced}`;
  return statuses.some(({ cluster: id }) => id === null) ? "a member has forgotten its cluster" : null;
}

async function lostWrites(cluster: TestCluster, load: LoadRun): Promise<string | null> {
  await Promise.all(cluster.names.map((name) => cluster.untilServing(name)));
  await load.finish();
  const verdict = checkHistory(load.operations);
  return verdict.verdict === "violation" ? `violation: ${verdict.violations[0]?.reason ?? ""}` : null;
}

it("loses an acknowledged write without the sync of a batch of the log, and the checker finds it", async () => {
  expect(await killWithout("log-batch", 50, LARGE)).toMatch(/^violation: /);
});

it.each([
  ["of the log's folder after a segment was made", "log-folder", 1, /^fenced: .*no log/],
  ["of a snapshot's file", "snapshot-file", 2, /^fenced: .*\.snap/],
  ["of the snapshots' folder after the rename", "snapshot-folder", 4, /^fenced: .*snapshot/],
  ["of the identity", "identity-file", 1, /^fenced: .*identity/],
  ["of the founding document", "founding-file", 1, /^fenced: .*founding/],
  ["of the data folder after the identity and the founding document were renamed", "data-folder", 2, /forgotten|^fenced: /],
] as const)("without the sync %s no member takes part as if nothing were missing", async (_what, sync, atLeast, complaint) => {
  expect(await killWithout(sync, atLeast, SMALL)).toMatch(complaint);
});
