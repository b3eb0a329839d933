import { watch } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LocalCluster, type LocalNode } from "../../src/local/local-cluster.ts";
import { fetchStatus } from "../../src/local/node-call.ts";
import { HISTORY_FOLDER } from "../history/history-file.ts";
import { get } from "./http.ts";
import type { Sync } from "./syncs.ts";

export const NODE_UNDER_TEST = join(import.meta.dirname, "node-under-test.ts");

/** How long any single thing may take before a test gives up, in milliseconds: generous, since others may load the machine. */
export const PATIENCE_MS = 45_000;

export type Disk = "real" | "volatile";

export interface ClusterOptions {
  readonly nodes: number;
  /** `volatile` loses with a killed process what a power loss would. */
  readonly disk: Disk;
  readonly omitSync?: Sync;
  /** So small by default that segments roll and snapshots are taken within seconds. */
  readonly segmentBytes?: number;
  readonly snapshotBytes?: number;
  /** Entries below the snapshot that members keep for those that lag. */
  readonly retainedBytes?: number;
  /** Long where a leader must go on leading without a quorum, for as long as the test needs. */
  readonly electionTimeoutMs?: number;
  /** A program and arguments that run a node's command; they find the cluster's folder in SYNOD_TEST_FOLDER. */
  readonly wrapper?: readonly string[];
}

let clusters = 0;

/** A founded cluster of real processes in a folder of its own. */
export class TestCluster extends LocalCluster {
  constructor({ nodes, disk, omitSync, electionTimeoutMs, wrapper = [], ...sizes }: ClusterOptions) {
    const { segmentBytes = 128 * 1024, snapshotBytes = 64 * 1024, retainedBytes = 16 * 1024 } = sizes;
    const folder = join(HISTORY_FOLDER, `cluster-${process.pid}-${++clusters}`);
    super({
      nodes, folder, fresh: true, readyTimeoutMs: PATIENCE_MS,
      entry: [...wrapper, process.execPath, NODE_UNDER_TEST],
      env: { SYNOD_TEST_FOLDER: folder, NODE_COMPILE_CACHE: join(HISTORY_FOLDER, "compile-cache") },
      nodeOptions: [
        "--segment-bytes", String(segmentBytes), "--snapshot-bytes", String(snapshotBytes), "--retained-bytes", String(retainedBytes),
        ...(electionTimeoutMs === undefined ? [] : ["--election-timeout-ms", String(electionTimeoutMs)]),
        ...(disk === "volatile" ? ["--volatile"] : []), ...(omitSync === undefined ? [] : ["--omit-sync", omitSync]),
      ],
    });
  }

  get names(): string[] { return this.list().map(({ name }) => name); }
  get urls(): string[] { return this.list().map(({ url }) => url); }

  node(name: string): LocalNode {
    const node = this.list().find((one) => one.name === name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }

  /** The leader, waited for as long as it may take. */
  leader(): Promise<{ readonly name: string; readonly url: string }> {
    return this.waitForLeader(PATIENCE_MS);
  }

  /** Resolves once the node takes part again: it answers a linearizable read, so it has a leader and has applied all that was chosen. */
  untilServing(name: string): Promise<void> {
    return until(`${name} serves`, async () => {
      const { status, code } = await get(this.node(name).url, "anything").catch((error: Error) => ({ status: 0, code: error.message }));
      return status === 200 || code === "SYNOD_ERR_NOT_FOUND" ? null : `${status} ${code}`;
    });
  }

  /** Resolves once every other running member has a link to the node. */
  untilLinked(name: string): Promise<void> {
    return until(`the others have a link to ${name}`, async () => {
      const others = this.reachable().filter((node) => node.name !== name);
      const statuses = await Promise.all(others.map((node) => this.status(node.name)));
      const without = statuses.filter(({ peers }) => peers.find((peer) => peer.name === name)?.link !== "up");
      return without.length === 0 ? null : `not ${without.map(({ member }) => member).join(", ")}`;
    });
  }

  async status(name: string): Promise<NonNullable<Awaited<ReturnType<typeof fetchStatus>>>> {
    const status = await fetchStatus(this.node(name).url, PATIENCE_MS);
    if (status === null) throw new Error(`${name} gives no status`);
    return status;
  }

  logPath(name: string): string { return join(this.folder, `${name}.log`); }
  dataFolder(name: string): string { return join(this.folder, name); }

  /** Resolves with what the node printed in this life once it matches. */
  untilLogged(name: string, pattern: RegExp): Promise<string> {
    return fileWith(this.logPath(name), `${pattern}`, (text) => pattern.test(text));
  }
}

/** Resolves with the text of a file, which must exist, once it is as wanted. */
export async function fileWith(path: string, what: string, isWanted: (text: string) => boolean): Promise<string> {
  const late = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const changed = nextChange(path, late);
    const text = await readFile(path, "utf8");
    if (isWanted(text)) return text;
    await changed;
    if (late.aborted) throw new Error(`${path} did not come to have ${what} within ${PATIENCE_MS} ms`);
  }
}

/** Resolves when `missing` finds nothing missing any more; what it returned last is told when that takes too long. */
export async function until(what: string, missing: () => Promise<string | null>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const lack = await missing();
    if (lack === null) return;
    if (performance.now() > deadline) throw new Error(`${PATIENCE_MS} ms were not enough until ${what}: ${lack}`);
    await pause(20);
  }
}

/** Resolves when the file changes or the signal is aborted. */
function nextChange(path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // The folder is watched, because the file may be replaced by another of its name.
    const watcher = watch(dirname(path), (_event, name) => {
      if (name === basename(path)) done();
    });
    const done = (): void => {
      watcher.close();
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done);
  });
}

/** Runs `body` on a new cluster that has a leader. Its folder is kept when the body fails, and the error then names the nodes' logs. */
export async function withCluster(options: ClusterOptions, body: (cluster: TestCluster) => Promise<void>): Promise<void> {
  const cluster = new TestCluster(options);
  try {
    await cluster.startAll();
    await cluster.leader();
    await body(cluster);
  } catch (error) {
    throw withLogs(error, cluster);
  } finally {
    await cluster.shutdown();
  }
  await rm(cluster.folder, { recursive: true, force: true });
}

function withLogs(error: unknown, cluster: TestCluster): unknown {
  if (!(error instanceof Error)) return error;
  const states = cluster.list().map(({ name, url, state }) =>
    `  ${name} (${state}, ${url}): ${cluster.logPath(name)}, the life before: ${cluster.logPath(name)}.1`);
  error.message += `\nThe nodes' logs:\n${states.join("\n")}`;
  return error;
}
