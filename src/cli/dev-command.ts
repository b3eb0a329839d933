import { Command } from "commander";
import { SynodError } from "../errors/synod-error.ts";
import type { LocalNode } from "../local/local-cluster.ts";
import { NODE_ACTIONS, type NodeAction } from "../local/node-actions.ts";
import { readClusterFile } from "./endpoint.ts";
import { type Call, exchange, requireOk } from "../client/http-call.ts";
import { formatTable } from "./table.ts";
import { DEFAULT_DEV_FOLDER, parseNodeCount } from "./values.ts";

/** Longer than the manager needs to stop or start a node. */
const ACTION_MS = 45_000;
/** Longer than it looks for an answer when it adds or removes a node. */
const CHANGE_MS = 240_000;

interface UpFlags {
  readonly nodes?: number;
  readonly data: string;
  readonly fresh?: true;
  readonly logLevel: string;
}

const DESCRIPTIONS: Readonly<Record<NodeAction, string>> = {
  stop: "stop a node in good order (SIGTERM)",
  kill: "kill a node (SIGKILL)",
  pause: "freeze a node, its sockets open (SIGSTOP)",
  resume: "let a paused node go on (SIGCONT)",
  start: "start a node that does not run",
};

export function devCommand(): Command {
  const dev = new Command("dev").description("a local cluster: one process for each node");
  dev.addCommand(upCommand(), { isDefault: true });
  dev.addCommand(withData(new Command("list")).description("show the nodes").action(list));
  dev.addCommand(withData(new Command("add"))
    .description("add a node: a new process with an empty folder, made a voter once it has caught up")
    .argument("[name]", "go on with the joining of this node, which was interrupted").action(add));
  dev.addCommand(withData(new Command("remove"))
    .description("remove a node from the cluster, then end its process and delete its data").argument("<name>", "n1, n2, …")
    .option("--force", "go on although too few of the nodes that remain are alive").action(remove));
  for (const action of NODE_ACTIONS) {
    const command = withData(new Command(action)).description(DESCRIPTIONS[action]).argument("<name>", "n1, n2, …");
    dev.addCommand(command.action((name: string, { data }: { data: string }) => act(action, name, data)));
  }
  return dev;
}

function upCommand(): Command {
  return withData(new Command("up"))
    .description("start the cluster and show it until Ctrl-C")
    .option("--nodes <count>", "how many nodes, 1 to 9 (default: as many as the folder has, 5 in a new one)", parseNodeCount)
    .option("--fresh", "delete what an earlier cluster left in the folder")
    .option("--log-level <level>", "of the nodes' logs, which are in the folder", "info")
    .allowExcessArguments()
    .action((flags: UpFlags, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) command.error(`error: synod dev has no command '${word}'; it has list, add, remove, ${NODE_ACTIONS.join(", ")}`);
      return up(flags);
    });
}

function withData(command: Command): Command {
  return command.option("--data <folder>", "the cluster's folder", DEFAULT_DEV_FOLDER);
}

async function up(flags: UpFlags): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  // A closed terminal or pipe is a request to stop, too.
  process.stdout.on("error", () => stop.abort());
  const { runDevSession } = await import("../local/dev-session.ts");
  await runDevSession({
    nodes: flags.nodes, folder: flags.data, fresh: flags.fresh === true, logLevel: flags.logLevel,
    terminal: process.stdout, stop: stop.signal, flags: flags.data === DEFAULT_DEV_FOLDER ? "" : ` --data ${flags.data}`,
  });
}

async function list({ data }: { data: string }): Promise<void> {
  const answer = await callManager(data, "GET", "/nodes");
  printNodes((JSON.parse(answer) as { nodes: LocalNode[] }).nodes);
}

async function act(action: NodeAction, name: string, data: string): Promise<void> {
  const answer = await callManager(data, "POST", `/nodes/${encodeURIComponent(name)}/${action}`);
  printNodes([JSON.parse(answer) as LocalNode]);
}

async function add(name: string | undefined, { data }: { data: string }): Promise<void> {
  const path = name === undefined ? "/nodes" : `/nodes/${encodeURIComponent(name)}/join`;
  printNodes([JSON.parse(await callManager(data, "POST", path, CHANGE_MS)) as LocalNode]);
}

async function remove(name: string, { data, force }: { data: string; force?: true }): Promise<void> {
  const path = `/nodes/${encodeURIComponent(name)}${force === true ? "?force=true" : ""}`;
  printNodes((JSON.parse(await callManager(data, "DELETE", path, CHANGE_MS)) as { nodes: LocalNode[] }).nodes);
}

async function callManager(folder: string, method: Call["method"], path: string, timeoutMs = ACTION_MS): Promise<string> {
  const url = new URL(path, readClusterFile(folder).manager);
  const answer = await exchange({ method, url, timeoutMs }).catch((error: unknown) => {
    if (!(error instanceof SynodError) || error.code !== "SYNOD_ERR_UNREACHABLE") throw error;
    throw new SynodError("SYNOD_ERR_UNREACHABLE", `The manager of ${folder} does not run any more. \`synod dev\` starts it.`);
  });
  return requireOk(url, answer).body.toString("utf8");
}

function printNodes(nodes: readonly LocalNode[]): void {
  const rows = nodes.map(({ name, state, pid, url }) => [name, state, pid === null ? "-" : String(pid), url]);
  process.stdout.write(formatTable(["NODE", "STATE", "PID", "URL"], rows));
}
