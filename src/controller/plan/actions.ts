import type { KubernetesObject } from "@kubernetes/client-node";
import type { PaxosClusterStatus } from "../resource/paxos-cluster.ts";

/** Something to tell the people who watch the cluster: an Event of the PaxosCluster. What is done is told when it has been. */
export interface Notice {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** One step towards the desired state. Steps are carried out in order; the first that fails ends the pass, and the next pass plans anew. */
export type Action =
  /** Server-side apply of the fields that are ours. */
  | { readonly type: "apply"; readonly object: KubernetesObject }
  /** Its volume claim template is immutable: deleted with its pods left alone, and made again by the next pass. */
  | { readonly type: "recreateStatefulSet"; readonly uid: string }
  | { readonly type: "deleteObject"; readonly kind: string; readonly apiVersion: string; readonly name: string; readonly uid: string }
  /** `rotatedAt` is kept with the Secret, so that one wish is carried out once. */
  | { readonly type: "createKey"; readonly rotatedAt: string | null }
  /** Makes a new current key; the present one, if it is known, stays valid as the previous one. */
  | { readonly type: "rotateKey"; readonly rotatedAt: string }
  /** All members accept the current key: the previous one ends. */
  | { readonly type: "dropPreviousKey" }
  /** Touches the pod, upon which its kubelet mounts the Secret anew at once, and not only when it looks after the pod next. It restarts nothing. */
  | { readonly type: "announceKey"; readonly pod: string; readonly key: string }
  /** Creates the one immutable founding document of these members: of a new cluster, or of the one that there is. That it exists is not an error: the next pass reads it. */
  | { readonly type: "createBootstrap"; readonly cluster: string | null; readonly members: readonly { readonly incarnation: string; readonly name: string; readonly address: string }[] }
  /** Nothing of the cluster that it names is left. To be refused when a fresh list shows a claim or a StatefulSet. */
  | { readonly type: "deleteBootstrap"; readonly uid: string }
  /** Gives the founding document to the member in a pod. */
  | { readonly type: "found"; readonly ordinal: number; readonly incarnation: string }
  /** Said again of a member that the configuration has but that does not know it: it is not added twice, and gets its document. */
  | { readonly type: "addLearner"; readonly ordinal: number; readonly podUid: string; readonly incarnation: string; readonly address: string; readonly configuration: number }
  | { readonly type: "promote"; readonly id: string; readonly replaces: string | null; readonly configuration: number }
  | { readonly type: "removeMember"; readonly id: string; readonly name: string; readonly configuration: number }
  /** `to` is the id of a voter. */
  | { readonly type: "transferLeadership"; readonly to: string }
  /**
   * The member in that pod never votes again under this incarnation: it empties its folder and becomes a new one. It refuses unless
   * it was removed, is fenced as corrupt or copied, or belongs to no cluster (its adding was interrupted, and then it was removed).
   */
  | { readonly type: "renewMember"; readonly ordinal: number; readonly podUid: string; readonly incarnation: string }
  | { readonly type: "deletePod"; readonly name: string; readonly uid: string }
  /** To be refused when a fresh read shows a pod of it, or a StatefulSet that wants one: a controller that was frozen may wake with it. */
  | { readonly type: "deleteClaim"; readonly name: string; readonly uid: string }
  /** Has Kubernetes look at the StatefulSet again; `at` is the time now (RFC 3339). */
  | { readonly type: "nudgeStatefulSet"; readonly at: string }
  | { readonly type: "resizeClaim"; readonly name: string; readonly size: string }
  /** Sets or clears the owner that lets a claim go with its cluster. */
  | { readonly type: "ownClaim"; readonly name: string; readonly owned: boolean }
  | { readonly type: "labelLeader"; readonly pod: string; readonly leads: boolean };

/** What one pass is to do. */
export interface Plan {
  readonly actions: readonly Action[];
  /** Told when they are new; the same notice is not repeated while it lasts. */
  readonly notices: readonly Notice[];
  /** Null when it is what the resource has already. */
  readonly status: PaxosClusterStatus | null;
  /** Look again after so long although nothing may have changed; null: nothing is awaited. */
  readonly againMs: number | null;
}
