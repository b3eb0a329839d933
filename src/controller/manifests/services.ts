import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import { MEMBER_PORT, MEMBER_PORT_NAME, namesOf, ROLE_LABEL } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { memberLabels } from "./labels.ts";
import { ownedMetadata } from "./owner.ts";

/** The value of the role label on the leader's pod. */
export const LEADER_ROLE = "leader";

/** The headless Service by which members find each other: every member, ready or not, since none is ready before they have met. */
export function membersService(cluster: PaxosCluster): V1Service {
  const { metadata } = cluster;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: ownedMetadata(cluster, namesOf(metadata.name).members),
    spec: { type: "ClusterIP", clusterIP: "None", publishNotReadyAddresses: true, selector: memberLabels(metadata.name), ports: [memberPort()] },
  };
}

/** The Service for clients: any ready member, which forwards what only the leader can do. */
export function clientService(cluster: PaxosCluster): V1Service {
  const { metadata } = cluster;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: ownedMetadata(cluster, namesOf(metadata.name).client),
    spec: { type: "ClusterIP", selector: memberLabels(metadata.name), ports: [memberPort()] },
  };
}

/** The Service that leads to the leader, by the label on its pod. It follows an election by a second or two. */
export function leaderService(cluster: PaxosCluster): V1Service {
  const { metadata } = cluster;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: ownedMetadata(cluster, namesOf(metadata.name).leader),
    spec: { type: "ClusterIP", selector: { ...memberLabels(metadata.name), [ROLE_LABEL]: LEADER_ROLE }, ports: [memberPort()] },
  };
}

/** The port has a name, so that there are SRV records of it. */
function memberPort(): V1ServicePort {
  return { name: MEMBER_PORT_NAME, protocol: "TCP", port: MEMBER_PORT, targetPort: MEMBER_PORT_NAME };
}
