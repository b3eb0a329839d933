import { type Agent, type IncomingMessage, request } from "node:http";
import type { Outcome, Request } from "../../src/history/operation.ts";

export interface ExchangeOptions {
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly idempotencyKey?: string | undefined;
}

/** An outcome, and whether the same request may be sent again (a write only with an idempotency key if its outcome is unknown). */
export interface Exchanged {
  readonly outcome: Outcome;
  readonly retryable: boolean;
}

/** A member answered in a way that its API does not allow. The load stops: an answer that cannot be read cannot be judged either. */
export class MalformedAnswerError extends Error {
  override name = "MalformedAnswerError";
}

interface Answer {
  readonly status: number;
  readonly revisionHeader: string | undefined;
  readonly body: string;
}

/** Why there is no answer, and whether the request can have reached the member. */
interface NoAnswer {
  readonly code: string;
  readonly sent: boolean;
}

/**
 * Sends one operation to a member and says what became of it. A write is failed only when it was certainly not sent or the member says that it
 * was not executed; whatever else goes wrong after it may have left leaves it unknown. A read without an answer is failed, as it has no effect.
 */
export async function exchange(member: string, operation: Request, options: ExchangeOptions): Promise<Exchanged> {
  const answer = await send(member, operation, options);
  if ("sent" in answer) {
    const harmless = operation.op === "read" || !answer.sent;
    return { outcome: { outcome: harmless ? "fail" : "unknown", code: answer.code }, retryable: true };
  }
  return classify(operation, answer);
}

function send(member: string, operation: Request, options: ExchangeOptions): Promise<Answer | NoAnswer> {
  const url = new URL(`/v1/kv/${encodeURIComponent(operation.key)}`, member);
  if ("prevRevision" in operation) url.searchParams.set("prevRevision", String(operation.prevRevision));
  const body = "value" in operation ? Buffer.from(operation.value) : undefined;
  const headers: Record<string, string | number> = body === undefined ? {} : { "content-type": "application/octet-stream", "content-length": body.length };
  if (options.idempotencyKey !== undefined && operation.op !== "read") headers["idempotency-key"] = options.idempotencyKey;
  const method = operation.op === "read" ? "GET" : "value" in operation ? "PUT" : "DELETE";
  return new Promise((resolve) => {
    const call = request(url, { method, headers, agent: options.agent });
    let connected = false;
    const timer = setTimeout(() => {
      settle({ code: "timeout", sent: connected });
      call.destroy();
    }, options.timeoutMs);
    const settle = (result: Answer | NoAnswer): void => {
      clearTimeout(timer);
      resolve(result);
    };
    call.on("socket", (socket) => {
      if (socket.connecting) socket.once("connect", () => (connected = true));
      else connected = true;
    });
    call.on("error", (error: NodeJS.ErrnoException) => settle({ code: error.code ?? error.message, sent: connected }));
    call.on("response", (response) => {
      readBody(response).then((text) => settle({ status: response.statusCode ?? 0, revisionHeader: revisionHeaderOf(response), body: text }),
        (error: NodeJS.ErrnoException) => settle({ code: error.code ?? error.message, sent: true }));
    });
    call.end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function revisionHeaderOf(response: IncomingMessage): string | undefined {
  const header = response.headers["synod-revision"];
  return typeof header === "string" ? header : undefined;
}

function classify(operation: Request, answer: Answer): Exchanged {
  if (answer.status >= 200 && answer.status < 300) return { outcome: acknowledged(operation, answer), retryable: false };
  const { code, retryable, outcomeUnknown } = errorOf(answer);
  const uncoded = code === undefined;
  if (code === "SYNOD_ERR_NOT_FOUND" && (operation.op === "read" || operation.op === "delete")) {
    return { outcome: { outcome: "ok", result: { is: "absent" } }, retryable: false };
  }
  if (code === "SYNOD_ERR_PRECONDITION" && "prevRevision" in operation) {
    return { outcome: { outcome: "ok", result: { is: "refused" } }, retryable: false };
  }
  const unknown = operation.op !== "read" && (uncoded || outcomeUnknown);
  return { outcome: { outcome: unknown ? "unknown" : "fail", code: code ?? `http-${answer.status}` }, retryable: uncoded || retryable || outcomeUnknown };
}

function acknowledged(operation: Request, answer: Answer): Outcome {
  if (operation.op === "read") {
    return { outcome: "ok", result: { is: "value", value: answer.body, revision: revisionFrom(Number(answer.revisionHeader), operation, answer) } };
  }
  const body = objectFrom(answer.body);
  const deletedNothing = operation.op === "delete" && (body["deleted"] === false || body["deleted"] === 0);
  if (deletedNothing) return { outcome: "ok", result: { is: "absent" } };
  return { outcome: "ok", result: { is: "written", revision: revisionFrom(body["revision"], operation, answer) } };
}

function revisionFrom(value: unknown, operation: Request, answer: Answer): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new MalformedAnswerError(`the answer to a ${operation.op} has no revision: ${answer.status} ${answer.body.slice(0, 200)}`);
}

function errorOf(answer: Answer): { code: string | undefined; retryable: boolean; outcomeUnknown: boolean } {
  const body = objectFrom(answer.body);
  const code = typeof body["code"] === "string" ? body["code"] : undefined;
  return { code, retryable: body["retryable"] === true, outcomeUnknown: body["outcomeUnknown"] !== false };
}

function objectFrom(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
