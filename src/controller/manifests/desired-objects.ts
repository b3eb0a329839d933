import type { KubernetesObject } from "@kubernetes/client-node";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { DESIRED_ANNOTATION } from "../resource/names.ts";
import { fingerprint } from "./fingerprint.ts";
import { networkPolicy } from "./network-policy.ts";
import { podDisruptionBudget } from "./pod-disruption-budget.ts";
import { serviceAccount } from "./service-account.ts";
import { clientService, leaderService, membersService } from "./services.ts";
import { statefulSet } from "./stateful-set.ts";

/**
 * The objects that are applied for a cluster, the StatefulSet last: its pods use the others. `replicas` is the StatefulSet's, at least the voters.
 * Each says in an annotation what it is made to be: a field that is wished for no more is missing from what is desired, and would not be missed in the live object.
 */
export function desiredObjects(cluster: PaxosCluster, replicas: number): readonly KubernetesObject[] {
  return [
    serviceAccount(cluster),
    membersService(cluster),
    clientService(cluster),
    leaderService(cluster),
    networkPolicy(cluster),
    podDisruptionBudget(cluster, replicas),
    statefulSet(cluster, replicas),
  ].filter((object) => object !== null).map(signed);
}

function signed(object: KubernetesObject): KubernetesObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata?.annotations, [DESIRED_ANNOTATION]: fingerprint(object) } } };
}

/** The name of an object among those of its cluster. */
export function objectKey({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata?.name}`;
}
