import type { V1PodDisruptionBudget } from "@kubernetes/client-node";
import { majorityOf } from "../../paxos/configuration.ts";
import { namesOf } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { memberLabels } from "./labels.ts";
import { ownedMetadata } from "./owner.ts";

/**
 * What keeps a drain from taking a majority. Null for one and two members: they can spare none, and a budget of none blocks every
 * drain for ever. `members` counts the pods of the StatefulSet, which are never fewer than the voters, so that the budget of a
 * larger cluster stays until its members have left.
 *
 * Pods that are not ready may always be evicted: they count in no majority that stands, and where the majority is lost a drain
 * would else never end.
 */
export function podDisruptionBudget(cluster: PaxosCluster, members: number): V1PodDisruptionBudget | null {
  const { metadata } = cluster;
  const spare = members - majorityOf(members);
  if (spare < 1) return null;
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: ownedMetadata(cluster, namesOf(metadata.name).podDisruptionBudget),
    spec: { maxUnavailable: spare, selector: { matchLabels: memberLabels(metadata.name) }, unhealthyPodEvictionPolicy: "AlwaysAllow" },
  };
}
