import { type ClientRequest, type IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";

/** An answer of the API server, or of what it passes a request on to, that is no success. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;

  constructor(method: string, path: string, status: number, body: string) {
    super(`${method} ${path}: ${status} ${body.slice(0, 300)}`);
    this.status = status;
  }
}

export interface ApiCall {
  readonly method?: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 15 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubernetesObject[];
}

/** One event of a watch. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubernetesObject;
}

/**
 * The API server of the current context, asked over one kept set of connections: a child process for each question would cost
 * more than what is tested. What people do by kubectl is done by kubectl.
 */
export class Api {
  readonly #config = new KubeConfig();
  readonly #agent = new Agent({ keepAlive: true });

  constructor() {
    this.#config.loadFromDefault();
  }

  get server(): string {
    const cluster = this.#config.getCurrentCluster();
    if (cluster === null) throw new Error("The current kubectl context names no cluster.");
    return cluster.server;
  }

  get context(): string {
    return this.#config.getCurrentContext();
  }

  async json<T>(path: string, call: ApiCall = {}): Promise<T> {
    return JSON.parse(await this.text(path, call)) as T;
  }

  /** The body of a success. Rejects with `ApiError` otherwise. */
  async text(path: string, call: ApiCall = {}): Promise<string> {
    const response = await this.#send(path, call, AbortSignal.timeout(call.timeoutMs ?? 15_000));
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw new ApiError(call.method ?? "GET", path, status, body);
    return body;
  }

  /** Null when there is no such object. */
  async find<T extends KubernetesObject>(path: string): Promise<T | null> {
    try {
      return await this.json<T>(path);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }

  /** The lines of an answer as they come, until it ends or `signal` is aborted: a watch, or a member's events. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.#send(path, {}, signal);
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      response.resume();
      throw new ApiError("GET", path, status, "");
    }
    let rest = "";
    response.setEncoding("utf8");
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      yield* lines.filter((line) => line !== "");
    }
  }

  async *watch(path: string, resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const query = `${path.includes("?") ? "&" : "?"}watch=1&resourceVersion=${resourceVersion}`;
    for await (const line of this.lines(`${path}${query}`, signal)) yield JSON.parse(line) as WatchEvent;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(path: string, call: ApiCall, timeout: AbortSignal): Promise<IncomingMessage> {
    const { method = "GET", body, contentType = "application/json", headers = {}, signal } = call;
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) }) },
    };
    await this.#config.applyToHTTPSOptions(options);
    // The identity is what this is asked for; connections stay those of the one agent, which it would replace.
    options.agent = this.#agent;
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = request(new URL(path, this.server), options, resolve);
      sent.once("error", reject);
      sent.end(body);
    });
  }
}
