import { setTimeout as pause } from "node:timers/promises";
import { type Operation, parseOperation } from "../../../src/history/operation.ts";
import { HistoryFile } from "../../history/history-file.ts";
import { requireLinearizable, type Summary } from "../../history/summary.ts";
import { loadPod, loadProgram } from "../load/pod.ts";
import { CONTROL_PORT, type LoadSettings } from "../load/settings.ts";
import type { Api } from "./api.ts";
import { apply, kubectl } from "./kubectl.ts";
import { BoundError, until } from "./until.ts";
import { type Gap, longestGap } from "./write-gap.ts";

const FETCH_EVERY_MS = 500;
/** The pod is asked its time so often; the quickest answer tells best how its clock stands to ours. */
const CLOCK_QUESTIONS = 5;

export interface LoadRunOptions extends Pick<LoadSettings, "endpoints" | "seed"> {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly workers?: number;
  readonly keys?: number;
  readonly thinkMs?: number;
}

/** A pod of load clients, from its start to the check of what they saw. */
export class LoadRun {
  readonly operations: Operation[] = [];
  readonly name: string;
  readonly #api: Api;
  readonly #namespace: string;
  readonly #proxy: string;
  /** Our `performance.now()` when the pod's clock stood at 0. */
  #originMs = 0;
  #stopped = false;
  #fetched: Promise<void> = Promise.resolve();
  #fetching: Promise<void> = Promise.resolve();

  private constructor(api: Api, { name, namespace }: LoadRunOptions) {
    this.#api = api;
    this.name = name;
    this.#namespace = namespace;
    this.#proxy = `/api/v1/namespaces/${namespace}/pods/${name}:${CONTROL_PORT}/proxy`;
  }

  /** Resolves once the pod's clients have had writes acknowledged. */
  static async start(api: Api, options: LoadRunOptions): Promise<LoadRun> {
    const { name, namespace, image, endpoints, seed, workers = 6, keys = 5, thinkMs = 50 } = options;
    const settings: LoadSettings = { endpoints, seed, workers, keys, thinkMs, prefix: `${name}-${seed}-` };
    await apply(loadProgram(name, namespace), loadPod(name, namespace, image, name, settings));
    await kubectl(["-n", namespace, "wait", `pod/${name}`, "--for=condition=Ready", "--timeout=60s"], { timeoutMs: 70_000 });
    const load = new LoadRun(api, options);
    await load.#learnClock();
    load.#fetching = load.#fetchOn();
    await load.acknowledged(20, 60_000);
    return load;
  }

  /** Resolves when so many further writes that were invoked from now on have been acknowledged. */
  async acknowledged(count: number, boundMs: number): Promise<number> {
    const fromNs = this.nowNs();
    return until(`${this.name} has ${count} further writes acknowledged`, boundMs, async () => {
      await this.fetch();
      const done = this.operations.filter((it) => it.invokeNs >= fromNs && isAcknowledgedWrite(it)).length;
      return done >= count ? null : `there were ${done}`;
    });
  }

  /**
   * Resolves once writes have come without a pause longer than `gapMs` for `forMs`: until then, what a pause is put down to may as
   * well be the machine, which is busy for some seconds after pods have begun. Goes on after `boundMs` all the same: some are never calm.
   */
  async calm(gapMs: number, forMs: number, boundMs: number): Promise<void> {
    const beginNs = this.nowNs();
    await until(`${this.name} has writes acknowledged without a pause`, boundMs, async () => {
      const fromNs = this.nowNs() - forMs * 1e6;
      if (fromNs < beginNs) return "it has only just been watched";
      const { lengthMs } = await this.longestGapSince(fromNs);
      return lengthMs <= gapMs ? null : `there was one of ${lengthMs.toFixed(0)} ms`;
    }).catch((error: unknown) => {
      if (!(error instanceof BoundError)) throw error;
    });
  }

