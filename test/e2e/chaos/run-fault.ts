import type { Fault, Stage } from "./fault.ts";
import type { FaultRow } from "./report.ts";

/** Writes that must be acknowledged once all is well again. */
const WRITES_AFTER = 20;
const WRITES_BOUND_MS = 30_000;

/**
 * Brings one fault about, ends it, and resolves once the cluster is as it is wanted again and takes writes. Rejects when that takes longer than
 * the fault's bound, when writes were away for longer than it allows, or when what the clients saw is not linearizable.
 */
export async function runFault(fault: Fault, stage: Omit<Stage, "heals">): Promise<FaultRow> {
  const { cluster, load } = stage;
  // What an earlier fault left behind is not this one's to answer for.
  await cluster.untilFullStrength(fault.boundMs);
  const endings: (() => Promise<unknown>)[] = [];
  await load.beginEpoch();
  const fromNs = load.nowNs();
  const begunMs = performance.now();
  try {
    await fault.inject({ ...stage, heals: (end) => void endings.push(end) });
  } finally {
    for (const end of endings.reverse()) await end();
  }
  const healedMs = performance.now();
  await cluster.untilFullStrength(fault.boundMs);
  const strongMs = performance.now();
  await load.acknowledged(WRITES_AFTER, WRITES_BOUND_MS);
  await load.check();
  const gapMs = await load.requireGapWithin(fault.maxGapMs ?? Infinity, fromNs);
  return { fault: fault.name, gapMs, strengthMs: strongMs - begunMs, afterHealMs: strongMs - healedMs };
}
