import { setTimeout as pause } from "node:timers/promises";
import { LastSeen } from "../../../src/history/last-seen.ts";
import type { Operation, Outcome, Request } from "../../../src/history/operation.ts";
import type { SynodClient, SynodError, WriteOptions } from "../../../src/index.ts";
import type { SeededRandom } from "../../../src/scenario/seeded-random.ts";
import type { Epochs } from "./epochs.ts";
import { nowNs } from "../../history/now.ts";
import type { Record } from "./record.ts";

/** After an operation that failed, so that a cluster that is away is not asked in a tight loop. */
const FAIL_PAUSE_MS = 20;

export interface WorkerOptions {
  readonly number: number;
  readonly client: SynodClient;
  /** Writes carry an idempotency key; otherwise the client's session makes them idempotent. */
  readonly idempotencyKeys: boolean;
  readonly thinkMs: number;
  readonly prefix: string;
  /** Of the members that the client may turn to. */
  readonly through: string;
}

/**
 * One client with one operation under way: reads, unconditional writes, compare-and-sets on the revision that it saw last, and a
 * few deletes. Every write is idempotent, so the client repeats it until it knows what became of it or its time is up.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #random: SeededRandom;
  readonly #epochs: Epochs;
  readonly #record: Record;
  readonly #lastSeen = new LastSeen();
  #operations = 0;

  constructor(options: WorkerOptions, random: SeededRandom, epochs: Epochs, record: Record) {
    this.#options = options;
    this.#random = random;
    this.#epochs = epochs;
    this.#record = record;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const operation = await this.perform(this.#draw());
      const restMs = operation.outcome === "fail" ? FAIL_PAUSE_MS : this.#random.next() * this.#options.thinkMs;
      await pause(restMs, undefined, { signal }).catch(() => {});
    }
  }

  async perform(request: Request): Promise<Operation> {
    const { number, through } = this.#options;
    const invokeNs = nowNs();
    const outcome = await this.#ask(request).catch((error: SynodError) => outcomeOf(error, request));
    const operation: Operation = { ...request, ...outcome, client: number, member: through, invokeNs, returnNs: nowNs() };
    this.#lastSeen.learn(operation);
    this.#record.add(operation);
    return operation;
  }

  close(): Promise<void> {
    return this.#options.client.close();
  }

  #draw(): Request {
    const { prefix, number } = this.#options;
    const { key, old } = this.#epochs.draw(this.#random);
    const value = `${prefix}${number}-${this.#operations++}`;
    const draw = this.#random.next();
    if (old || draw < 0.35) return { op: "read", key };
    if (draw < 0.65) return { op: "write", key, value };
    if (draw < 0.96) return { op: "cas", key, value, prevRevision: this.#lastSeen.of(key) };
    const prevRevision = this.#lastSeen.of(key);
    return draw < 0.98 && prevRevision > 0 ? { op: "cad", key, prevRevision } : { op: "delete", key };
  }

  async #ask(request: Request): Promise<Outcome> {
    const { client } = this.#options;
    const { key } = request;
    if (request.op === "read") {
      const found = await client.get(key);
      return { outcome: "ok", result: found === null ? { is: "absent" } : { is: "value", value: text(found.value), revision: found.modRevision } };
    }
    const condition = "prevRevision" in request ? { prevRevision: request.prevRevision } : {};
    if (!("value" in request)) {
      const { deleted, revision } = await client.delete(key, { ...this.#writeOptions(), ...condition });
      return { outcome: "ok", result: deleted ? { is: "written", revision } : { is: "absent" } };
    }
    const { revision } = await client.put(key, request.value, { ...this.#writeOptions(), ...condition });
    return { outcome: "ok", result: { is: "written", revision } };
  }

  #writeOptions(): WriteOptions {
    const { idempotencyKeys, prefix, number } = this.#options;
    return idempotencyKeys ? { idempotencyKey: `${prefix}${number}-${this.#operations}` } : {};
  }
}

/** A read without an answer has failed, for it has no effect. A write has only when the error says that it was not executed. */
function outcomeOf(error: SynodError, request: Request): Outcome {
  if (error.code === undefined) throw error;
  if (error.code === "SYNOD_ERR_PRECONDITION" && "prevRevision" in request) return { outcome: "ok", result: { is: "refused" } };
  const unknown = request.op !== "read" && error.kind.outcomeUnknown;
  return { outcome: unknown ? "unknown" : "fail", code: error.code };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
