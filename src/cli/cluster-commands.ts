import { Command } from "commander";
import { parseCount } from "./values.ts";

interface JobFlags {
  readonly namespace?: string;
  readonly timeout: number;
}

/** What the chart's jobs run: Helm cannot apply a resource of a kind that the same release introduces. */
export function applyClusterCommand(): Command {
  return job("apply-cluster").description("apply a PaxosCluster, as soon as the API server knows the kind")
    .requiredOption("--file <file>", "YAML or JSON of one PaxosCluster; only the fields that it names are set")
    .option("--take-over", "also where it belongs to another release than the one that the file names")
    .option("--wait", "return once the cluster is ready")
    .action(apply);
}

export function deleteClusterCommand(): Command {
  return job("delete-cluster").description("delete a PaxosCluster, and return once it is gone; its volumes stay, unless its spec says otherwise")
    .argument("<name>").option("--release <name>", "leave it alone when it belongs to another release").action(remove);
}

function job(name: string): Command {
  return new Command(name)
    .option("--namespace <name>", "where it is, unless the file says it (default: the current namespace)")
    .option("--timeout <ms>", "how long to wait in all for each of these", parseCount, 120_000);
}

async function apply({ file, wait, takeOver, ...flags }: JobFlags & { readonly file: string; readonly wait?: true; readonly takeOver?: true }): Promise<void> {
  const { applyCluster, awaitReady, readCluster } = await import("../controller/cluster-job.ts");
  const { options, namespace } = await connect(flags);
  const cluster = await applyCluster(options, await readCluster(file, namespace), { takeOver: takeOver === true });
  process.stdout.write(`${cluster.metadata.namespace}/${cluster.metadata.name} applied\n`);
  if (wait !== true) return;
  await awaitReady(options, cluster);
  process.stdout.write(`${cluster.metadata.namespace}/${cluster.metadata.name} is ready\n`);
}

async function remove(name: string, { release, ...flags }: JobFlags & { readonly release?: string }): Promise<void> {
  const { deleteCluster } = await import("../controller/cluster-job.ts");
  const { options, namespace } = await connect(flags);
  const outcome = await deleteCluster(options, { namespace, name }, { release });
  process.stdout.write(`${namespace}/${name} ${outcome === "gone" ? "is gone" : `does not belong to the release ${release}, and was left as it is`}\n`);
}

async function connect({ namespace, timeout }: JobFlags) {
  const { KubeClient } = await import("../controller/kube/client.ts");
  const { systemClock } = await import("../controller/kube/clock.ts");
  const { connectionFromEnvironment } = await import("../controller/kube/configuration.ts");
  const { config, namespace: own } = await connectionFromEnvironment();
  return { options: { client: new KubeClient(config), clock: systemClock, timeoutMs: timeout }, namespace: namespace ?? own };
}
