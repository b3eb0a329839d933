import type { KubernetesListObject, V1Namespace } from "@kubernetes/client-node";
import type { PaxosCluster } from "../../../src/controller/resource/paxos-cluster.ts";
import { target } from "./target.ts";

/**
 * PaxosClusters that are there before a test, as "namespace/name", but for those whose namespaces are about to go. A controller of all
 * namespaces would take them up too, beside the one that they may have.
 */
export async function otherClusters(): Promise<readonly string[]> {
  const { api } = await target();
  const clusters = await api.find<KubernetesListObject<PaxosCluster>>("/apis/synod.dev/v1alpha1/paxosclusters");
  const { items: namespaces } = await api.json<KubernetesListObject<V1Namespace>>("/api/v1/namespaces");
  const staying = new Set(namespaces.filter(({ status }) => status?.phase !== "Terminating").map(({ metadata }) => metadata?.name));
  return (clusters?.items ?? []).filter(({ metadata }) => staying.has(metadata.namespace)).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}
