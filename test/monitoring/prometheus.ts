import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call } from "../process/http.ts";
import { readAlerts } from "./rules.ts";

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** NaN where Prometheus says so. */
  readonly value: number;
}

export interface FiringAlert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface QueryAnswer {
  readonly data: { readonly result: readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[] };
}

interface AlertsAnswer {
  readonly data: { readonly alerts: readonly { readonly labels: Record<string, string>; readonly annotations: Record<string, string>; readonly state: string }[] };
}

/** Twice a second, so that a test need not wait; queries over a range look back over ten scrapes. */
const SCRAPE_INTERVAL = "500ms";
export const RATE_INTERVAL = "5s";

const START_MS = 30_000;
const QUERY_MS = 10_000;

/** A real Prometheus with the chart's alerts, which fire at once here instead of after minutes. */
export class Prometheus {
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.#url = url;
    this.#child = child;
    this.#folder = folder;
  }

  /** Starts `program` with these `scrape_configs`, in Prometheus' own form, and the chart's rule files of these names. Resolves when it is ready. */
  static async start(program: string, scrapeConfigs: readonly object[], ruleFiles: readonly string[]): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), "synod-prometheus-"));
    const config = {
      global: { scrape_interval: SCRAPE_INTERVAL, scrape_timeout: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
      rule_files: ["rules.yaml"],
      scrape_configs: scrapeConfigs,
    };
    // JSON is YAML.
    await writeFile(join(folder, "prometheus.yaml"), JSON.stringify(config));
    await writeFile(join(folder, "rules.yaml"), JSON.stringify({ groups: ruleFiles.map(groupOf) }));
    const child = spawn(program, [
      `--config.file=${join(folder, "prometheus.yaml")}`, `--storage.tsdb.path=${join(folder, "data")}`, "--web.listen-address=127.0.0.1:0",
    ], { stdio: ["ignore", "ignore", "pipe"] });
    try {
      const address = await untilReady(child);
      return new Prometheus(`http://${address}`, child, folder);
    } catch (error) {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** What an expression is now: a vector's samples. */
  async query(expr: string): Promise<Sample[]> {
    const { data } = await this.#ask<QueryAnswer>(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    return data.result.map(({ metric, value: [, text] }) => ({ labels: metric, value: Number(text) }));
  }

  async firing(): Promise<FiringAlert[]> {
    const { data } = await this.#ask<AlertsAnswer>("/api/v1/alerts");
    return data.alerts.filter(({ state }) => state === "firing").map(({ labels: { alertname = "", ...labels }, annotations }) => ({ name: alertname, labels, annotations }));
  }

  async #ask<Answer>(path: string): Promise<Answer> {
    const { status, body } = await call(`${this.#url}${path}`, { timeoutMs: QUERY_MS });
    if (status !== 200) throw new Error(`Prometheus answered ${status} to ${path}: ${body}`);
    return JSON.parse(body) as Answer;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function groupOf(file: string): object {
  return { name: file, rules: readAlerts(file).map((rule) => ({ ...rule, for: "0s" })) };
}

/** The address that it says it listens on, once it says that it is ready. */
function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let told = "";
    const fail = (): void => reject(new Error(`Prometheus did not start:\n${told}`));
    const late = setTimeout(fail, START_MS);
    child.on("error", reject);
    child.on("exit", fail);
    child.stderr?.on("data", (chunk: Buffer) => {
      told += chunk.toString("utf8");
      const address = /msg="Listening on".* address=(\S+)/.exec(told)?.[1];
      if (address === undefined || !told.includes("Server is ready to receive web requests")) return;
      clearTimeout(late);
      child.removeAllListeners("exit");
      child.stderr?.removeAllListeners("data").resume();
      resolve(address);
    });
  });
}
