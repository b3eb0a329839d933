import { Command } from "commander";
import { runNodeProcess } from "../local/node-process.ts";
import { parseAddress, parseCount, parseMemberName } from "./values.ts";

interface NodeFlags {
  readonly name: string;
  readonly data: string;
  readonly listen: string;
  readonly peersFile?: string;
  readonly keyFolder?: string;
  readonly waitForFolder: number;
  readonly heartbeatMs?: number;
  readonly electionTimeoutMs?: number;
  readonly logLevel: string;
  readonly stopWithParent?: true;
}

export function nodeCommand(): Command {
  return new Command("node")
    .description("run one member")
    .requiredOption("--name <name>", "the member's name", parseMemberName)
    .requiredOption("--data <folder>", "its data folder, made if it is not there")
    .requiredOption("--listen <host:port>", "where to listen; port 0 takes a free one", parseAddress)
    .option("--peers-file <file>", 'JSON {"name": "host:port", …}, read anew at every dial')
    .option("--key-folder <folder>", "the cluster's keys, files current and previous; read anew when they change")
    .option("--wait-for-folder <seconds>", "how long the data folder is waited for while another process uses it", parseCount, 0)
    .option("--heartbeat-ms <ms>", "how often a leader shows that it is there (default: 80)", parseCount)
    .option("--election-timeout-ms <ms>", "how long no leader is heard until another is sought, at least three heartbeats (default: 400)", parseCount)
    .option("--log-level <level>", "fatal, error, warn, info, debug, trace or silent", "info")
    .option("--stop-with-parent", "also stop when standard input ends")
    .action(runNode);
}

async function runNode({ stopWithParent, heartbeatMs, electionTimeoutMs, ...options }: NodeFlags): Promise<void> {
  const { startNode } = await import("../node/start.ts");
  const timings = { ...(heartbeatMs === undefined ? {} : { heartbeatMs }), ...(electionTimeoutMs === undefined ? {} : { electionTimeoutMs }) };
  await runNodeProcess((signal) => startNode({ ...options, timings, signal }), { name: options.name, stopWithParent: stopWithParent === true });
}
