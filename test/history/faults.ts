import { setTimeout as pause } from "node:timers/promises";
import type { SeededRandom } from "../../src/scenario/seeded-random.ts";

/** What can be done to a local cluster: `kill` and `restart` end a member by SIGKILL and SIGTERM and start it again, `pause` is SIGSTOP and SIGCONT. */
export const FAULTS = ["kill", "pause", "restart", "kill-all"] as const;
export type Fault = (typeof FAULTS)[number];

/** The part of a local cluster that faults need. */
export interface FaultTarget {
  list(): readonly { readonly name: string; readonly state: string }[];
  kill(name: string): Promise<unknown>;
  stop(name: string): Promise<unknown>;
  start(name: string): Promise<unknown>;
  pause(name: string): Promise<unknown>;
  resume(name: string): Promise<unknown>;
  waitForLeader(timeoutMs: number): Promise<{ readonly name: string }>;
}

export interface FaultOptions {
  readonly target: FaultTarget;
  readonly faults: readonly Fault[];
  readonly random: SeededRandom;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
  /** How long the cluster is left alone between two faults at the most, in milliseconds. Default 3,000. */
  readonly calmMs?: number;
  /** How long a fault lasts at the most, in milliseconds. Default 3,000. */
  readonly faultMs?: number;
}

/**
 * Brings random faults about, one at a time, the leader every second time, until the signal is aborted; every fault is then made good, so that all
 * members run when this resolves. Returns how many faults there were.
 */
export async function bringFaults(options: FaultOptions): Promise<number> {
  const { target, faults, random, signal, report, calmMs = 3_000, faultMs = 3_000 } = options;
  if (faults.length === 0) return 0;
  const rest = (atMostMs: number): Promise<unknown> => pause(random.next() * atMostMs, undefined, { signal }).catch(() => undefined);
  for (let count = 0; ; count++) {
    await rest(calmMs);
    if (signal.aborted) return count;
    const fault = random.pick(faults);
    const victims = fault === "kill-all" ? target.list().map(({ name }) => name) : [await pickVictim(target, random)];
    report(`${fault} ${victims.join(" ")}`);
    await Promise.all(victims.map((name) => begin(target, fault, name)));
    await rest(faultMs);
    await Promise.all(victims.map((name) => (fault === "pause" ? target.resume(name) : target.start(name))));
  }
}

async function pickVictim(target: FaultTarget, random: SeededRandom): Promise<string> {
  const anyone = random.pick(target.list()).name;
  if (random.chance(0.5)) return anyone;
  return target.waitForLeader(2_000).then(({ name }) => name, () => anyone);
}

async function begin(target: FaultTarget, fault: Fault, name: string): Promise<void> {
  if (fault === "pause") await target.pause(name);
  else if (fault === "restart") await target.stop(name);
  else await target.kill(name);
}
