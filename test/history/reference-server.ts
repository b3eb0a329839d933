import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ERRORS, type ErrorCode } from "../../src/errors/table.ts";
import type { Outcome, Request } from "../../src/history/operation.ts";
import type { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { AtomicStore } from "./simulated-history.ts";

/** What this server does wrong on purpose, each with a probability of a few in a hundred. */
export type Anomaly = "stale-read" | "lost-write" | "applied-twice" | "cas-without-check" | "failure-that-took-effect";

export interface ReferenceServerOptions {
  readonly members: number;
  readonly random: SeededRandom;
  /** How likely an answer is not given (the connection is cut), before or after or long before the write takes effect. Not an anomaly. */
  readonly cutRate?: number;
  readonly anomaly?: Anomaly;
}

const ANOMALY_RATE = 0.03;

/**
 * The key-value API of a member on one store in memory, on as many ports as it is to have members. It tries the load and the checker without a
 * cluster: right by default, and with an anomaly wrong in one way that the checker must notice.
 */
export class ReferenceServer {
  readonly #options: ReferenceServerOptions;
  readonly #store = new AtomicStore();
  readonly #servers: Server[] = [];
  readonly #late: Request[] = [];
  readonly #oldReads = new Map<string, Outcome>();
  readonly #answers = new Map<string, Outcome>();

  constructor(options: ReferenceServerOptions) {
    this.#options = options;
  }

  async start(): Promise<readonly string[]> {
    for (let member = 0; member < this.#options.members; member++) {
      const server = createServer((request, response) => void this.#serve(request, response));
      this.#servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
    return this.#servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      return closed;
    }));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const request = parseRequest(incoming, Buffer.concat(chunks).toString());
    if (this.#hits(0.05)) for (const late of this.#late.splice(0, 1)) this.#store.apply(late);
    if (this.#hits(this.#options.cutRate ?? 0)) {
      const fate = this.#options.random.below(3);
      if (fate === 0) this.#once(incoming, request);
      if (fate === 1 && incoming.headers["idempotency-key"] === undefined) this.#late.push(request);
      response.destroy();
      return;
    }
    answer(response, request, this.#once(incoming, request));
  }

  /** Executes a request, or gives the answer that it had under the same idempotency key. */
  #once(incoming: IncomingMessage, request: Request): Outcome {
    const idempotencyKey = incoming.headers["idempotency-key"];
    if (typeof idempotencyKey !== "string") return this.#execute(request);
    const outcome = this.#answers.get(idempotencyKey) ?? this.#execute(request);
    this.#answers.set(idempotencyKey, outcome);
    return outcome;
  }

  #execute(request: Request): Outcome {
    const wrong = this.#hits(ANOMALY_RATE) ? this.#options.anomaly : undefined;
    const { key } = request;
    if (request.op === "read") {
      const old = this.#oldReads.get(key);
      const current = this.#store.apply(request);
      this.#oldReads.set(key, this.#hits(0.1) ? current : old ?? current);
      return wrong === "stale-read" && old !== undefined ? old : current;
    }
    if (wrong === "lost-write" && request.op === "write") return { outcome: "ok", result: { is: "written", revision: this.#store.revision + 1 } };
    if (wrong === "applied-twice") this.#late.push(request);
    if (wrong === "cas-without-check" && request.op === "cas") return this.#store.apply({ op: "write", key, value: request.value });
    const outcome = this.#store.apply(request);
    return wrong === "failure-that-took-effect" ? { outcome: "fail", code: "SYNOD_ERR_NO_LEADER" } : outcome;
  }

  #hits(probability: number): boolean {
    return this.#options.random.chance(probability);
  }
}

function parseRequest(incoming: IncomingMessage, value: string): Request {
  const url = new URL(incoming.url ?? "/", "http://member");
  const key = decodeURIComponent(url.pathname.slice("/v1/kv/".length));
  const prevRevision = url.searchParams.get("prevRevision");
  if (incoming.method === "GET") return { op: "read", key };
  if (incoming.method === "DELETE") return prevRevision === null ? { op: "delete", key } : { op: "cad", key, prevRevision: Number(prevRevision) };
  return prevRevision === null ? { op: "write", key, value } : { op: "cas", key, value, prevRevision: Number(prevRevision) };
}

function answer(response: ServerResponse, request: Request, outcome: Outcome): void {
  if (outcome.outcome !== "ok") return refuse(response, outcome.code as ErrorCode);
  const { result } = outcome;
  if (result.is === "value") response.writeHead(200, { "synod-revision": result.revision }).end(result.value);
  else if (result.is === "refused") refuse(response, "SYNOD_ERR_PRECONDITION");
  else if (result.is === "absent" && request.op === "read") refuse(response, "SYNOD_ERR_NOT_FOUND");
  else if (result.is === "absent") response.end(JSON.stringify({ revision: 0, deleted: false }));
  else response.end(JSON.stringify({ revision: result.revision, ...("value" in request ? {} : { deleted: true }) }));
}

function refuse(response: ServerResponse, code: ErrorCode): void {
  const { status, meaning, retryable, outcomeUnknown } = ERRORS[code];
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ code, message: meaning, retryable, outcomeUnknown }));
}
