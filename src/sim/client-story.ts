import type { Violation } from "../history/checker.ts";
import type { Operation, Outcome } from "../history/operation.ts";

const MOST_OPERATIONS = 20;
const LONGEST_VALUE = 24;
const NS_PER_MS = 1_000_000;

/**
 * What clients did with the key of a violation and what they were told, as lines of a run's story and in its order: the operations that
 * show it, and of the others those that were begun nearest to them, 20 in all. What the violation names first has a mark.
 */
export function clientStory({ key, operations: shown }: Violation, all: readonly Operation[]): string[] {
  const [first] = shown;
  if (first === undefined) return [];
  const distance = ({ invokeNs }: Operation): number => Math.abs(invokeNs - first.invokeNs);
  const others = key === undefined ? [] : all.filter((operation) => operation.key === key).toSorted((a, b) => distance(a) - distance(b));
  const picked = [...new Set([...shown, ...others])].slice(0, MOST_OPERATIONS);
  const events = picked.flatMap((operation) => {
    const mark = operation === first ? " <== this" : "";
    const { client, member, invokeNs, returnNs } = operation;
    return [
      { atNs: invokeNs, text: `client ${client} begins: ${requestText(operation)}${mark}` },
      { atNs: returnNs, text: `client ${client} ends: ${requestText(operation)}: ${outcomeText(operation)} (member ${member}, begun at ${timeText(invokeNs)})${mark}` },
    ];
  });
  return events.toSorted((a, b) => a.atNs - b.atNs).map(({ atNs, text }) => `${timeText(atNs)} ${text}`);
}

function timeText(atNs: number): string {
  return (atNs / NS_PER_MS).toFixed(3);
}

function requestText(operation: Operation): string {
  switch (operation.op) {
    case "read":
    case "delete":
      return `${operation.op} ${operation.key}`;
    case "write":
      return `write ${operation.key}=${valueText(operation.value)}`;
    case "cas":
      return `write ${operation.key}=${valueText(operation.value)} if its revision is ${operation.prevRevision}`;
    case "cad":
      return `delete ${operation.key} if its revision is ${operation.prevRevision}`;
  }
}

function outcomeText(outcome: Outcome): string {
  if (outcome.outcome !== "ok") return `${outcome.outcome === "fail" ? "failed for certain" : "outcome unknown"}, ${outcome.code}`;
  const { result } = outcome;
  switch (result.is) {
    case "value":
      return `${valueText(result.value)} of revision ${result.revision}`;
    case "written":
      return `done as revision ${result.revision}`;
    case "absent":
      return "there is none";
    case "refused":
      return "refused, it has another revision";
  }
}

function valueText(value: string): string {
  return value.length <= LONGEST_VALUE ? value : `${value.slice(0, LONGEST_VALUE)}…`;
}
