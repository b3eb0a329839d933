import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SynodError } from "../errors/synod-error.ts";
import { readJson, writeJson } from "./write-json.ts";

/** What the manager remembers from run to run, in dev.json. */
export interface DevSettings {
  /** The nodes that there are; some come and others go while the cluster runs. */
  readonly nodes: readonly DevNode[];
  /** Of the node that is added next: a name that was used is not used again. */
  readonly nextNumber: number;
  /** Whether every founding member has confirmed the founding. */
  readonly founded: boolean;
}

export interface DevNode {
  readonly name: string;
  /** The port it had last; null before its first run. */
  readonly port: number | null;
}

/** The most nodes a local cluster may have. */
export const MAX_NODES = 9;
/** How many it has when nobody says. */
export const DEFAULT_NODES = 5;

/** Everything the local cluster may have put into its folder; `--fresh` removes this and nothing else. */
const OWN_NAMES = /^(n[1-9]\d{0,5}(\.log(\.1)?)?|(dev|peers|cluster|founding)\.json(\.tmp)?)$/;
const NODE_NAME = /^n[1-9]\d{0,5}$/;

/** The folder of a local cluster: one data folder and one log for each node, and the manager's own small files. */
export class DevFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
    makeFolder(this.path);
  }

  get lockFile(): string { return join(this.path, "manager.lock"); }
  get clusterFile(): string { return join(this.path, "cluster.json"); }
  get peersFile(): string { return join(this.path, "peers.json"); }
  get foundingFile(): string { return join(this.path, "founding.json"); }
  dataOf(name: string): string { return join(this.path, name); }
  logOf(name: string): string { return join(this.path, `${name}.log`); }

  /** Removes what an earlier cluster left. Files of other names stay. */
  clear(): void {
    for (const name of readdirSync(this.path)) {
      if (OWN_NAMES.test(name)) rmSync(join(this.path, name), { recursive: true, force: true });
    }
  }

  /** Removes the data of a node that is no member any more. Its log stays, for people. */
  removeData(name: string): void {
    rmSync(this.dataOf(name), { recursive: true, force: true });
  }

  /**
   * The settings of the kept cluster, or those of a new one of `nodes` (5 when undefined).
   * Throws `SYNOD_ERR_NODES_DIFFER` when the kept cluster has another number of nodes.
   */
  settings(nodes: number | undefined): DevSettings {
    const kept = this.#keptSettings();
    if (kept === null) return newSettings(nodes ?? DEFAULT_NODES);
    const { length } = kept.nodes;
    if (nodes !== undefined && nodes !== length) {
      throw new SynodError(
        "SYNOD_ERR_NODES_DIFFER",
        `${this.path} holds a cluster of ${length} nodes, not ${nodes}. ` +
          `Leave --nodes out to go on with it, or pass --fresh to delete it and start anew.`,
      );
    }
    return kept;
  }

  save(settings: DevSettings): void {
    writeJson(join(this.path, "dev.json"), settings);
  }

  #keptSettings(): DevSettings | null {
    const value = readJson(join(this.path, "dev.json")) as Partial<DevSettings> | null;
    if (!Array.isArray(value?.nodes) || !isNodeCount(value.nodes.length)) return null;
    const nodes = value.nodes.map((node) => ({ name: String(node?.name), port: portOrNull(node?.port) }));
    const names = new Set(nodes.map(({ name }) => name));
    if (names.size !== nodes.length || ![...names].every((name) => NODE_NAME.test(name))) return null;
    const nextNumber = Math.max(Number(value.nextNumber) || 0, ...nodes.map(({ name }) => Number(name.slice(1)) + 1));
    return { nodes, nextNumber, founded: value.founded === true };
  }
}

/** Whether a local cluster can have this many nodes. */
export function isNodeCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_NODES;
}

function newSettings(nodes: number): DevSettings {
  if (!isNodeCount(nodes)) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `A local cluster has 1 to ${MAX_NODES} nodes, not ${nodes}.`);
  return { nodes: Array.from({ length: nodes }, (_, index) => ({ name: `n${index + 1}`, port: null })), nextNumber: nodes + 1, founded: false };
}

function portOrNull(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536 ? value : null;
}

/**
 * Makes a folder and those above it, step by step: mkdir's own recursion never ends on file systems such as /proc, which refuse
 * a new folder as missing. Throws `SYNOD_ERR_BAD_REQUEST` when there cannot be one.
 */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${path} cannot be used as a folder: ${(error as Error).message}`);
  }
}
