import { KubeConfig } from "@kubernetes/client-node";
import { readFile } from "node:fs/promises";
import { SynodError } from "../../errors/synod-error.ts";

const NAMESPACE_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

export interface Connection {
  readonly config: KubeConfig;
  /** The namespace of this process, or of the current context. */
  readonly namespace: string;
}

/**
 * How to reach the API server: as `KUBECONFIG` or the file in the home folder says, and inside a pod by its service account.
 * Throws `SYNOD_ERR_BAD_REQUEST` when there is none of these or it cannot be read.
 */
export async function connectionFromEnvironment(): Promise<Connection> {
  const config = new KubeConfig();
  const inPod = process.env["KUBERNETES_SERVICE_HOST"] !== undefined && process.env["KUBECONFIG"] === undefined;
  try {
    if (inPod) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (error) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `The configuration of kubectl cannot be read: ${(error as Error).message}`);
  }
  const ofContext = config.getContextObject(config.getCurrentContext())?.namespace;
  const namespace = inPod ? (await readFile(NAMESPACE_FILE, "utf8")).trim() : (ofContext ?? "default");
  return { config, namespace };
}
