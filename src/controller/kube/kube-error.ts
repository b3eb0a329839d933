import { SynodError } from "../../errors/synod-error.ts";

/** What an answer that is not a success means to its caller. */
export type KubeOutcome =
  | "notFound"
  /** Another wrote meanwhile, or a precondition names what is not there any more. */
  | "conflict"
  | "alreadyExists"
  /** The resource version is too old to go on from. */
  | "gone"
  | "forbidden"
  | "invalid"
  /** It would succeed later: the server is busy, starting, or cannot be reached. */
  | "unavailable";

const MAX_MESSAGE_CHARS = 600;

/** A request to the API server that did not succeed. Its message has the server's own words for people, bounded, and never a header or a whole body. */
export class KubeError extends SynodError {
  readonly outcome: KubeOutcome;
  /** The server's own words, without the request. */
  readonly words: string;

  constructor(outcome: KubeOutcome, message: string, words = message) {
    super("SYNOD_ERR_KUBERNETES", message);
    this.outcome = outcome;
    this.words = words;
  }
}

export function isOutcome(error: unknown, ...outcomes: readonly KubeOutcome[]): boolean {
  return error instanceof KubeError && outcomes.includes(error.outcome);
}

/** What the API server said, as an error. `what` names the request; with `secret` the server's words are left out, as they may quote what was sent. */
export function answeredError(what: string, status: number, body: string, secret = false): KubeError {
  const { reason, message, fields } = parseStatus(body);
  const words = secret || message === null ? `HTTP ${status}${reason === null ? "" : ` ${reason}`}` : message.slice(0, MAX_MESSAGE_CHARS);
  // So the server says that a patch names the uid of an object that is not there any more.
  const outcome = fields.includes("metadata.uid") ? "conflict" : outcomeOf(status, reason);
  return new KubeError(outcome, `${what}: ${words}`, words);
}

/** A request to which no answer came. */
export function unansweredError(what: string, error: unknown): KubeError {
  const { cause, name, message } = error as { cause?: { code?: string; message?: string }; name?: string; message?: string };
  const why = name === "TimeoutError" ? "no answer in time" : (cause?.code ?? cause?.message ?? message ?? "the connection broke");
  return new KubeError("unavailable", `${what}: ${why.slice(0, MAX_MESSAGE_CHARS)}`);
}

function outcomeOf(status: number, reason: string | null): KubeOutcome {
  switch (status) {
    case 401:
    case 403:
      return "forbidden";
    case 404:
      return "notFound";
    case 409:
      return reason === "AlreadyExists" ? "alreadyExists" : "conflict";
    case 410:
      return "gone";
    case 408:
    case 429:
      return "unavailable";
    default:
      return status >= 500 ? "unavailable" : "invalid";
  }
}

interface StatusBody {
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: { readonly causes?: readonly { readonly field?: unknown }[] };
}

function parseStatus(body: string): { readonly reason: string | null; readonly message: string | null; readonly fields: readonly unknown[] } {
  try {
    const value = JSON.parse(body) as StatusBody | null;
    const causes = value?.details?.causes;
    return {
      reason: typeof value?.reason === "string" ? value.reason : null,
      message: typeof value?.message === "string" ? value.message : null,
      fields: Array.isArray(causes) ? causes.map((cause: { readonly field?: unknown }) => cause.field) : [],
    };
  } catch {
    return { reason: null, message: null, fields: [] };
  }
}
