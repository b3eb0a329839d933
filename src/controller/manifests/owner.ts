import type { V1ObjectMeta, V1OwnerReference } from "@kubernetes/client-node";
import { GROUP, KIND, type PaxosCluster, VERSION } from "../resource/paxos-cluster.ts";
import { objectLabels } from "./labels.ts";

/** What makes Kubernetes delete an object with its PaxosCluster. */
export function ownerReference({ metadata }: PaxosCluster): V1OwnerReference {
  return {
    apiVersion: `${GROUP}/${VERSION}`, kind: KIND, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true,
  };
}

/** The metadata of an object that belongs to a cluster. */
export function ownedMetadata(cluster: PaxosCluster, name: string): V1ObjectMeta {
  const { metadata } = cluster;
  return { name, namespace: metadata.namespace, labels: objectLabels(metadata.name), ownerReferences: [ownerReference(cluster)] };
}
