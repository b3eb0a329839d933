import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import type { LoadProcess } from "./load/process.ts";
import { readMetric } from "./systems/process-facts.ts";
import type { SynodSystem } from "./systems/synod.ts";

const CLIENTS = 1_000;
const CONNECTIONS = 100;
const COUNTERS = ["synod_leader_changes_total", "synod_elections_started_total"];

/** 1,000 clients with a busy loop on each core, for some minutes. Returns a report; throws when the leader changed. */
export async function runStability(system: SynodSystem, load: LoadProcess, minutes: number): Promise<string> {
  const leader = await system.leader();
  const before = await countElections(system);
  const busy = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
  try {
    const work = { protocol: "ws", op: "put", urls: system.urls(), connections: CONNECTIONS, clients: CLIENTS } as const;
    const result = await load.load({ ...work, ops: Number.MAX_SAFE_INTEGER, durationMs: minutes * 60_000 });
    if (result.ops === 0) throw new Error("The load generator did nothing.");
    const changes = (await countElections(system)) - before;
    const facts = `${result.ops} writes, ${result.failures} failed, p99 ${result.p99Ms.toFixed(1)} ms, longest ${result.maxMs.toFixed(0)} ms`;
    const report = `${minutes} minutes of ${CLIENTS} clients and ${busy.length} busy loops: ${changes} elections or changes of leader; ${facts}.`;
    if (changes > 0 || (await system.leader()) !== leader) throw new Error(report);
    return report;
  } finally {
    busy.forEach((child: ChildProcess) => child.kill("SIGKILL"));
  }
}

async function countElections(system: SynodSystem): Promise<number> {
  const counts = system.urls().flatMap((url) => COUNTERS.map((name) => readMetric(`${url}/metrics`, name)));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
