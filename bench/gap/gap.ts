import { setTimeout as pause } from "node:timers/promises";
import type { System } from "../systems/system.ts";
import { WriteLoop } from "./write-loop.ts";

const WARM_UP_MS = 500;
/** How long acknowledgements are watched after the signal, at least, and how long they must have flowed again by then. */
const WATCH_MS = 2_500;
const CALM_MS = 500;
const MAX_WATCH_MS = 15_000;

/**
 * Signals the leader under writes to every other member, and returns the longest time between two acknowledgements from then on,
 * in milliseconds. The leader is brought back before this resolves.
 */
export async function measureGap(system: System, signal: "SIGKILL" | "SIGTERM" | "SIGSTOP"): Promise<number> {
  const leader = await system.leader();
  const others = system.members.filter((member) => member !== leader);
  const acks: number[] = [];
  const writers = await Promise.all(others.map((member) => system.writer(member)));
  const loops = writers.map((writer) => new WriteLoop(writer, () => acks.push(performance.now())));
  await pause(WARM_UP_MS);
  const signalledMs = performance.now();
  const signalled = system.signal(leader, signal);
  await watch(signalledMs, acks);
  for (const loop of loops) loop.stop();
  await signalled;
  await system.revive(leader);
  return longestGap(signalledMs, acks);
}

/** Until acknowledgements flow again and have done so for a while. */
async function watch(signalledMs: number, acks: readonly number[]): Promise<void> {
  for (;;) {
    await pause(50);
    const nowMs = performance.now();
    if (nowMs - signalledMs > MAX_WATCH_MS) throw new Error(`writes did not go on within ${MAX_WATCH_MS} ms`);
    if (nowMs - signalledMs < WATCH_MS) continue;
    const gapEndMs = endOfLastGap(acks, nowMs);
    if (nowMs - gapEndMs >= CALM_MS) return;
  }
}

/** When the last pause of more than `CALM_MS / 5` ended; now, if one is under way. */
function endOfLastGap(acks: readonly number[], nowMs: number): number {
  const times = [...acks, nowMs];
  for (let at = times.length - 1; at > 0; at--) {
    if ((times[at] as number) - (times[at - 1] as number) > CALM_MS / 5) return times[at] as number;
  }
  return 0;
}

function longestGap(signalledMs: number, acks: readonly number[]): number {
  const from = acks.findLast((time) => time <= signalledMs) ?? signalledMs;
  const times = [from, ...acks.filter((time) => time > signalledMs)];
  return Math.max(...times.slice(1).map((time, index) => time - (times[index] as number)));
}
