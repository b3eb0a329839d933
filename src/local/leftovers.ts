import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { SynodError } from "../errors/synod-error.ts";
import type { DevFolder } from "./dev-folder.ts";
import { readJson } from "./write-json.ts";

const GONE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 10;

/**
 * Ends the node processes that a killed manager left behind (a paused one cannot notice its death). The caller holds the
 * folder's lock. A process is one of ours only if its command line names a node's data folder inside `folder`: a pid may have been
 * given to somebody else since. Returns the pids that were ended.
 */
export async function endLeftovers(folder: DevFolder): Promise<number[]> {
  const ours: number[] = [];
  for (const { name, pid } of recordedNodes(folder)) {
    if ((await commandLine(pid)).includes(folder.dataOf(name))) ours.push(pid);
  }
  for (const pid of ours) killQuietly(pid);
  await Promise.all(ours.map((pid) => untilGone(pid)));
  return ours;
}

function recordedNodes(folder: DevFolder): { name: string; pid: number }[] {
  const value = readJson(folder.clusterFile) as { nodes?: unknown } | null;
  const rows = Array.isArray(value?.nodes) ? (value.nodes as { name?: unknown; pid?: unknown }[]) : [];
  return rows.flatMap(({ name, pid }) =>
    typeof name === "string" && typeof pid === "number" && Number.isInteger(pid) && pid > 1 ? [{ name, pid }] : []);
}

/** The arguments of a live process; none for one that has ended (a zombie has none either). */
async function commandLine(pid: number): Promise<readonly string[]> {
  if (existsSync("/proc/self/cmdline")) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    } catch {
      return [];
    }
  }
  return promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)]).then(({ stdout }) => stdout.trim().split(" "), () => []);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The system tells nobody of the end of a process that is not its child, so this one is looked for. */
async function untilGone(pid: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < GONE_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
    if ((await commandLine(pid)).join("") === "") return;
    await pause(LOOK_EVERY_MS);
  }
  throw new SynodError("SYNOD_ERR_NODE_STATE", `Process ${pid}, left by an earlier run, does not end.`);
}
