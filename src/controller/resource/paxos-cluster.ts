import type { V1Affinity, V1ObjectMeta, V1ResourceRequirements, V1Toleration, V1TopologySpreadConstraint } from "@kubernetes/client-node";

export const GROUP = "synod.dev";
export const VERSION = "v1alpha1";
export const KIND = "PaxosCluster";
export const PLURAL = "paxosclusters";

/** What becomes of a volume: kept, or deleted once its member has left (`whenScaled`) or the cluster is deleted (`whenDeleted`). */
export type VolumePolicy = "Retain" | "Delete";

/** The volumes of the members. The class cannot be changed later, the size only grow. */
export interface StorageSpec {
  /** A quantity, such as 1Gi. */
  readonly size: string;
  readonly storageClassName?: string;
  readonly whenScaled?: VolumePolicy;
  readonly whenDeleted?: VolumePolicy;
}

/** The desired state of a cluster, with the defaults of the resource's schema filled in by the API server. */
export interface PaxosClusterSpec {
  /** 1 to 9 members. */
  readonly replicas: number;
  readonly image: string;
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly storage: StorageSpec;
  readonly resources?: V1ResourceRequirements;
  /** While true the controller changes nothing of this cluster but its status and its notice of the leader. */
  readonly pause?: boolean;
  readonly affinity?: V1Affinity;
  readonly tolerations?: readonly V1Toleration[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly topologySpreadConstraints?: readonly V1TopologySpreadConstraint[];
  readonly priorityClassName?: string;
  readonly podLabels?: Readonly<Record<string, string>>;
  readonly podAnnotations?: Readonly<Record<string, string>>;
  /** The DNS domain of the Kubernetes cluster. */
  readonly clusterDomain?: string;
  readonly timings?: { readonly heartbeatMs?: number; readonly electionTimeoutMs?: number };
  readonly logLevel?: string;
  /** Any text; members are restarted one after the other when it changes. */
  readonly restartedAt?: string;
  readonly networkPolicy?: NetworkPolicySpec;
  readonly security?: SecuritySpec;
}

/** Who may reach the members, beside their peers and the controller. Without `clients` everybody in the namespace may. */
export interface NetworkPolicySpec {
  readonly enabled?: boolean;
  /** Peers as in a NetworkPolicy. */
  readonly clients?: readonly object[];
  readonly monitoring?: readonly object[];
}

/** Where TLS will find its place. */
export interface SecuritySpec {
  /** Any text; the cluster's key is rotated when it changes. */
  readonly keyRotatedAt?: string;
}

export type ConditionType = "Ready" | "Quorate" | "Progressing" | "Degraded";

export interface Condition {
  readonly type: ConditionType;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  /** What is the case and what to do about it. */
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

export interface MemberStatusEntry {
  readonly name: string;
  readonly incarnation: string;
  readonly role: "voter" | "learner";
  readonly caughtUp: boolean;
}

export interface PaxosClusterStatus {
  readonly observedGeneration?: number;
  /** Voters that are ready. */
  readonly readyReplicas?: number;
  /** Pods that there are: what the scale subresource reports. */
  readonly replicas?: number;
  /** The label selector of the members' pods, as text: what an autoscaler asks for. */
  readonly selector?: string;
  /** The id of the Paxos cluster, once it is founded. */
  readonly clusterId?: string;
  readonly leader?: string;
  /** "round.member", such as 7.demo-2. */
  readonly ballot?: string;
  /** "2/3": what the printer column shows. */
  readonly ready?: string;
  readonly members?: readonly MemberStatusEntry[];
  readonly conditions?: readonly Condition[];
  /** The value of `security.keyRotatedAt` that was carried out. */
  readonly keyRotatedAt?: string;
}

export interface PaxosCluster {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: V1ObjectMeta & { readonly name: string; readonly namespace: string; readonly uid: string; readonly generation: number };
  readonly spec: PaxosClusterSpec;
  readonly status?: PaxosClusterStatus;
}
