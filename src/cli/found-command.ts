import { setTimeout as pause } from "node:timers/promises";
import { Command } from "commander";
import { readCallKeys } from "../auth/key-folder.ts";
import { drawClusterId } from "../founding/cluster-id.ts";
import { foundCluster } from "../founding/founder.ts";
import { NodeFileSystem } from "../storage/file-system.ts";
import { type KeyFlags, withKeyOptions } from "./key-options.ts";
import { parseCount } from "./values.ts";

interface FoundFlags extends KeyFlags {
  readonly record: string;
  readonly timeout: number;
}

export function foundCommand(): Command {
  return withKeyOptions(new Command("found"))
    .description("make new members a cluster, once; after a crash, run it again with the same record")
    .argument("<url...>", "every member's address, such as http://10.0.0.1:7001")
    .requiredOption("--record <file>", "keeps the founding document; one file for one cluster")
    .option("--timeout <ms>", "how long members that do not answer are waited for", parseCount, 60_000)
    .action(found);
}

async function found(urls: string[], { record, timeout, ...keyFlags }: FoundFlags): Promise<void> {
  const keys = await readCallKeys(keyFlags);
  const founding = await foundCluster({
    record, urls, fetch, keys, files: new NodeFileSystem(),
    drawClusterId,
    now: () => performance.now(),
    pause: (ms) => pause(ms),
    timeoutMs: timeout,
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const names = founding.configuration.voters.map((voter) => voter.name).join(", ");
  process.stdout.write(`cluster ${founding.cluster} founded of ${names}\n`);
}
