import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, run } from "./run-command.ts";

export const REPOSITORY = join(import.meta.dirname, "../../..");

/** Where the tool is that runs a Kubernetes on this machine; a clone stands beside its folder. */
const TOOL = process.env["SYNOD_E2E_CLUSTER"] ?? join(REPOSITORY, "../shared/cluster/cluster");

export type Part = "apiserver" | "kubelet" | "controller-manager" | "scheduler" | "coredns" | "proxy";

/** A Kubernetes whose node is this very machine: its processes can be signalled, its packets dropped, its parts stopped. */
export class ClusterTool {
  /** The tool, if the cluster that the current context names is the one it runs; null for any other cluster. */
  static async find(server: string): Promise<ClusterTool | null> {
    if (!existsSync(TOOL)) return null;
    const exports = await run(TOOL, ["env"]).catch((error: unknown) => {
      if (error instanceof CommandError) return "";
      throw error;
    });
    const kubeconfig = /KUBECONFIG=(\S+)/.exec(exports)?.[1];
    if (kubeconfig === undefined || !existsSync(kubeconfig)) return null;
    return readFileSync(kubeconfig, "utf8").includes(`server: ${server}\n`) ? new ClusterTool() : null;
  }

  /** Builds the Dockerfile of a folder and loads the image into the node. Ten minutes suffice where nothing is cached. */
  async build(image: string, folder: string): Promise<void> {
    await run(TOOL, ["build", image, folder], { timeoutMs: 600_000 });
  }

  async stop(part: Part): Promise<void> {
    await run(TOOL, ["stop", part]);
  }

  async start(part: Part): Promise<void> {
    await run(TOOL, ["start", part]);
  }

  /** Process ids of a pod on this machine, those of its pause container left out. */
  async processesOf(namespace: string, pod: string): Promise<readonly number[]> {
    // A process that ends while all are looked through makes the tool fail, and its answer no less complete.
    const text = await run(TOOL, ["pid", `${namespace}/${pod}`]).catch((error: unknown) => {
      if (error instanceof CommandError && error.stdout !== "") return error.stdout;
      throw error;
    });
    return text.split("\n").filter((line) => line !== "").map(Number);
  }
}
