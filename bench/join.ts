import { join } from "node:path";
import type { Members } from "../src/client/types.ts";
import { ChildNode } from "../src/local/child-node.ts";
import { MEMBER_NODE_FLAGS } from "../src/local/node-flags.ts";
import type { LoadResult } from "./load/job.ts";
import type { LoadProcess } from "./load/process.ts";
import type { SynodSystem } from "./systems/synod.ts";

/** The state that a newcomer is given: so many values of 1 MiB. */
const STATE_MIB = 200;
const CLIENTS = 8;
/** Latencies are measured in windows: so many before, and as many as the joining takes. */
const WINDOW_MS = 2_000;
const WINDOWS_BEFORE = 8;
const READY_TIMEOUT_MS = 20_000;
const MAX_WINDOWS = 150;

/**
 * Adds a fourth member to three that hold 200 MiB of state, under a write load: what that does to the writes' latency. Returns
 * a report. The newcomer shares the machine's cores and disk with the three, so its own work is part of what is measured.
 */
export async function runJoin(system: SynodSystem, load: LoadProcess, folder: string): Promise<string> {
  await fill(system.urls()[0] as string);
  const before: LoadResult[] = [];
  for (let window = 0; window < WINDOWS_BEFORE; window++) before.push(await oneWindow(system, load));
  const newcomer = new ChildNode("newcomer", join(folder, "newcomer.log"), () => {});
  try {
    const url = await newcomer.start({ command: command(folder), env: process.env, readyTimeoutMs: READY_TIMEOUT_MS });
    const startedAtMs = performance.now();
    const during: LoadResult[] = [];
    const added = add(system.urls()[0] as string, new URL(url).host);
    do during.push(await oneWindow(system, load)); while (during.length < MAX_WINDOWS && !(await isCaughtUp(system, await added)));
    return report(before, during, (performance.now() - startedAtMs) / 1_000);
  } finally {
    await newcomer.kill();
  }
}

function command(folder: string): readonly string[] {
  const main = join(import.meta.dirname, "..", "src", "cli", "main.ts");
  const data = join(folder, "newcomer-data");
  return [process.execPath, ...MEMBER_NODE_FLAGS, main, "node", "--name", "newcomer", "--data", data, "--listen", "127.0.0.1:0"];
}

async function fill(url: string): Promise<void> {
  for (let index = 0; index < STATE_MIB; index++) {
    const body = crypto.getRandomValues(new Uint8Array(65_536));
    const value = Buffer.concat(Array.from({ length: 16 }, () => body));
    const { status } = await fetch(`${url}/v1/kv/state-${index}`, { method: "PUT", body: value });
    if (status !== 200) throw new Error(`filling the state was answered with ${status}`);
  }
}

function oneWindow(system: SynodSystem, load: LoadProcess): Promise<LoadResult> {
  return load.load({
    protocol: "ws", op: "put", urls: system.urls(), connections: CLIENTS, clients: CLIENTS, ops: Number.MAX_SAFE_INTEGER, durationMs: WINDOW_MS,
  });
}

/** Adds the newcomer as a learner; its id. */
async function add(url: string, address: string): Promise<string> {
  const response = await fetch(`${url}/v1/members`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ address }),
  });
  if (!response.ok) throw new Error(`adding a member was answered with ${await response.text()}`);
  const { members } = (await response.json()) as Members;
  return members.find((member) => member.address === address)?.id as string;
}

async function isCaughtUp(system: SynodSystem, id: string): Promise<boolean> {
  const { members } = (await (await fetch(`${system.urls()[0]}/v1/members`)).json()) as Members;
  return members.find((member) => member.id === id)?.caughtUp === true;
}

function report(before: readonly LoadResult[], during: readonly LoadResult[], seconds: number): string {
  const quiet = describe(before);
  const busy = describe(during);
  return [
    `${STATE_MIB} MiB of state to a new member in ${seconds.toFixed(1)} s, ${CLIENTS} clients writing.`,
    `before: ${quiet.text}`,
    `during: ${busy.text}`,
    `p99 during / before: ${(busy.p99Ms / quiet.p99Ms).toFixed(2)} (medians of windows of ${WINDOW_MS / 1_000} s), worst window ${(busy.worstMs / quiet.p99Ms).toFixed(2)}`,
  ].join("\n");
}

function describe(windows: readonly LoadResult[]): { readonly p99Ms: number; readonly worstMs: number; readonly text: string } {
  const p99s = windows.map((window) => window.p99Ms).sort((a, b) => a - b);
  const p99Ms = p99s[Math.floor(p99s.length / 2)] as number;
  const worstMs = p99s.at(-1) as number;
  const perSecond = windows.reduce((sum, window) => sum + window.ops / window.seconds, 0) / windows.length;
  const failures = windows.reduce((sum, window) => sum + window.failures, 0);
  const longestMs = Math.max(...windows.map((window) => window.maxMs));
  const text = `${perSecond.toFixed(0)} writes/s, p99 ${p99Ms.toFixed(1)} ms (worst window ${worstMs.toFixed(1)}), longest ${longestMs.toFixed(0)} ms, ${failures} failed`;
  return { p99Ms, worstMs, text };
}
