import { Agent } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { nowNs } from "./now.ts";
import { exchange, type Exchanged } from "./http-exchange.ts";
import { LastSeen } from "../../src/history/last-seen.ts";
import type { Operation, Outcome, Request } from "../../src/history/operation.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";

export interface LoadOptions {
  /** Base URLs of all members; asked before every request, so they may change. */
  readonly endpoints: () => readonly string[];
  readonly clients: number;
  readonly keys: number;
  readonly seed: number;
  /** How long to go on, in milliseconds; without it, until `signal` is aborted. Requests under way are then awaited. */
  readonly durationMs?: number;
  readonly signal?: AbortSignal;
  /** Told of every operation when it returns. */
  readonly onOperation: (operation: Operation) => void;
  /** Put before every key and value, so that a run meets only keys that were absent when it began. */
  readonly prefix?: string;
  /** Default 2,000. */
  readonly timeoutMs?: number;
  /** The longest pause of a client between two operations; drawn evenly from 0. Default 0. */
  readonly thinkMs?: number;
  /** Pause after an operation that failed, so that a member that is away is not asked in a tight loop. Default 20. */
  readonly failPauseMs?: number;
  /** Up to so many further attempts of a write with one Idempotency-Key, each through another random member. Default 0: no such header. */
  readonly retries?: number;
}

/**
 * Runs concurrent clients, each with one operation under way, against members chosen at random for every request: reads, unconditional writes,
 * compare-and-sets on the revision that the client saw last, and a few deletes, half of which name that revision, too. What is drawn follows from the seed; what comes back does not.
 * Rejects with MalformedAnswerError when a member breaks its API.
 */
export async function runLoad(options: LoadOptions): Promise<void> {
  const stop = new AbortController();
  const signals = [stop.signal, ...(options.signal === undefined ? [] : [options.signal])];
  if (options.durationMs !== undefined) signals.push(AbortSignal.timeout(options.durationMs));
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: options.clients });
  const random = new SeededRandom(options.seed);
  const signal = AbortSignal.any(signals);
  const clients = Array.from({ length: options.clients }, (_, number) => new LoadClient(number, random.fork(), agent, options));
  try {
    await Promise.all(clients.map((client) => client.run(signal).catch((error: unknown) => {
      stop.abort();
      throw error;
    })));
  } finally {
    agent.destroy();
  }
}

/**
 * Reads every key of a run once through every member, all at the same time, and tells of the reads. Done after the load it shows whether what was
 * acknowledged last is still there, also on a member that came back late.
 */
export async function readEveryKey(options: Pick<LoadOptions, "endpoints" | "clients" | "keys" | "onOperation" | "prefix" | "timeoutMs">): Promise<void> {
  const { keys, prefix = "", timeoutMs = 10_000 } = options;
  const agent = new Agent({ keepAlive: true });
  try {
    await Promise.all(options.endpoints().map(async (member, index) => {
      for (let number = 0; number < keys; number++) {
        const request: Request = { op: "read", key: `${prefix}k${number}` };
        const invokeNs = nowNs();
        const { outcome } = await exchange(member, request, { agent, timeoutMs });
        options.onOperation({ ...request, ...outcome, client: options.clients + index, member, invokeNs, returnNs: nowNs() });
      }
    }));
  } finally {
    agent.destroy();
  }
}

class LoadClient {
  readonly #number: number;
  readonly #random: SeededRandom;
  readonly #agent: Agent;
  readonly #options: LoadOptions;
  readonly #lastSeen = new LastSeen();
  #operations = 0;

  constructor(number: number, random: SeededRandom, agent: Agent, options: LoadOptions) {
    this.#number = number;
    this.#random = random;
    this.#agent = agent;
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { thinkMs = 0, failPauseMs = 20 } = this.#options;
    while (!signal.aborted) {
      const operation = await this.#perform(this.#draw());
      this.#lastSeen.learn(operation);
      this.#options.onOperation(operation);
      const restMs = operation.outcome === "fail" ? failPauseMs : thinkMs > 0 ? this.#random.next() * thinkMs : 0;
      if (restMs > 0) await pause(restMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #draw(): Request {
    const { keys, prefix = "" } = this.#options;
    const key = `${prefix}k${this.#random.below(keys)}`;
    const value = `${prefix}${this.#number}-${this.#operations++}`;
    const draw = this.#random.next();
    if (draw < 0.4) return { op: "read", key };
    if (draw < 0.65) return { op: "write", key, value };
    if (draw < 0.96) return { op: "cas", key, value, prevRevision: this.#lastSeen.of(key) };
    const prevRevision = this.#lastSeen.of(key);
    return draw < 0.98 && prevRevision > 0 ? { op: "cad", key, prevRevision } : { op: "delete", key };
  }

  async #perform(request: Request): Promise<Operation> {
    const { retries = 0, prefix = "" } = this.#options;
    const attempts = request.op === "read" ? 1 : retries + 1;
    const idempotencyKey = attempts > 1 ? `${prefix}${this.#number}-${this.#operations}` : undefined;
    const invokeNs = nowNs();
    let doubt: Outcome | undefined;
    for (let attempt = 1; ; attempt++) {
      const member = this.#random.pick(this.#options.endpoints());
      const { outcome, retryable } = await this.#exchange(member, request, idempotencyKey);
      // A later certain failure says nothing about an earlier attempt that may have arrived.
      if (outcome.outcome === "unknown") doubt = outcome;
      if (outcome.outcome === "ok" || !retryable || attempt >= attempts) {
        const final = outcome.outcome === "fail" && doubt !== undefined ? doubt : outcome;
        return { ...request, ...final, client: this.#number, member, invokeNs, returnNs: nowNs() };
      }
    }
  }

  #exchange(member: string, request: Request, idempotencyKey: string | undefined): Promise<Exchanged> {
    return exchange(member, request, { agent: this.#agent, timeoutMs: this.#options.timeoutMs ?? 2_000, idempotencyKey });
  }
}
