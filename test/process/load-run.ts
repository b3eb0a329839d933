import { HistoryFile } from "../history/history-file.ts";
import { readEveryKey, runLoad } from "../history/load.ts";
import type { Operation } from "../../src/history/operation.ts";
import { describeSummary, requireLinearizable, summarise, type Summary } from "../history/summary.ts";
import { PATIENCE_MS, type TestCluster } from "./cluster.ts";

export interface LoadRunOptions {
  /** Names the kept history. */
  readonly name: string;
  readonly seed: number;
  readonly clients?: number;
  readonly keys?: number;
  /** Further attempts of a write with its Idempotency-Key, through other members. */
  readonly retries?: number;
  readonly thinkMs?: number;
  /** Base URLs of the members to go through, asked before every request; all of the cluster's by default. */
  readonly through?: () => readonly string[];
}

let runs = 0;

/** Clients at work on a cluster, through every member, until `end` checks what they were told. */
export class LoadRun {
  readonly operations: Operation[] = [];
  readonly #name: string;
  readonly #stop = new AbortController();
  readonly #options: Parameters<typeof readEveryKey>[0];
  readonly #through: () => readonly string[];
  readonly #load: Promise<void>;
  readonly #watchers = new Set<(operation: Operation) => void>();
  /** A member that gets most of the requests for now. */
  #favourite: string | null = null;

  constructor(cluster: TestCluster, { name, seed, clients = 8, keys = 5, retries = 0, thinkMs = 8, through }: LoadRunOptions) {
    this.#through = through ?? (() => cluster.urls);
    this.#name = name;
    const prefix = `${name.replaceAll(/[^a-z0-9]+/gi, "-")}-${++runs}-`;
    const onOperation = (operation: Operation): void => {
      this.operations.push(operation);
      for (const watcher of this.#watchers) watcher(operation);
    };
    this.#options = { endpoints: this.#through, clients, keys, prefix, onOperation };
    this.#load = runLoad({ ...this.#options, endpoints: () => this.#endpoints(), seed, retries, thinkMs, signal: this.#stop.signal });
    // Whoever waits for progress hears of a failure, and `end` does; it must not count as unhandled before.
    this.#load.catch(() => {});
  }

  #endpoints(): readonly string[] {
    const all = this.#through();
    const favourite = this.#favourite;
    return favourite === null ? all : [...all, ...all.flatMap(() => [favourite, favourite])];
  }

  /** Sends two of three requests to this member; null: to all alike again. */
  favour(url: string | null): void {
    this.#favourite = url;
  }

  /** Resolves when so many further writes have been acknowledged, through `member` if it is given. */
  acknowledged(count: number, member?: string): Promise<void> {
    return this.#further(count, `${count} acknowledged writes${member === undefined ? "" : ` through ${member}`}`, (it) =>
      it.op !== "read" && it.outcome === "ok" && it.result.is === "written" && (member === undefined || it.member === member));
  }

  /** Resolves when so many further reads have been answered through `member`. */
  answeredReads(count: number, member: string): Promise<void> {
    return this.#further(count, `${count} reads through ${member}`, (it) => it.op === "read" && it.outcome === "ok" && it.member === member);
  }

  /** Resolves when requests to `member` have gone without an answer: then others of its clients wait for one as well. */
  unanswered(count: number, member: string): Promise<void> {
    return this.#further(count, `${count} requests without an answer from ${member}`, (it) => it.outcome !== "ok" && it.member === member);
  }

  async #further(count: number, what: string, counts: (operation: Operation) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let left = count;
    const watcher = (operation: Operation): void => {
      if (counts(operation) && --left === 0) resolve();
    };
    const late = setTimeout(() => {
      const told = describeSummary(summarise(this.operations)).join("\n");
      reject(new Error(`There were not ${what} within ${PATIENCE_MS} ms, but ${count - left}.\nSo far ${told}`));
    }, PATIENCE_MS);
    this.#watchers.add(watcher);
    try {
      await Promise.race([promise, this.#load.then(() => promise)]);
    } finally {
      clearTimeout(late);
      this.#watchers.delete(watcher);
    }
  }

  /** Ends the load, waits for what is under way, and reads every key once more through every member. */
  async finish(): Promise<void> {
    await this.stop();
    await readEveryKey(this.#options);
  }

  /** Ends the load and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#load;
  }

  /** As `finish`; throws when the history is not linearizable, and keeps it then. */
  async end(): Promise<Summary> {
    await this.finish();
    try {
      return requireLinearizable(this.operations);
    } catch (error) {
      if (error instanceof Error) error.message += `\nThe history: ${await this.#keep()}`;
      throw error;
    }
  }

  async #keep(): Promise<string> {
    const file = HistoryFile.named(this.#name);
    for (const operation of this.operations) file.write(operation);
    await file.close();
    return file.path;
  }
}

/** Runs `body` while clients work on the cluster, and then checks their history. */
export async function underLoad(cluster: TestCluster, options: LoadRunOptions, body: (load: LoadRun) => Promise<void>): Promise<Summary> {
  const load = new LoadRun(cluster, options);
  try {
    await load.acknowledged(20);
    await body(load);
  } catch (error) {
    await load.stop().catch(() => {});
    throw error;
  }
  return load.end();
}
