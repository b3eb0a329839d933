import type { PaxosCluster } from "./paxos-cluster.ts";

/** The one port of a member: clients, peers, metrics. */
export const MEMBER_PORT = 7400;
export const MEMBER_PORT_NAME = "synod";
export const DATA_CLAIM = "data";

/** Immutable selectors carry these only; the chart's version is in none of them. */
export const NAME_LABEL = "app.kubernetes.io/name";
export const INSTANCE_LABEL = "app.kubernetes.io/instance";
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
export const COMPONENT_LABEL = "app.kubernetes.io/component";
/** On the pod of the leader, "leader"; absent elsewhere. Set by the controller. */
export const ROLE_LABEL = "synod.dev/role";

/** On a PaxosCluster that a release of the chart applied: which. */
export const RELEASE_ANNOTATION = "synod.dev/release";

/** On a pod: the fingerprint of the key that its kubelet was asked to bring, and when. Set by the controller. */
export const KEY_ANNOTATION = "synod.dev/key-announced";

/** On each object that is applied: a fingerprint of what it is to be. */
export const DESIRED_ANNOTATION = "synod.dev/desired";

/** On the StatefulSet: when it was last changed so that Kubernetes looks at it. */
export const NUDGED_ANNOTATION = "synod.dev/nudged";

export interface ClusterNames {
  /** Also the StatefulSet's, so that pods are NAME-0, NAME-1, … */
  readonly statefulSet: string;
  /** The headless Service: every member, ready or not. */
  readonly members: string;
  /** The Service for clients: ready members. */
  readonly client: string;
  /** The Service that leads to the leader. */
  readonly leader: string;
  readonly podDisruptionBudget: string;
  readonly networkPolicy: string;
  readonly leaderConfigMap: string;
  readonly bootstrapConfigMap: string;
  readonly keySecret: string;
  readonly serviceAccount: string;
}

export function namesOf(cluster: string): ClusterNames {
  return {
    statefulSet: cluster,
    members: `${cluster}-members`,
    client: cluster,
    leader: `${cluster}-leader`,
    podDisruptionBudget: cluster,
    networkPolicy: cluster,
    leaderConfigMap: `${cluster}-leader`,
    bootstrapConfigMap: `${cluster}-bootstrap`,
    keySecret: `${cluster}-key`,
    serviceAccount: `${cluster}-member`,
  };
}

export function podName(cluster: string, ordinal: number): string {
  return `${cluster}-${ordinal}`;
}

export function claimName(cluster: string, ordinal: number): string {
  return `${DATA_CLAIM}-${podName(cluster, ordinal)}`;
}

/** The ordinal of a pod, claim or member of this cluster by its name, null for other names. Numbers, so that 9 comes before 11. */
export function ordinalOf(cluster: string, name: string): number | null {
  const rest = [`${cluster}-`, `${DATA_CLAIM}-${cluster}-`].find((prefix) => name.startsWith(prefix));
  const digits = rest === undefined ? "" : name.slice(rest.length);
  return /^(0|[1-9]\d{0,5})$/.test(digits) ? Number(digits) : null;
}

/** Where peers and clients find a member for ever, whatever its pod's address is now. */
export function memberAddress({ metadata, spec }: PaxosCluster, ordinal: number): string {
  const { members } = namesOf(metadata.name);
  return `${podName(metadata.name, ordinal)}.${members}.${metadata.namespace}.svc.${spec.clusterDomain ?? "cluster.local"}:${MEMBER_PORT}`;
}
