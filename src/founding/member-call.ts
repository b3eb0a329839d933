import { authorized } from "../auth/authorized-call.ts";
import type { KeyRing } from "../auth/key-ring.ts";
import { SynodError } from "../errors/synod-error.ts";
import { ERRORS, type ErrorCode } from "../errors/table.ts";
import { type Incarnation, isIncarnation } from "../paxos/ids.ts";
import type { Founding } from "../storage/interface.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Who a member says it is, and whether it belongs to a cluster already. */
export interface FoundingIdentity {
  readonly member: string;
  readonly incarnation: Incarnation;
  readonly cluster: string | null;
}

/** Whether a member has the document; if not, what it said that may pass, null when it said nothing. */
export type Taken = { readonly taken: true } | { readonly taken: false; readonly why: SynodError | null };

/** Asks a member who it is. Null when it does not answer now (it may be starting); throws a coded error when it answers nonsense. */
export async function askIdentity(fetch: Fetch, url: string, timeoutMs: number): Promise<FoundingIdentity | null> {
  const body = await call(fetch, url, { method: "GET" }, timeoutMs);
  if (body === null || body instanceof SynodError) return null;
  const { member, incarnation, cluster } = body;
  const wellFormed = typeof member === "string" && typeof incarnation === "string" && isIncarnation(incarnation) &&
    (cluster === null || typeof cluster === "string");
  if (!wellFormed) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${url} does not answer as a synod member does.`);
  return { member, incarnation, cluster };
}

/** Sends the document, authorized by `keys` where there are any. Taken once the member has it on disk; not taken when no final answer came, so that it must be asked again. */
export async function sendFounding(
  fetch: Fetch, url: string, incarnation: Incarnation, founding: Founding, timeoutMs: number, keys: KeyRing | null,
): Promise<Taken> {
  const { cluster, configuration, configurationSlot } = founding;
  const body = JSON.stringify({ incarnation, founding: { cluster, configuration, configurationSlot } });
  const answer = await authorized(keys, (headers) => {
    return call(fetch, url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body }, timeoutMs);
  });
  return answer === null || answer instanceof SynodError ? { taken: false, why: answer } : { taken: true };
}

/** The answer's body, an error that may pass, or null when no answer came. Throws all other errors. */
async function call(fetch: Fetch, url: string, init: RequestInit, timeoutMs: number): Promise<Record<string, unknown> | SynodError | null> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL("/v1/founding", url).href, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    text = await response.text();
  } catch {
    return null;
  }
  const body = parseObject(text);
  if (response.ok) return body;
  const error = errorOf(url, response.status, body);
  if (error.kind.retryable || error.kind.outcomeUnknown) return error;
  throw error;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = text === "" ? {} : JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function errorOf(url: string, status: number, body: Record<string, unknown>): SynodError {
  const code = typeof body["code"] === "string" && Object.hasOwn(ERRORS, body["code"]) ? (body["code"] as ErrorCode) : null;
  if (code === null) return new SynodError("SYNOD_ERR_BAD_REQUEST", `${url} answered HTTP ${status} without a code of synod's.`);
  return new SynodError(code, `${url}: ${typeof body["message"] === "string" ? body["message"] : ERRORS[code].meaning}`);
}