  /** The pod's clock now. */
  nowNs(): number {
    return Math.round((performance.now() - this.#originMs) * 1e6);
  }

  /** The longest time in which no write was acknowledged from a reading of the pod's clock until now. */
  async longestGapSince(fromNs: number): Promise<Gap> {
    const toNs = this.nowNs();
    return longestGap(await this.#acknowledgedNs(), fromNs, toNs);
  }

  async #acknowledgedNs(): Promise<readonly number[]> {
    await this.fetch();
    return this.operations.filter(isAcknowledgedWrite).map(({ returnNs }) => returnNs);
  }

  /** As `longestGapSince`, in milliseconds; throws when it is longer than it may be, and keeps the history then. */
  async requireGapWithin(maxMs: number, fromNs: number): Promise<number> {
    const { lengthMs, endNs } = await this.longestGapSince(fromNs);
    if (lengthMs <= maxMs) return lengthMs;
    const until = new Date(performance.timeOrigin + this.#originMs + endNs / 1e6).toISOString();
    throw new Error(`no write was acknowledged for ${lengthMs.toFixed(0)} ms until ${until}, where ${maxMs} are allowed\nThe history: ${await this.#keep()}`);
  }

  async beginEpoch(): Promise<void> {
    await this.#api.text(`${this.#proxy}/epoch`, { method: "POST" });
  }

  /** Fetches what has returned since. One at a time: the pod forgets what comes before the number that it is asked for. */
  fetch(): Promise<void> {
    this.#fetched = this.#fetched.catch(() => {}).then(() => this.#fetchAll());
    return this.#fetched;
  }

  async #fetchAll(): Promise<void> {
    for (;;) {
      const text = await this.#api.text(`${this.#proxy}/operations?from=${this.operations.length}`);
      if (text === "") return;
      for (const line of text.trimEnd().split("\n")) this.operations.push(parseOperation(line));
    }
  }

  /** Throws when what was seen so far is not linearizable, and keeps the history then. */
  async check(): Promise<Summary> {
    await this.fetch();
    try {
      return requireLinearizable(this.operations);
    } catch (error) {
      if (error instanceof Error) error.message += `\nThe history: ${await this.#keep()}`;
      throw error;
    }
  }

  /** Ends the load, reads every key through every client, and checks all. */
  async end(): Promise<Summary> {
    await this.#api.text(`${this.#proxy}/finish`, { method: "POST", timeoutMs: 120_000 });
    await this.#stopFetching();
    const summary = await this.check();
    await this.#remove();
    return summary;
  }

  /** Ends it unchecked: something else went wrong already. */
  async abandon(): Promise<void> {
    await this.#stopFetching();
    await this.#remove();
  }

  async #stopFetching(): Promise<void> {
    this.#stopped = true;
    await this.#fetching;
  }

  async #remove(): Promise<void> {
    await kubectl(["-n", this.#namespace, "delete", `pod/${this.name}`, `configmap/${this.name}`, "--ignore-not-found", "--wait=false"]);
  }

  /** The API server may be away for a while; what was not fetched stays in the pod. */
  async #fetchOn(): Promise<void> {
    while (!this.#stopped) {
      await this.fetch().catch(() => {});
      await pause(FETCH_EVERY_MS);
    }
  }

  async #learnClock(): Promise<void> {
    let quickestMs = Infinity;
    for (let question = 0; question < CLOCK_QUESTIONS; question++) {
      const askedMs = performance.now();
      const podNs = Number(await this.#api.text(`${this.#proxy}/time`));
      const tookMs = performance.now() - askedMs;
      if (tookMs >= quickestMs) continue;
      quickestMs = tookMs;
      this.#originMs = askedMs + tookMs / 2 - podNs / 1e6;
    }
  }

  async #keep(): Promise<string> {
    const file = HistoryFile.named(`e2e-${this.name}`);
    for (const operation of this.operations) file.write(operation);
    await file.close();
    return file.path;
  }
}

function isAcknowledgedWrite(it: Operation): boolean {
  return it.op !== "read" && it.outcome === "ok" && it.result.is === "written";
}
