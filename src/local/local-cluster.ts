import { EventEmitter } from "node:events";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { asSentence } from "../errors/sentence.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { ErrorCode } from "../errors/table.ts";
import { drawClusterId } from "../founding/cluster-id.ts";
import { foundCluster } from "../founding/founder.ts";
import { NodeFileSystem } from "../storage/file-system.ts";
import { ChildNode, type NodeState } from "./child-node.ts";
import { DevFolder, type DevNode, type DevSettings, MAX_NODES } from "./dev-folder.ts";
import { awaitLeader } from "./leader-watch.ts";
import { endLeftovers } from "./leftovers.ts";
import { joinCluster, leaveCluster } from "./membership.ts";
import { MEMBER_NODE_FLAGS } from "./node-flags.ts";
import { findPorts } from "./ports.ts";
import { writeJson } from "./write-json.ts";

export interface LocalClusterOptions {
  /** 1 to 9. Undefined: as many as the kept folder has, 5 in a new one. */
  readonly nodes?: number | undefined;
  readonly folder: string;
  /** Delete what an earlier cluster left in the folder. */
  readonly fresh?: boolean;
  /** Program and first arguments that run one node; by default this Node with the command line's `node` command. */
  readonly entry?: readonly string[];
  /** Further arguments for every node. */
  readonly nodeOptions?: readonly string[];
  /** Added to this process's environment for every node. */
  readonly env?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly logLevel?: string;
  /** How long a node may take until it listens, in milliseconds. */
  readonly readyTimeoutMs?: number;
  readonly report?: (line: string) => void;
}

/** A node as the manager sees it. */
export interface LocalNode {
  readonly name: string;
  /** Null while it has no process. */
  readonly pid: number | null;
  readonly url: string;
  readonly state: NodeState;
}

export interface Leader {
  readonly name: string;
  readonly url: string;
}

/** A node that does not stop in good order by then is ended, in milliseconds. */
const STOP_MS = 10_000;
/** The same when the whole cluster is shut down, so that all is over within 2 s. */
const SHUTDOWN_MS = 1_500;
const FOUNDING_MS = 30_000;
const READY_MS = 30_000;
/** Nodes share what was compiled before, which halves the time and work of a start. */
const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), "synod-compile-cache") };

/**
 * A cluster of node processes on this machine, and the only one that may use its folder: starts, stops, kills, pauses and resumes
 * them, knows their ports, pids and states, founds the cluster, and adds and removes members. Emits `change` whenever a node's state or address changes.
 */
export class LocalCluster extends EventEmitter<{ change: [] }> {
  readonly #options: LocalClusterOptions;
  readonly #host: string;
  readonly #folder: DevFolder;
  readonly #files = new NodeFileSystem();
  readonly #nodes = new Map<string, ChildNode>();
  #settings: DevSettings | null = null;
  #managerUrl: string | null = null;
  #unlock: (() => Promise<void>) | null = null;
  #shutdown: Promise<void> | null = null;
  /** The node that joins or leaves at present: one at a time, as the cluster has it. */
  #changing: { readonly name: string; readonly done: Promise<unknown> } | null = null;
  readonly #ending = new AbortController();

  constructor(options: LocalClusterOptions) {
    super();
    this.#options = options;
    this.#host = options.host ?? "127.0.0.1";
    this.#folder = new DevFolder(options.folder);
  }

