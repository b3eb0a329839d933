import { Command, Option } from "commander";
import { runNodeProcess } from "../local/node-process.ts";
import { parseAddress } from "./values.ts";

/** Longer than a step that is under way may take. */
const STOP_MS = 20_000;

interface ControllerFlags {
  readonly namespace?: string;
  readonly allNamespaces?: true;
  readonly listen: string;
  readonly leaseName: string;
  readonly leaseNamespace?: string;
  readonly identity?: string;
  readonly logLevel: string;
}

export function controllerCommand(): Command {
  return new Command("controller")
    .description("keep the PaxosClusters of a Kubernetes namespace, or of all, as they are wanted")
    .addOption(new Option("--namespace <name>", "the namespace whose clusters are kept (default: its own)").conflicts("allNamespaces"))
    .option("--all-namespaces", "keep the clusters of all namespaces")
    .option("--listen <host:port>", "where health and metrics are served", parseAddress, "0.0.0.0:7480")
    .option("--lease-name <name>", "of several processes the holder of this Lease acts", "synod-controller")
    .option("--lease-namespace <name>", "where the Lease is (default: its own namespace)")
    .option("--identity <name>", "its name in the Lease, different for every process (default: host name and a random part)")
    .option("--log-level <level>", "fatal, error, warn, info, debug, trace or silent", "info")
    .action(run);
}

async function run(flags: ControllerFlags): Promise<void> {
  const { startController } = await import("../controller/start.ts");
  await runNodeProcess(() => startController(flags), { name: flags.identity ?? "controller", stopWithParent: false, stopTimeoutMs: STOP_MS });
}
