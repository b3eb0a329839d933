import { prepareKey } from "./key-history.ts";
import type { Operation } from "./operation.ts";
import { RegisterSearch, type SearchBudget } from "./register-search.ts";
import { UNNAMED } from "./register-state.ts";
import { revisionContradiction, staleRead } from "./revision-order.ts";

/** Bounds of one check. Beyond them the verdict is "undecided", never "ok". */
export interface CheckBounds {
  readonly maxOperations: number;
  readonly maxSteps: number;
  readonly maxDeadEnds: number;
}

export const DEFAULT_BOUNDS: CheckBounds = { maxOperations: 5_000_000, maxSteps: 1_000_000_000, maxDeadEnds: 2_000_000 };

/** One thing that no correct store could have answered. */
export interface Violation {
  /** The key, or undefined when operations on several keys contradict each other. */
  readonly key: string | undefined;
  readonly reason: string;
  /** The operations that show it, at most MAX_SHOWN. */
  readonly operations: readonly Operation[];
}

export type Verdict =
  | { readonly verdict: "ok"; readonly operations: number; readonly keys: number }
  | { readonly verdict: "violation"; readonly violations: readonly Violation[] }
  | { readonly verdict: "undecided"; readonly reason: string };

const MAX_SHOWN = 40;

/**
 * Says whether a history could have come from one atomic store whose keys were all absent when it began: every key a register with put,
 * compare-and-set by revision, get, delete and compare-and-delete by revision, and one revision for the whole store that grows with every write.
 *
 * Keys are independent registers, so each is searched by itself (linearizability is local); what ties them together, the store's revision,
 * is checked over all of them. Operations of unknown outcome may have taken effect at any time after their invoke, or never.
 * Returns every violating key. A violation is certain even if other keys could not be decided.
 */
export function checkHistory(operations: readonly Operation[], bounds: CheckBounds = DEFAULT_BOUNDS): Verdict {
  if (operations.length > bounds.maxOperations) {
    return { verdict: "undecided", reason: `${operations.length} operations are more than the bound of ${bounds.maxOperations}` };
  }
  const budget: SearchBudget = { steps: bounds.maxSteps, deadEnds: bounds.maxDeadEnds };
  const byKey = Map.groupBy(operations, (operation) => operation.key);
  const violations: Violation[] = [];
  let exhausted: string | undefined;
  for (const [key, own] of byKey) {
    const outcome = checkKey(key, own, budget);
    if (outcome === "exhausted") exhausted ??= key;
    else if (outcome !== undefined) violations.push(outcome);
  }
  const order = revisionContradiction(operations);
  if (order !== undefined) violations.push({ key: undefined, ...order });
  if (violations.length > 0) return { verdict: "violation", violations };
  if (exhausted !== undefined) return { verdict: "undecided", reason: `the search of key ${exhausted} used up its budget` };
  return { verdict: "ok", operations: operations.length, keys: byKey.size };
}

function checkKey(key: string, operations: readonly Operation[], budget: SearchBudget): Violation | "exhausted" | undefined {
  const prepared = prepareKey(operations);
  if ("reason" in prepared) return { key, ...prepared };
  const stale = staleRead(operations);
  if (stale !== undefined) return { key, ...stale };
  const result = new RegisterSearch(prepared, budget).run();
  switch (result.is) {
    case "linearizable":
      return undefined;
    case "exhausted":
      return "exhausted";
    case "not-linearizable": {
      const { revision } = result.state;
      const state = revision === 0 ? "absent" : revision === UNNAMED ? "written by an unknown write" : `at revision ${revision}`;
      const reason = `after ${result.placed} operations, with the key ${state}, no order explains the first operation shown`;
      return { key, reason, operations: [result.stuck, ...result.around.filter((it) => it !== result.stuck)].slice(0, MAX_SHOWN) };
    }
  }
}
