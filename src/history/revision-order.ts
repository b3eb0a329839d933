import { at } from "./at.ts";
import type { Contradiction } from "./key-history.ts";
import type { Operation } from "./operation.ts";

type Acknowledged = Operation & { readonly outcome: "ok" };

/**
 * Checks what the store's one revision says across keys: no two writes share a revision, and a write that began after an answer came back has
 * a greater revision than that answer showed. Only acknowledged operations are used, so a history of any mix of outcomes is judged fairly.
 */
export function revisionContradiction(operations: readonly Operation[]): Contradiction | undefined {
  const acknowledged = operations.filter(showsRevision);
  const writes = acknowledged.filter((operation) => operation.op !== "read");
  return sharedRevision(writes) ?? againstTime(acknowledged, writes, (newest, write) => newest >= write, FALLING);
}

/**
 * Finds a read of one key that shows an older revision than an answer which had come back before it began. The search would find it too; this
 * says it in one sentence and two operations.
 */
export function staleRead(operations: readonly Operation[]): Contradiction | undefined {
  const acknowledged = operations.filter(showsRevision);
  const reads = acknowledged.filter((operation) => operation.op === "read");
  return againstTime(acknowledged, reads, (newest, read) => newest > read, STALE);
}

const FALLING = "a write that began after an answer has no greater revision than that answer";
const STALE = "a read is older than an answer that came back before it began";

function showsRevision(operation: Operation): operation is Acknowledged {
  return operation.outcome === "ok" && "revision" in operation.result;
}

const revisionOf = ({ result }: Acknowledged): number => ("revision" in result ? result.revision : 0);

function sharedRevision(writes: readonly Acknowledged[]): Contradiction | undefined {
  const seen = new Map<number, Operation>();
  for (const write of writes) {
    const other = seen.get(revisionOf(write));
    if (other !== undefined) return { reason: "two writes have the same revision", operations: [other, write] };
    seen.set(revisionOf(write), write);
  }
  return undefined;
}

/** Sweeps over time with the greatest revision answered so far, and compares it with the revision of each operation that then begins. */
function againstTime(
  answered: readonly Acknowledged[],
  begun: readonly Acknowledged[],
  contradicts: (newest: number, own: number) => boolean,
  reason: string,
): Contradiction | undefined {
  const byReturn = answered.toSorted((a, b) => a.returnNs - b.returnNs);
  const byInvoke = begun.toSorted((a, b) => a.invokeNs - b.invokeNs);
  let newest: Acknowledged | undefined;
  let returned = 0;
  for (const operation of byInvoke) {
    for (; returned < byReturn.length; returned++) {
      const answer = at(byReturn, returned);
      if (answer.returnNs >= operation.invokeNs) break;
      if (newest === undefined || revisionOf(answer) > revisionOf(newest)) newest = answer;
    }
    if (newest !== undefined && contradicts(revisionOf(newest), revisionOf(operation))) return { reason, operations: [newest, operation] };
  }
  return undefined;
}
