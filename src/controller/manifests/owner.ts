import type { KubernetesObject, V1ObjectMeta, V1OwnerReference } from "@kubernetes/client-node";
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

/** Whose an object is that has the name of one of a cluster's: this cluster's, that of a deleted one of the same name, or anybody else's. */
export type Belonging = "ours" | "former" | "other";

/** What nobody owns is only ours when it says so, as after a deletion that left it: another's work may have any name. */
export function belonging({ metadata }: PaxosCluster, object: KubernetesObject): Belonging {
  const owner = controllerOf(object);
  if (owner === undefined) {
    const wanted = Object.entries(objectLabels(metadata.name));
    return wanted.every(([name, value]) => object.metadata?.labels?.[name] === value) ? "ours" : "other";
  }
  if (owner.uid === metadata.uid) return "ours";
  return owner.kind === KIND && owner.name === metadata.name && owner.apiVersion.startsWith(`${GROUP}/`) ? "former" : "other";
}

export function controllerOf(object: KubernetesObject | undefined): V1OwnerReference | undefined {
  return object?.metadata?.ownerReferences?.find(({ controller }) => controller === true);
}
