/**
 * What a history is made of. format.md describes the same for readers and for programs in other languages.
 * All times are nanoseconds of one process's monotonic clock, so they compare across clients.
 */

/** What a successful operation was told. A compare-and-set or -delete that was turned down is a success: it learnt something about the state. */
export type Result =
  | { readonly is: "value"; readonly value: string; readonly revision: number }
  | { readonly is: "absent" }
  | { readonly is: "written"; readonly revision: number }
  | { readonly is: "refused" };

export type Outcome =
  | { readonly outcome: "ok"; readonly result: Result }
  /** It certainly did not and will not take effect. */
  | { readonly outcome: "fail"; readonly code: string }
  /** It may have taken effect, may yet, or may never. */
  | { readonly outcome: "unknown"; readonly code: string };

/** What a client asked for. Values written to one key are unique in a history. */
export type Request =
  | { readonly op: "read"; readonly key: string }
  | { readonly op: "write"; readonly key: string; readonly value: string }
  | { readonly op: "cas"; readonly key: string; readonly value: string; readonly prevRevision: number }
  | { readonly op: "delete"; readonly key: string }
  | { readonly op: "cad"; readonly key: string; readonly prevRevision: number };

/** One operation from its call to its answer. */
export type Operation = Request & Outcome & {
  readonly client: number;
  /** The base URL or name of the member that it was sent to (the last one, if it was retried). */
  readonly member: string;
  readonly invokeNs: number;
  readonly returnNs: number;
};

/** A line of a history that does not have the documented form. */
export class HistoryFormatError extends Error {
  override name = "HistoryFormatError";
}

/** Writes one operation as one line without its line end. */
export function formatOperation(operation: Operation): string {
  return JSON.stringify(operation);
}

/** Reads one line. Throws HistoryFormatError with what is wrong when it is not an operation. */
export function parseOperation(line: string): Operation {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new HistoryFormatError(`not JSON: ${line.slice(0, 80)}`);
  }
  const problem = problemOf(parsed);
  if (problem !== undefined) throw new HistoryFormatError(`${problem}: ${line.slice(0, 200)}`);
  return parsed as Operation;
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isRevision = (value: unknown): value is number => isCount(value) && value > 0;

function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return "not an object";
  if (!isCount(value["client"])) return "client is not a count";
  if (typeof value["key"] !== "string") return "key is not a string";
  if (typeof value["member"] !== "string") return "member is not a string";
  if (!isCount(value["invokeNs"]) || !isCount(value["returnNs"])) return "a time is not a count of nanoseconds";
  if (value["returnNs"] < value["invokeNs"]) return "it returns before it is invoked";
  return problemOfRequest(value) ?? problemOfOutcome(value);
}

function problemOfRequest(value: Fields): string | undefined {
  switch (value["op"]) {
    case "read":
    case "delete":
      return undefined;
    case "write":
      return typeof value["value"] === "string" ? undefined : "a write has no value";
    case "cas":
      if (typeof value["value"] !== "string") return "a cas has no value";
      return isCount(value["prevRevision"]) ? undefined : "a cas has no prevRevision";
    case "cad":
      return isRevision(value["prevRevision"]) ? undefined : "a cad has no prevRevision";
    default:
      return "op is not one of read, write, cas, delete, cad";
  }
}

function problemOfOutcome(value: Fields): string | undefined {
  const { outcome, code, result } = value as { outcome?: unknown; code?: unknown; result?: unknown };
  if (outcome === "fail" || outcome === "unknown") return typeof code === "string" ? undefined : "code is not a string";
  if (outcome !== "ok") return "outcome is not one of ok, fail, unknown";
  if (!isObject(result)) return "an ok operation has no result";
  const allowed = RESULTS_OF[value["op"] as Request["op"]];
  if (!allowed.includes(result["is"] as Result["is"])) return `a ${String(value["op"])} cannot have this result`;
  if (result["is"] === "value" && typeof result["value"] !== "string") return "a value result has no value";
  if ((result["is"] === "value" || result["is"] === "written") && !isRevision(result["revision"])) return "a result has no revision";
  return undefined;
}

const RESULTS_OF: Readonly<Record<Request["op"], readonly Result["is"][]>> = {
  read: ["value", "absent"],
  write: ["written"],
  cas: ["written", "refused"],
  delete: ["written", "absent"],
  cad: ["written", "refused"],
};
