import type { Operation } from "../../src/history/operation.ts";

interface Register {
  readonly value: string | undefined;
  readonly revision: number;
  readonly newest: number;
}

/**
 * Decides a small history of one key by trying every order, every choice of unknown operations that took effect and every revision they could
 * have had. It shares nothing with the real checker and has none of its shortcuts, so that the two can be compared. Up to about eight operations.
 */
export function isLinearizableByTryingAll(operations: readonly Operation[]): boolean {
  const relevant = operations.filter((it) => it.outcome === "ok" || (it.outcome === "unknown" && it.op !== "read"));
  const highest = Math.max(0, ...relevant.flatMap((it) => [
    it.outcome === "ok" && "revision" in it.result ? it.result.revision : 0,
    "prevRevision" in it ? it.prevRevision : 0,
  ]));
  return anyOrder(relevant, { value: undefined, revision: 0, newest: 0 }, highest + relevant.length + 1);
}

function anyOrder(left: readonly Operation[], register: Register, maxRevision: number): boolean {
  if (left.every((it) => it.outcome === "unknown")) return true;
  const firstReturn = Math.min(...left.map((it) => (it.outcome === "ok" ? it.returnNs : Infinity)));
  return left.some((operation) => {
    if (operation.invokeNs > firstReturn) return false;
    const rest = left.filter((it) => it !== operation);
    return registersAfter(operation, register, maxRevision).some((next) => anyOrder(rest, next, maxRevision));
  });
}

/** Every register that applying this operation now can leave, given its answer if it had one. */
function registersAfter(operation: Operation, register: Register, maxRevision: number): Register[] {
  const { value, revision, newest } = register;
  const answer = operation.outcome === "ok" ? operation.result : undefined;
  if (operation.op === "read") {
    if (answer?.is === "absent") return revision === 0 ? [register] : [];
    return answer?.is === "value" && answer.value === value && answer.revision === revision ? [register] : [];
  }
  if ((operation.op === "cas" || operation.op === "cad") && answer?.is === "refused") return revision === operation.prevRevision ? [] : [register];
  if (operation.op === "delete" && answer?.is === "absent") return revision === 0 ? [register] : [];
  const possible = operation.op === "write" || ("prevRevision" in operation ? revision === operation.prevRevision : revision !== 0);
  if (!possible) return [];
  const revisions: number[] = [];
  if (answer?.is === "written") {
    if (answer.revision > newest) revisions.push(answer.revision);
  } else for (let free = newest + 1; free <= maxRevision; free++) revisions.push(free);
  return revisions.map((own) =>
    "value" in operation ? { value: operation.value, revision: own, newest: own } : { value: undefined, revision: 0, newest: own });
}
