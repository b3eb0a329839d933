import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const fakeEntry = [process.execPath, join(import.meta.dirname, "fake-node.ts")];

/** Temporary folders and processes of a test file, removed and ended by `clean`. */
export class Scratch {
  readonly #folders: string[] = [];
  readonly #closers: (() => Promise<unknown>)[] = [];

  folder(): string {
    const path = mkdtempSync(join(tmpdir(), "synod-local-"));
    this.#folders.push(path);
    return path;
  }

  onClean(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async clean(): Promise<void> {
    await Promise.all(this.#closers.splice(0).map((close) => close()));
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  }
}

/** A process whose output can be awaited. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals>;
  output = "";
  #listeners = new Set<() => void>();

  constructor(command: readonly string[], env: Record<string, string> = {}, cwd = process.cwd()) {
    const [program = "", ...args] = command;
    this.child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (bytes: Buffer) => {
        this.output += bytes.toString();
        for (const listener of this.#listeners) listener();
      });
    }
    this.ended = new Promise((resolve) => this.child.once("close", (code, signal) => resolve(signal ?? code ?? -1)));
  }

  /** Resolves once the output matches; rejects when the process ends without. */
  async says(pattern: RegExp): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => { if (pattern.test(this.output)) resolve(); };
    this.#listeners.add(look);
    look();
    const ended = this.ended.then(() => { if (!pattern.test(this.output)) throw new Error(`ended without ${pattern}:\n${this.output}`); });
    await Promise.race([promise, ended]);
    this.#listeners.delete(look);
  }
}

/** Whether the process still runs; one that has ended but was not waited for does not. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

export function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once("connect", () => { socket.destroy(); resolve(true); }).once("error", () => resolve(false));
  });
}

export interface ClusterFile {
  manager: string | null;
  nodes: { name: string; pid: number | null; url: string; state: string }[];
}

export function clusterFile(folder: string): ClusterFile {
  return JSON.parse(readFileSync(join(folder, "cluster.json"), "utf8")) as ClusterFile;
}
