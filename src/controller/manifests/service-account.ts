import type { V1ServiceAccount } from "@kubernetes/client-node";
import { namesOf } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { ownedMetadata } from "./owner.ts";

/** The members' identity, which may do nothing: they never talk to the API server. */
export function serviceAccount(cluster: PaxosCluster): V1ServiceAccount {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: ownedMetadata(cluster, namesOf(cluster.metadata.name).serviceAccount),
    automountServiceAccountToken: false,
  };
}
