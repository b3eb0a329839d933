import type { KubernetesObject, V1NetworkPolicyPeer, V1NetworkPolicyPort, V1NetworkPolicySpec } from "@kubernetes/client-node";
import { MEMBER_PORT, namesOf } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { controllerLabels, memberLabels } from "./labels.ts";
import { ownedMetadata } from "./owner.ts";

/** 5353 is where some distributions run their DNS pods; a policy sees the port behind the Service. */
const DNS_PORTS = [53, 5353];

/** As it travels. The library's type calls the field `_from`, for its own serializer. */
interface IngressRule {
  readonly from: readonly V1NetworkPolicyPeer[];
  readonly ports: readonly V1NetworkPolicyPort[];
}

export interface NetworkPolicyObject extends KubernetesObject {
  readonly spec: Omit<V1NetworkPolicySpec, "ingress"> & { readonly ingress: readonly IngressRule[] };
}

/**
 * Who may reach the members, and whom they may reach: their peers, DNS, and nothing else, the API server not either. Null where the
 * cluster wants none. Probes come from the node, which policies do not stop.
 */
export function networkPolicy(cluster: PaxosCluster): NetworkPolicyObject | null {
  const { metadata, spec } = cluster;
  if (spec.networkPolicy?.enabled === false) return null;
  const peers: V1NetworkPolicyPeer = { podSelector: { matchLabels: memberLabels(metadata.name) } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: ownedMetadata(cluster, namesOf(metadata.name).networkPolicy),
    spec: {
      podSelector: { matchLabels: memberLabels(metadata.name) },
      policyTypes: ["Ingress", "Egress"],
      ingress: [toMembers([peers]), toMembers([controller()]), ...others(cluster)],
      egress: [
        { to: [peers], ports: [{ protocol: "TCP", port: MEMBER_PORT }] },
        // Without a peer: a DNS cache of the node has an address outside of all pods.
        { ports: DNS_PORTS.flatMap((port) => [{ protocol: "UDP", port }, { protocol: "TCP", port }]) },
      ],
    },
  };
}

/** A rule that names no peer would let everybody in, so that an empty list makes no rule. */
function others({ spec }: PaxosCluster): IngressRule[] {
  const { clients = [{ podSelector: {} }], monitoring = [] } = spec.networkPolicy ?? {};
  return [clients, monitoring].filter((peers) => peers.length > 0).map((peers) => toMembers([...peers]));
}

/** It may run in any namespace; what it asks for it must prove with the cluster's key. */
function controller(): V1NetworkPolicyPeer {
  return { namespaceSelector: {}, podSelector: { matchLabels: controllerLabels() } };
}

function toMembers(from: V1NetworkPolicyPeer[]): IngressRule {
  return { from, ports: [{ protocol: "TCP", port: MEMBER_PORT }] };
}
