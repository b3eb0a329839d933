import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Status } from "../../../src/client/types.ts";
import { claimName, ordinalOf } from "../../../src/controller/resource/names.ts";
import { killAll } from "../support/kill.ts";
import { run } from "../support/run-command.ts";
import { until } from "../support/until.ts";
import type { Fault, Stage } from "./fault.ts";

const FILLER = "filler";
const CHUNK_BYTES = 1024 * 1024;

/** Where on this machine the volume of a pod is mounted. */
async function volumeOf({ cluster }: Stage, pod: string): Promise<string> {
  const claim = cluster.view.claims.named(claimName(cluster.name, ordinalOf(cluster.name, pod) ?? 0));
  const path = await cluster.kubectl("get", "pv", claim?.spec?.volumeName ?? "", "-o", "jsonpath={.spec.hostPath.path}");
  if (path === "") throw new Error(`the volume of ${pod} is not a folder of this machine`);
  return path;
}

/** Writes until nothing fits any more. */
async function fill(path: string): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES, 1);
  for (;;) {
    const { bavail, bsize } = await statfs(path);
    const bytes = Math.min(chunk.length, bavail * bsize);
    if (bytes === 0) return;
    await writeFile(join(path, FILLER), chunk.subarray(0, bytes), { flag: "a" }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOSPC") throw error;
    });
  }
}

export const DISK_FAULTS: readonly Fault[] = [
  {
    name: "fill the volume of the leader and delete its pod",
    needs: "sized volumes",
    boundMs: 90_000,
    usualMs: 25_000,
    maxGapMs: 10_000,
    async inject(stage) {
      const pod = await stage.cluster.leader();
      const path = await volumeOf(stage, pod);
      stage.heals(() => rm(join(path, FILLER), { force: true }));
      await fill(path);
      // Started on a full disk it has nothing but what its last life left prepared.
      await stage.cluster.delete("pod", pod);
      await until(`${pod} notices that its disk is full`, 60_000, async () =>
        (await stage.cluster.ask<Status>(pod, "/v1/status")).diskFull ? null : "it has room");
      await stage.load.acknowledged(100, 60_000);
    },
  },
  {
    name: "make a volume read-only",
    needs: "sized volumes",
    boundMs: 120_000,
    usualMs: 40_000,
    maxGapMs: 10_000,
    async inject(stage) {
      const { cluster, load } = stage;
      const pod = await cluster.leader();
      const path = await volumeOf(stage, pod);
      stage.heals(() => run("mount", ["-o", "remount,rw", path]));
      await makeReadOnly(stage, pod, path);
      await load.acknowledged(100, 60_000);
    },
  },
];

/** A file system with files that are open for writing cannot be made read-only, so its member is killed first and comes back to it. */
async function makeReadOnly({ cluster, node }: Stage, pod: string, path: string): Promise<void> {
  await until(`the volume of ${pod} is read-only`, 60_000, async () => {
    killAll(await node().processesOf(cluster.namespace, pod));
    await run("mount", ["-o", "remount,ro", path]);
    return null;
  });
}
