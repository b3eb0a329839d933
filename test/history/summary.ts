import { checkHistory, type Verdict } from "../../src/history/checker.ts";
import { formatOperation, type Operation } from "../../src/history/operation.ts";

/** What a run came to, apart from whether it was right. */
export interface Summary {
  readonly operations: number;
  readonly ok: number;
  readonly fail: number;
  readonly unknown: number;
  /** Acknowledged writes, those that were refused not counted. */
  readonly writes: number;
  /** The longest time in which no write was acknowledged, in milliseconds, from the first invoke to the last return. */
  readonly longestGapMs: number;
  /** How often each code of failed and unknown operations came. */
  readonly codes: ReadonlyMap<string, number>;
}

const isAcknowledgedWrite = (it: Operation): boolean => it.op !== "read" && it.outcome === "ok" && it.result.is === "written";

export function summarise(operations: readonly Operation[]): Summary {
  const counts = { ok: 0, fail: 0, unknown: 0 };
  const codes = new Map<string, number>();
  const returns: number[] = [];
  let beginNs = Infinity;
  let endNs = 0;
  for (const it of operations) {
    counts[it.outcome]++;
    if (it.outcome !== "ok") codes.set(`${it.outcome} ${it.code}`, (codes.get(`${it.outcome} ${it.code}`) ?? 0) + 1);
    if (isAcknowledgedWrite(it)) returns.push(it.returnNs);
    beginNs = Math.min(beginNs, it.invokeNs);
    endNs = Math.max(endNs, it.returnNs);
  }
  return { operations: operations.length, ...counts, writes: returns.length, longestGapMs: longestGapMs(returns, beginNs, endNs), codes };
}

function longestGapMs(returns: readonly number[], beginNs: number, endNs: number): number {
  let longestNs = 0;
  let lastNs = beginNs;
  for (const returnNs of [...returns].sort((a, b) => a - b).concat(endNs)) {
    longestNs = Math.max(longestNs, returnNs - lastNs);
    lastNs = returnNs;
  }
  return longestNs / 1e6;
}

/** The summary as lines of text. */
export function describeSummary(summary: Summary): string[] {
  const { operations, ok, fail, unknown, writes, longestGapMs: gapMs, codes } = summary;
  const lines = [
    `${operations} operations: ${ok} ok, ${fail} fail, ${unknown} unknown; ${writes} acknowledged writes`,
    `longest time without an acknowledged write: ${gapMs.toFixed(0)} ms`,
  ];
  return [...lines, ...[...codes].sort((a, b) => b[1] - a[1]).map(([code, count]) => `  ${count} ${code}`)];
}

/** The verdict as lines of text, with the operations that show a violation. */
export function describeVerdict(verdict: Verdict): string[] {
  switch (verdict.verdict) {
    case "ok":
      return [`linearizable: ok (${verdict.operations} operations on ${verdict.keys} keys)`];
    case "undecided":
      return [`linearizable: undecided, ${verdict.reason}`];
    case "violation":
      return verdict.violations.flatMap(({ key, reason, operations }) =>
        [`NOT LINEARIZABLE: ${key === undefined ? "across keys" : `key ${key}`}: ${reason}`, ...operations.map((it) => `  ${formatOperation(it)}`)]);
  }
}

/** Checks a history and throws an error that says why when it is not shown to be linearizable, or shows nothing because no write succeeded. */
export function requireLinearizable(operations: readonly Operation[]): Summary {
  const verdict = checkHistory(operations);
  const summary = summarise(operations);
  if (verdict.verdict !== "ok") throw new Error(describeVerdict(verdict).join("\n"));
  if (summary.writes === 0) throw new Error(["the history shows nothing: no write was acknowledged", ...describeSummary(summary)].join("\n"));
  return summary;
}
