import { join } from "node:path";
import { LocalCluster } from "../../src/local/local-cluster.ts";
import type { Status } from "../../src/client/types.ts";
import { MEMBER_NODE_FLAGS } from "../../src/local/node-flags.ts";
import type { LoadProcess } from "../load/process.ts";
import type { Row } from "../rows.ts";
import { readMetric, residentMib } from "./process-facts.ts";
import { SynodWriter } from "./synod-writer.ts";
import type { Measurement, System, Writer } from "./system.ts";
import { verifySynod } from "./synod-verify.ts";
import { waitFor } from "./wait.ts";

const SETTLE_MS = 30_000;

export interface SynodOptions {
  readonly folder: string;
  readonly load: LoadProcess;
  readonly profileFolder: string | null;
  /** Passed to the members' node, for experiments. */
  readonly nodeFlags?: readonly string[];
}

/** Three members of this project, started as `synod dev` starts them. */
export class SynodSystem implements System {
  readonly name = "synod";
  readonly #cluster: LocalCluster;
  readonly #load: LoadProcess;
  readonly #profiled: boolean;
  #paused: string | null = null;

  constructor({ folder, load, profileFolder, nodeFlags = [] }: SynodOptions) {
    this.#load = load;
    this.#profiled = profileFolder !== null;
    const profile = profileFolder === null ? [] : ["--cpu-prof", "--cpu-prof-dir", profileFolder];
    const main = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
    this.#cluster = new LocalCluster({ nodes: 3, folder, entry: [process.execPath, ...MEMBER_NODE_FLAGS, ...nodeFlags, ...profile, main, "node"] });
  }

  get members(): string[] {
    return this.#cluster.list().map((node) => node.name);
  }

  async start(): Promise<void> {
    await this.#cluster.startAll();
    await this.leader();
  }

  async stop(): Promise<void> {
    // A process that is ended in haste writes no profile.
    if (this.#profiled) await Promise.all(this.members.map((member) => this.#cluster.stop(member)));
    await this.#cluster.shutdown();
  }

  measure(row: Row, ops: number): Promise<Measurement> {
    return this.#measure("ws", row, ops);
  }

  /** The same over HTTP, with a connection for each client. */
  measureHttp(row: Row, ops: number): Promise<Measurement> {
    return this.#measure("http", row, ops);
  }

  async #measure(protocol: "ws" | "http", row: Row, ops: number): Promise<Measurement> {
    const urls = await this.#targets(row);
    const syncs = await this.#syncs();
    const { op, clients, connections } = row;
    const result = await this.#load.load({ protocol, op, urls, clients, connections, ops, durationMs: null });
    if (result.failures > 0) process.stderr.write(`synod: ${result.failures} of ${result.ops} failed: ${result.failure}\n`);
    return {
      opsPerSecond: (result.ops - result.failures) / result.seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      failures: result.failures,
      syncsPerSecond: ((await this.#syncs()) - syncs) / result.seconds / this.members.length,
    };
  }

  async #targets(row: Row): Promise<string[]> {
    if (row.target === "all") return this.urls();
    return [this.#urlOf(await this.leader())];
  }

  urls(): string[] {
    return this.#cluster.list().map((node) => node.url);
  }

  #urlOf(member: string): string {
    return this.#cluster.list().find((node) => node.name === member)?.url as string;
  }

  async #syncs(): Promise<number> {
    const counts = this.urls().map((url) => readMetric(`${url}/metrics`, "synod_fdatasync_seconds_count"));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  leader(): Promise<string> {
    return waitFor("electing a leader of synod", SETTLE_MS, async () => {
      const statuses = await this.#statuses();
      const leader = statuses[0]?.leader ?? null;
      if (leader === null || !this.members.includes(leader)) return null;
      const follow = statuses.every((status) => status.leader === leader && status.peers.every((peer) => peer.link === "up"));
      return follow ? leader : null;
    });
  }

  #statuses(): Promise<Status[]> {
    return Promise.all(this.urls().map(async (url) => (await fetch(`${url}/v1/status`)).json() as Promise<Status>));
  }

  writer(member: string): Promise<Writer> {
    return SynodWriter.open(this.#urlOf(member), member);
  }

  async signal(member: string, signal: "SIGKILL" | "SIGTERM" | "SIGSTOP"): Promise<void> {
    if (signal === "SIGSTOP") {
      this.#paused = member;
      await this.#cluster.pause(member);
      return;
    }
    await (signal === "SIGKILL" ? this.#cluster.kill(member) : this.#cluster.stop(member));
  }

  async revive(member: string): Promise<void> {
    if (this.#paused === member) {
      this.#paused = null;
      await this.#cluster.resume(member);
    } else {
      await this.#cluster.start(member);
    }
    await this.leader();
    await waitFor(`${member} catching up`, SETTLE_MS, async () => {
      const applied = (await this.#statuses()).map((status) => status.applied);
      return Math.min(...applied) === Math.max(...applied) ? true : null;
    });
  }

  memoryMib(): number[] {
    return this.#cluster.list().flatMap((node) => (node.pid === null ? [] : [residentMib(node.pid)]));
  }

  async verify(): Promise<string> {
    return verifySynod(this.urls(), await this.#load.ledger());
  }
}
