import type { KubernetesObject } from "@kubernetes/client-node";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";

/** A pod of the cluster's StatefulSet, as read from the API server. */
export interface ObservedPod {
  readonly ordinal: number;
  readonly name: string;
  readonly uid: string;
  readonly ip: string | null;
  /** Its member's process runs. */
  readonly running: boolean;
  /** Its readiness probe succeeds: voter, caught up, recent contact with a quorum. */
  readonly ready: boolean;
  readonly terminating: boolean;
  /** The revision of the StatefulSet that it was made from. */
  readonly revision: string;
  readonly leaderLabel: boolean;
  /** The key, by its fingerprint, that its kubelet was last asked to bring, and when in milliseconds since 1970; null: none. */
  readonly announced: { readonly key: string; readonly atMs: number } | null;
  /** Why its container does not run, such as ImagePullBackOff or CrashLoopBackOff; null while it does. */
  readonly waiting: string | null;
  /** When it was made, in milliseconds since 1970. */
  readonly createdMs: number;
}

export interface ObservedClaim {
  readonly ordinal: number;
  readonly name: string;
  readonly uid: string;
  readonly terminating: boolean;
  /** The size that was asked for. */
  readonly size: string;
  /** Whether it is deleted with the PaxosCluster. */
  readonly owned: boolean;
}

/** What the process in a pod says of itself when it is asked directly. */
export interface ObservedMember {
  readonly ordinal: number;
  /** The pod that answered. */
  readonly podUid: string;
  readonly name: string;
  readonly incarnation: string;
  /** Null while it belongs to no cluster. */
  readonly cluster: string | null;
  readonly role: "leader" | "follower" | "candidate" | "learner" | "removed" | "fenced";
  readonly fence: { readonly kind: "corrupt" | "copied" | "disk"; readonly reason: string } | null;
  /** Fingerprints of the keys that it accepts, the one that it sends first. */
  readonly keys: readonly string[];
}

/** One member of the configuration as the leader sees it. */
export interface ObservedSeat {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly role: "voter" | "learner";
  readonly leader: boolean;
  /** The leader heard from it lately. Null when no leader could be asked. */
  readonly live: boolean | null;
  readonly caughtUp: boolean | null;
}

/** The configuration that is in force, from the members themselves and never from a cache. */
export interface ObservedConfiguration {
  /** The id of the cluster that the member which told it belongs to: a foreign volume's member tells a foreign configuration. */
  readonly cluster: string;
  /** The slot that every change must name. */
  readonly slot: number;
  /** An earlier change is not done; null when no leader could be asked. */
  readonly pending: boolean | null;
  /** A leader answered; false when some member told what it knows itself. */
  readonly fromLeader: boolean;
  readonly seats: readonly ObservedSeat[];
  readonly removed: readonly string[];
  readonly leader: { readonly name: string; readonly ballot: { readonly round: number; readonly incarnation: string } } | null;
}

/** The immutable object that says with whom the cluster was founded (rule 13). */
export interface ObservedBootstrap {
  readonly uid: string;
  readonly cluster: string;
  readonly voters: readonly { readonly incarnation: string; readonly name: string; readonly address: string }[];
}

export interface ObservedStatefulSet {
  readonly uid: string;
  readonly replicas: number;
  /** The revision that its present template makes. */
  readonly updateRevision: string;
  /** Its controller has seen its latest form, so that `updateRevision` is not that of an older one. */
  readonly settled: boolean;
}

/** The keys in the cluster's Secret by their fingerprints, the one to be sent first. Null: there is no such Secret. */
export interface ObservedSecret {
  readonly uid: string;
  readonly current: string;
  readonly previous: string | null;
  /** When the current key was made, in milliseconds since 1970. */
  readonly madeMs: number;
  /** The value of `security.keyRotatedAt` that the current key was made for, kept with the Secret. */
  readonly rotatedAt: string | null;
}

/** Everything that a plan is made from. */
export interface Observed {
  readonly cluster: PaxosCluster;
  readonly nowMs: number;
  /** The live form of each object that the controller keeps, by "Kind/name". */
  readonly objects: ReadonlyMap<string, KubernetesObject>;
  readonly statefulSet: ObservedStatefulSet | null;
  readonly pods: readonly ObservedPod[];
  /** From a fresh list: that there is none means that the cluster's data is gone. */
  readonly claims: readonly ObservedClaim[];
  /** By those pods that answered. */
  readonly members: readonly ObservedMember[];
  readonly configuration: ObservedConfiguration | null;
  readonly bootstrap: ObservedBootstrap | null;
  readonly secret: ObservedSecret | null;
  /** What the API server said of the last step that it refused for good, null once a pass went through. */
  readonly refusal: string | null;
}