  get folder(): string { return this.#folder.path; }

  /**
   * Opens the folder if that has not been done, starts every node and founds the cluster if it is new. Resolves when every node
   * listens; a leader may still have to be elected. When it fails, all is shut down again.
   *
   * Throws as `open` does, and `SYNOD_ERR_NODE_STATE` when a node of a new cluster does not start. Of a kept cluster some nodes
   * may fail to start; they are reported and shown as crashed.
   */
  async startAll(): Promise<void> {
    try {
      if (this.#unlock === null) await this.open();
      await this.#startEvery();
      await this.#found();
    } catch (error) {
      await this.shutdown();
      throw error;
    }
  }

  /**
   * Takes the folder, ends what a killed manager left in it and gives every node its address, but starts none.
   * Throws `SYNOD_ERR_FOLDER_LOCKED` when another manager runs on the folder, `SYNOD_ERR_NODES_DIFFER` when it holds another
   * number of nodes.
   */
  async open(): Promise<void> {
    this.#requireNotEnding();
    this.#unlock = await this.#lock();
    try {
      for (const pid of await endLeftovers(this.#folder)) this.#report(`ended process ${pid}, left by an earlier run`);
      if (this.#options.fresh === true) this.#folder.clear();
      const settings = this.#folder.settings(this.#options.nodes);
      const ports = await findPorts(this.#host, settings.nodes.map(({ port }) => port));
      this.#requireNotEnding();
      this.#prepare({ ...settings, nodes: settings.nodes.map(({ name }, index) => ({ name, port: ports[index] ?? null })) });
    } catch (error) {
      await this.#unlock();
      this.#unlock = null;
      throw error;
    }
  }

  /** All nodes, in the order of their names. */
  list(): LocalNode[] {
    return [...this.#nodes.values()].map(({ name, pid, state }) => ({ name, pid, url: this.#urlOf(name), state }));
  }

  /** The running nodes that listen by now. */
  reachable(): LocalNode[] {
    return this.list().filter(({ name, state }) => state === "running" && this.#node(name).listening);
  }

  /** Starts a node that has no process; resolves when it listens. Its port may be another than before. */
  async start(name: string): Promise<LocalNode> {
    const node = this.#node(name);
    this.#requireNotEnding();
    if (node.alive) throw new SynodError("SYNOD_ERR_NODE_STATE", `Node ${name} is running already (it is ${node.state}).`);
    await this.#givePort(name);
    this.#requireNotEnding();
    const { env, readyTimeoutMs = READY_MS } = this.#options;
    await node.start({ command: this.#commandOf(name), env: { ...COMPILE_CACHE, ...process.env, ...env }, readyTimeoutMs });
    return this.#rowOf(name);
  }

  /** SIGTERM; resolves when the process has ended. */
  async stop(name: string): Promise<LocalNode> {
    await this.#node(name).stop(STOP_MS);
    return this.#rowOf(name);
  }

  /** SIGKILL; resolves when the process has ended. */
  async kill(name: string): Promise<LocalNode> {
    await this.#node(name).kill();
    return this.#rowOf(name);
  }

  /** SIGSTOP: the process keeps its sockets and does nothing. */
  async pause(name: string): Promise<LocalNode> {
    this.#node(name).pause();
    return this.#rowOf(name);
  }

  /** SIGCONT. */
  async resume(name: string): Promise<LocalNode> {
    this.#node(name).resume();
    return this.#rowOf(name);
  }

  /**
   * Starts one more node, with an empty folder, and makes it a voter; resolves when that is done. Throws `SYNOD_ERR_NODE_STATE`
   * when it does not start, which leaves nothing of it; `SYNOD_ERR_TOO_MANY_MEMBERS`; `SYNOD_ERR_CHANGE_PENDING` while another
   * node joins or leaves; and as `join` does.
   */
  async add(): Promise<LocalNode> {
    this.#requireFounded();
    if (this.reachable().length === 0) throw new SynodError("SYNOD_ERR_NODE_STATE", "No node runs that could add another.");
    const { nodes, nextNumber } = this.#requireSettings();
    if (nodes.length >= MAX_NODES) throw new SynodError("SYNOD_ERR_TOO_MANY_MEMBERS", `A local cluster has at most ${MAX_NODES} nodes. Remove one first.`);
    const name = `n${nextNumber}`;
    return this.#change(name, async () => {
      this.#enlist(name);
      try {
        await this.start(name);
      } catch (error) {
        this.#strike(name);
        throw error;
      }
      // The same call again would add one more.
      return this.#join(name, "SYNOD_ERR_OUTCOME_UNKNOWN");
    });
  }

  /**
   * Goes on with the joining of a node that was added, and was interrupted. Throws `SYNOD_ERR_NODE_STATE` when it does not run;
   * what the cluster answers, such as `SYNOD_ERR_NO_LIVE_QUORUM`; and `SYNOD_ERR_CHANGE_UNKNOWN` when it is not done in time.
   */
  async join(name: string): Promise<LocalNode> {
    this.#requireFounded();
    if (!this.#node(name).alive) throw new SynodError("SYNOD_ERR_NODE_STATE", `Node ${name} does not run. \`synod dev start ${name}\` starts it.`);
    return this.#change(name, () => this.#join(name, "SYNOD_ERR_CHANGE_UNKNOWN"));
  }

  /**
   * Removes a node from the cluster, ends its process once that is done (rule 16a) and deletes its data. Resolves with the nodes
   * that remain. Throws what the cluster answers, such as `SYNOD_ERR_LAST_VOTER`; the node then goes on as before.
   */
  async remove(name: string, { force = false }: { readonly force?: boolean } = {}): Promise<LocalNode[]> {
    this.#requireFounded();
    const node = this.#node(name);
    return this.#change(name, async () => {
      await leaveCluster({ node: this.#rowOf(name), force, reachable: () => this.reachable(), signal: this.#ending.signal });
      if (node.alive) await node.stop(STOP_MS);
      this.#strike(name);
      return this.list();
    });
  }

  async #join(name: string, unknown: ErrorCode): Promise<LocalNode> {
    try {
      await joinCluster({ node: this.#rowOf(name), reachable: () => this.reachable(), signal: this.#ending.signal });
    } catch (error) {
      if (!(error instanceof SynodError)) throw error;
      // It may be a member in part: to say "nothing was changed" as such codes do would be wrong.
      const code = error.kind.retryable ? unknown : error.code;
      const way = `\`synod dev add ${name}\` goes on with it, \`synod dev remove ${name}\` gives it up.`;
      throw new SynodError(code, `${name} runs and has not joined yet: ${asSentence(error.message)} ${way}`);
    }
    return this.#rowOf(name);
  }

  async #change<T>(name: string, change: () => Promise<T>): Promise<T> {
    this.#requireNotEnding();
    if (this.#changing !== null) throw new SynodError("SYNOD_ERR_CHANGE_PENDING", `${this.#changing.name} is joining or leaving. Ask again when that is done.`);
    const changed = change();
    this.#changing = { name, done: changed.catch(() => {}) };
    try {
      return await changed;
    } finally {
      this.#changing = null;
    }
  }

  /** The node is known from before its process starts, so that none is forgotten when the manager is killed. */
  #enlist(name: string): void {
    const { nodes, nextNumber, founded } = this.#requireSettings();
    this.#save({ nodes: [...nodes, { name, port: null }], nextNumber: nextNumber + 1, founded });
    this.#nodes.set(name, this.#child(name));
    this.#changed();
  }

  #strike(name: string): void {
    const settings = this.#requireSettings();
    this.#save({ ...settings, nodes: settings.nodes.filter((node) => node.name !== name) });
    this.#nodes.delete(name);
    this.#folder.removeData(name);
    this.#changed();
  }

  /** Resolves with the leader as soon as a running node says that it leads. Rejects with `SYNOD_ERR_NO_LEADER` after `timeoutMs`. */
  waitForLeader(timeoutMs: number): Promise<Leader> {
    return awaitLeader(this, timeoutMs);
  }

  /** Tells the manager's own address, for cluster.json. */
  setManagerUrl(url: string): void {
    this.#managerUrl = url;
    this.#changed();
  }

  /** Ends every process within 2 s, whatever state it is in, and frees the folder. May be called again. */
  shutdown(): Promise<void> {
    this.#ending.abort();
    this.#shutdown ??= this.#endAll();
    return this.#shutdown;
  }

  async #endAll(): Promise<void> {
    const alive = [...this.#nodes.values()].filter((node) => node.alive);
    await Promise.all(alive.map((node) => node.stop(SHUTDOWN_MS)));
    // With no node left to ask it ends soon, and writes nothing after the folder is free for others.
    await this.#changing?.done;
    this.#managerUrl = null;
    if (this.#settings !== null) this.#changed();
    await this.#unlock?.();
    this.#unlock = null;
  }

  async #lock(): Promise<() => Promise<void>> {
    try {
      return await this.#files.lock(this.#folder.lockFile);
    } catch (error) {
      if (!(error instanceof SynodError) || error.code !== "SYNOD_ERR_FOLDER_LOCKED") throw error;
      const message = `A local cluster is running on ${this.#folder.path} already. \`synod dev list\` shows it.`;
      throw new SynodError("SYNOD_ERR_FOLDER_LOCKED", message);
    }
  }

  async #startEvery(): Promise<void> {
    const names = [...this.#nodes.keys()];
    const results = await Promise.allSettled(names.map((name) => this.start(name)));
    const failed = results.filter((result) => result.status === "rejected");
    if (failed.length === 0) return;
    const isNew = this.#settings?.founded !== true;
    if (isNew || failed.length === names.length) throw failed[0]?.reason;
    for (const { reason } of failed) this.#report(reason instanceof Error ? reason.message : String(reason));
  }

  async #found(): Promise<void> {
    if (this.#requireSettings().founded) return;
    const { signal } = this.#ending;
    await foundCluster({
      record: this.#folder.foundingFile,
      urls: this.list().map((node) => node.url),
      fetch: (url, init) => fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, signal]) : signal }),
      files: this.#files,
      drawClusterId,
      now: () => performance.now(),
      pause: (ms) => pause(ms, undefined, { signal }),
      timeoutMs: FOUNDING_MS,
      report: (line) => this.#report(line),
    });
    this.#save({ ...this.#requireSettings(), founded: true });
  }

  #prepare(settings: DevSettings): void {
    this.#save(settings);
    for (const { name } of settings.nodes) this.#nodes.set(name, this.#child(name));
    this.#changed();
  }

  #child(name: string): ChildNode {
    return new ChildNode(name, this.#folder.logOf(name), () => this.#changed());
  }

  /** Keeps the node's port if it is free, otherwise gives it another and tells the others through the peers file. */
  async #givePort(name: string): Promise<void> {
    const [port = null] = await findPorts(this.#host, [this.#settingOf(name).port]);
    if (this.#settingOf(name).port === port) return;
    const settings = this.#requireSettings();
    this.#save({ ...settings, nodes: settings.nodes.map((node) => (node.name === name ? { name, port } : node)) });
    this.#changed();
  }

  #save(settings: DevSettings): void {
    this.#settings = settings;
    this.#folder.save(settings);
    const peers = settings.nodes.filter(({ port }) => port !== null).map(({ name, port }) => [name, `${this.#host}:${port}`]);
    writeJson(this.#folder.peersFile, Object.fromEntries(peers));
  }

  #changed(): void {
    writeJson(this.#folder.clusterFile, { manager: this.#managerUrl, nodes: this.list() });
    this.emit("change");
  }

  #commandOf(name: string): string[] {
    const { entry = DEFAULT_ENTRY, nodeOptions = [], logLevel = "info" } = this.#options;
    return [
      ...entry, "--name", name, "--data", this.#folder.dataOf(name), "--listen", this.#addressOf(name),
      "--peers-file", this.#folder.peersFile, "--log-level", logLevel, "--stop-with-parent", ...nodeOptions,
    ];
  }

  #rowOf(name: string): LocalNode {
    const { pid, state } = this.#node(name);
    return { name, pid, url: this.#urlOf(name), state };
  }

  #node(name: string): ChildNode {
    const node = this.#nodes.get(name);
    if (node !== undefined) return node;
    throw new SynodError("SYNOD_ERR_NO_SUCH_NODE", `There is no node "${name}"; there are ${[...this.#nodes.keys()].join(", ")}.`);
  }

  #settingOf(name: string): DevNode {
    return this.#requireSettings().nodes.find((node) => node.name === name) ?? { name, port: null };
  }

  #addressOf(name: string): string {
    return `${this.#host}:${this.#settingOf(name).port ?? 0}`;
  }

  #urlOf(name: string): string {
    return `http://${this.#addressOf(name)}`;
  }

  #requireNotEnding(): void {
    if (this.#ending.signal.aborted) throw new SynodError("SYNOD_ERR_STOPPING", "The local cluster is being shut down.");
  }

  #requireFounded(): void {
    this.#requireNotEnding();
    if (!this.#requireSettings().founded) throw new SynodError("SYNOD_ERR_NODE_STATE", "The local cluster is not founded yet.");
  }

  #requireSettings(): DevSettings {
    if (this.#settings === null) throw new SynodError("SYNOD_ERR_NODE_STATE", "The local cluster is not open.");
    return this.#settings;
  }

  #report(line: string): void {
    this.#options.report?.(line);
  }
}

/** This Node with the command line's `node` command, from the sources or from the compiled files, as this file itself is. */
const DEFAULT_ENTRY = [
  process.execPath, ...MEMBER_NODE_FLAGS, join(import.meta.dirname, "..", "cli", `main${extname(import.meta.filename)}`), "node",
];
