import type { KubernetesObject } from "@kubernetes/client-node";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { networkPolicy } from "./network-policy.ts";
import { podDisruptionBudget } from "./pod-disruption-budget.ts";
import { serviceAccount } from "./service-account.ts";
import { clientService, leaderService, membersService } from "./services.ts";
import { statefulSet } from "./stateful-set.ts";

/** The objects that are applied for a cluster, the StatefulSet last: its pods use the others. `replicas` is the StatefulSet's, at least the voters. */
export function desiredObjects(cluster: PaxosCluster, replicas: number): readonly KubernetesObject[] {
  return [
    serviceAccount(cluster),
    membersService(cluster),
    clientService(cluster),
    leaderService(cluster),
    networkPolicy(cluster),
    podDisruptionBudget(cluster, replicas),
    statefulSet(cluster, replicas),
  ].filter((object) => object !== null);
}

/** The name of an object among those of its cluster. */
export function objectKey({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata?.name}`;
}
