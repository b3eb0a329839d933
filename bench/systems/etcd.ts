import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { findPorts } from "../../src/local/ports.ts";
import type { Row } from "../rows.ts";
import { runEtcdBenchmark } from "./etcd-benchmark.ts";
import { call, EtcdWriter } from "./etcd-http.ts";
import { verifyEtcd } from "./etcd-verify.ts";
import { readMetric, residentMib } from "./process-facts.ts";
import type { Measurement, System, Writer } from "./system.ts";
import { waitFor } from "./wait.ts";

const HOST = "127.0.0.1";
const SETTLE_MS = 30_000;

interface EtcdStatus {
  readonly header: { readonly member_id: string };
  readonly leader?: string;
  readonly raftAppliedIndex?: string;
}

interface Ports {
  readonly client: number;
  readonly peer: number;
}

/** Three members of etcd with its default timings. */
export class EtcdSystem implements System {
  readonly name = "etcd";
  readonly members: readonly string[] = ["e1", "e2", "e3"];
  readonly #folder: string;
  readonly #ports = new Map<string, Ports>();
  readonly #processes = new Map<string, ChildProcess>();
  #paused: string | null = null;
  #puts = 0;

  constructor(folder: string) {
    this.#folder = folder;
    process.on("exit", () => this.#killAll());
  }

  async start(): Promise<void> {
    const ports = await findPorts(HOST, Array.from({ length: this.members.length * 2 }, () => null));
    this.members.forEach((member, index) => {
      this.#ports.set(member, { client: ports[index * 2] as number, peer: ports[index * 2 + 1] as number });
    });
    for (const member of this.members) this.#spawn(member);
    await this.leader();
  }

  #spawn(member: string): void {
    const { client, peer } = this.#ports.get(member) as Ports;
    const clientUrl = `http://${HOST}:${client}`;
    const peerUrl = `http://${HOST}:${peer}`;
    const cluster = this.members.map((name) => `${name}=http://${HOST}:${this.#ports.get(name)?.peer}`).join(",");
    const child = spawn("etcd", [
      "--name", member, "--data-dir", join(this.#folder, member), "--log-level", "fatal",
      "--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl,
      "--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl,
      "--initial-cluster", cluster, "--initial-cluster-state", "new",
    ], { stdio: "ignore" });
    child.on("error", () => {});
    this.#processes.set(member, child);
  }

  #urlOf(member: string): string {
    return `http://${HOST}:${this.#ports.get(member)?.client}`;
  }

  #urls(): string[] {
    return this.members.map((member) => this.#urlOf(member));
  }

  async stop(): Promise<void> {
    const exits = [...this.#processes.values()].map((child) => (child.exitCode ?? child.signalCode) === null ? once(child, "exit") : null);
    this.#killAll();
    await Promise.all(exits);
  }

  #killAll(): void {
    for (const child of this.#processes.values()) child.kill("SIGKILL");
  }

  async measure(row: Row, ops: number): Promise<Measurement> {
    if (row.op === "put") this.#puts += ops;
    const syncs = await this.#syncs();
    const result = await runEtcdBenchmark(row, ops, this.#urls());
    return { ...result, syncsPerSecond: ((await this.#syncs()) - syncs) / (ops / result.opsPerSecond) / this.members.length };
  }

  async #syncs(): Promise<number> {
    const counts = this.#urls().map((url) => readMetric(`${url}/metrics`, "etcd_disk_wal_fsync_duration_seconds_count"));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  #statuses(): Promise<EtcdStatus[]> {
    return Promise.all(this.#urls().map((url) => call<EtcdStatus>(url, "/v3/maintenance/status", {})));
  }

  leader(): Promise<string> {
    return waitFor("electing a leader of etcd", SETTLE_MS, async () => {
      const statuses = await this.#statuses();
      const leader = statuses[0]?.leader ?? "0";
      if (leader === "0" || statuses.some((status) => status.leader !== leader)) return null;
      return this.members[statuses.findIndex((status) => status.header.member_id === leader)] ?? null;
    });
  }

  writer(member: string): Promise<Writer> {
    return Promise.resolve(new EtcdWriter(this.#urlOf(member), member));
  }

  async signal(member: string, signal: "SIGKILL" | "SIGTERM" | "SIGSTOP"): Promise<void> {
    const child = this.#processes.get(member) as ChildProcess;
    const exited = signal === "SIGSTOP" ? null : once(child, "exit");
    this.#paused = signal === "SIGSTOP" ? member : null;
    child.kill(signal);
    await exited;
  }

  async revive(member: string): Promise<void> {
    if (this.#paused === member) this.#processes.get(member)?.kill("SIGCONT");
    else this.#spawn(member);
    this.#paused = null;
    await this.leader();
    await waitFor(`${member} catching up`, SETTLE_MS, async () => {
      const applied = (await this.#statuses()).map((status) => status.raftAppliedIndex);
      return new Set(applied).size === 1 ? true : null;
    });
  }

  memoryMib(): number[] {
    return [...this.#processes.values()].map((child) => residentMib(child.pid ?? 0));
  }

  verify(): Promise<string> {
    return verifyEtcd(this.#urls(), this.#puts);
  }
}
