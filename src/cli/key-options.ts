import type { Command } from "commander";

/** Where the key of a cluster that asks for one is; see `readCallKeys`. */
export interface KeyFlags {
  readonly keyFolder?: string;
  readonly keyFile?: string;
}

export function withKeyOptions(command: Command): Command {
  return command
    .option("--key-folder <folder>", "the cluster's keys, as its members have them")
    .option("--key-file <file>", "the cluster's key, 64 hex digits");
}
