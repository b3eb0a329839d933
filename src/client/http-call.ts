import { SynodError } from "../errors/synod-error.ts";
import { ERRORS, type ErrorCode } from "../errors/table.ts";

export interface Call {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly url: URL;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface RawAnswer extends Answer {
  readonly status: number;
}

/** Failures before which no byte of the request can have left. */
const NOT_CONNECTED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"]);

/**
 * One request, sent once. Throws the error that the answer carries; `SYNOD_ERR_UNREACHABLE` when no connection could be made, and
 * for anything but a read `SYNOD_ERR_OUTCOME_UNKNOWN` when it broke later.
 */
export async function send(call: Call): Promise<Answer> {
  return requireOk(call.url, await exchange(call));
}

/** What came back, whatever it says. Throws only when nothing did, as `send` does then. */
export async function exchange({ method, url, body, headers = {}, timeoutMs }: Call): Promise<RawAnswer> {
  try {
    const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body }) });
    return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
  } catch (error) {
    throw brokenCall(method, url, error, timeoutMs);
  }
}

/** Throws the error that an answer carries. */
export function requireOk(url: URL, answer: RawAnswer): Answer {
  if (answer.status < 200 || answer.status > 299) throw answeredError(url, answer.status, answer.body);
  return answer;
}

function brokenCall(method: string, url: URL, error: unknown, timeoutMs: number): SynodError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const why = isTimeout(error) ? `no answer within ${timeoutMs} ms` : (cause?.code ?? cause?.message ?? String(error));
  const refusedByFetch = cause?.message === "bad port";
  if (method === "GET" || refusedByFetch || NOT_CONNECTED.has(cause?.code ?? "")) {
    return new SynodError("SYNOD_ERR_UNREACHABLE", `${url.origin} cannot be reached (${why}).`);
  }
  return new SynodError("SYNOD_ERR_OUTCOME_UNKNOWN", `The connection to ${url.origin} broke before the answer (${why}).`);
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

function answeredError(url: URL, status: number, body: Buffer): SynodError {
  const { code, message } = parseBody(body);
  if (typeof code === "string" && Object.hasOwn(ERRORS, code)) {
    return new SynodError(code as ErrorCode, typeof message === "string" ? message : undefined);
  }
  return new SynodError("SYNOD_ERR_INTERNAL", `${url.origin} answered HTTP ${status} without a code of synod's.`);
}

function parseBody(body: Buffer): { code?: unknown; message?: unknown } {
  try {
    return (JSON.parse(body.toString("utf8")) as { code?: unknown; message?: unknown } | null) ?? {};
  } catch {
    return {};
  }
}
