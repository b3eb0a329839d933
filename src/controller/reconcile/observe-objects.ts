import type { KubernetesObject, V1ConfigMap, V1PersistentVolumeClaim, V1Pod, V1Secret, V1StatefulSet } from "@kubernetes/client-node";
import type { KubeClient } from "../kube/client.ts";
import type { Kind } from "../kube/resources.ts";
import { selectorText } from "../manifests/labels.ts";
import type { ClusterKeys } from "../members/keys.ts";
import type { Observed, ObservedClaim, ObservedPod, ObservedStatefulSet } from "../plan/observed.ts";
import { KEY_ANNOTATION, namesOf, ordinalOf, ROLE_LABEL } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { readBootstrap } from "./bootstrap.ts";
import { observeSecret, readAnnouncement, readKeys } from "./key-secret.ts";

/** What the API server knows of a cluster, and its keys. */
export interface ObservedObjects extends Pick<Observed, "objects" | "statefulSet" | "pods" | "claims" | "bootstrap" | "secret"> {
  readonly keys: ClusterKeys | null;
}

/** Reads everything of a cluster from the API server, and nothing from a cache: a deletion must not follow from what was true once. */
export async function observeObjects(client: Pick<KubeClient, "get" | "list">, cluster: PaxosCluster): Promise<ObservedObjects> {
  const { name, namespace } = cluster.metadata;
  const names = namesOf(name);
  const labelSelector = selectorText(name);
  const [kept, pods, claims, bootstrap, secret] = await Promise.all([
    Promise.all(keptObjects(cluster).map(([kind, objectName]) => client.get({ kind, namespace, name: objectName }))),
    client.list<V1Pod>({ kind: "Pod", namespace }, { labelSelector }),
    client.list<V1PersistentVolumeClaim>({ kind: "PersistentVolumeClaim", namespace }, { labelSelector }),
    client.get<V1ConfigMap>({ kind: "ConfigMap", namespace, name: names.bootstrapConfigMap }),
    client.get<V1Secret>({ kind: "Secret", namespace, name: names.keySecret }),
  ]);
  const objects = new Map<string, KubernetesObject>();
  for (const object of kept) if (object !== null) objects.set(`${object.kind}/${object.metadata?.name}`, object);
  const statefulSet = objects.get(`StatefulSet/${names.statefulSet}`) as V1StatefulSet | undefined;
  return {
    objects,
    statefulSet: statefulSet === undefined ? null : observeStatefulSet(statefulSet),
    pods: pods.items.flatMap((pod) => observePod(name, pod)).sort((a, b) => a.ordinal - b.ordinal),
    claims: claims.items.flatMap((claim) => observeClaim(cluster, claim)).sort((a, b) => a.ordinal - b.ordinal),
    bootstrap: bootstrap === null ? null : readBootstrap(bootstrap),
    secret: secret === null ? null : observeSecret(secret),
    keys: secret === null ? null : readKeys(secret),
  };
}

function keptObjects({ metadata }: PaxosCluster): readonly (readonly [Kind, string])[] {
  const names = namesOf(metadata.name);
  return [
    ["StatefulSet", names.statefulSet], ["Service", names.members], ["Service", names.client], ["Service", names.leader],
    ["PodDisruptionBudget", names.podDisruptionBudget], ["NetworkPolicy", names.networkPolicy], ["ServiceAccount", names.serviceAccount], ["ConfigMap", names.leaderConfigMap],
  ];
}

function observeStatefulSet({ metadata, spec, status }: V1StatefulSet): ObservedStatefulSet {
  return {
    uid: metadata?.uid ?? "",
    replicas: spec?.replicas ?? 1,
    updateRevision: status?.updateRevision ?? "",
    settled: (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0),
  };
}

export function observePod(cluster: string, { metadata, status }: V1Pod): ObservedPod[] {
  const ordinal = ordinalOf(cluster, metadata?.name ?? "");
  if (ordinal === null || metadata?.uid === undefined) return [];
  const terminating = metadata.deletionTimestamp !== undefined;
  const running = status?.containerStatuses?.some(({ state }) => state?.running !== undefined) === true;
  return [{
    ordinal, name: metadata.name ?? "", uid: metadata.uid, ip: status?.podIP ?? null, running, terminating,
    ready: !terminating && status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true,
    revision: metadata.labels?.["controller-revision-hash"] ?? "",
    leaderLabel: metadata.labels?.[ROLE_LABEL] === "leader",
    announced: readAnnouncement(metadata.annotations?.[KEY_ANNOTATION]),
    waiting: running ? null : whyNotRunning(status),
    createdMs: Date.parse(String(metadata.creationTimestamp ?? 0)) || 0,
  }];
}

/** The kubelet's or the scheduler's word for it. */
function whyNotRunning(status: V1Pod["status"]): string | null {
  const [state] = status?.containerStatuses?.map((container) => container.state) ?? [];
  const unscheduled = status?.conditions?.find((condition) => condition.type === "PodScheduled" && condition.status === "False");
  return state?.waiting?.reason ?? state?.terminated?.reason ?? unscheduled?.reason ?? null;
}

function observeClaim({ metadata: { name, uid } }: PaxosCluster, { metadata, spec }: V1PersistentVolumeClaim): ObservedClaim[] {
  const ordinal = ordinalOf(name, metadata?.name ?? "");
  if (ordinal === null || metadata?.uid === undefined) return [];
  return [{
    ordinal, name: metadata.name ?? "", uid: metadata.uid,
    terminating: metadata.deletionTimestamp !== undefined,
    size: spec?.resources?.requests?.["storage"] ?? "0",
    owned: metadata.ownerReferences?.some((owner) => owner.uid === uid) === true,
  }];
}
