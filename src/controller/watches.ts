import type { KubernetesObject, V1Pod } from "@kubernetes/client-node";
import type { KubeClient } from "./kube/client.ts";
import type { Clock } from "./kube/clock.ts";
import { Informer } from "./kube/informer.ts";
import type { Kind } from "./kube/resources.ts";
import { objectLabels } from "./manifests/labels.ts";
import type { WatchedPod } from "./reconcile/leader-watch.ts";
import { keyOf } from "./reconcile/reconciler.ts";
import { INSTANCE_LABEL, NAME_LABEL, ordinalOf, ROLE_LABEL } from "./resource/names.ts";
import { KIND, type PaxosCluster } from "./resource/paxos-cluster.ts";

/** What changes of these lead to a pass for the cluster that they belong to. Secrets are not among them: they are only read by name. */
const TELLING_KINDS: readonly Kind[] = [
  "StatefulSet", "PersistentVolumeClaim", "Service", "ConfigMap", "PodDisruptionBudget", "NetworkPolicy", "ServiceAccount",
];

export interface WatchesOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Absent: all namespaces. */
  readonly namespace: string | undefined;
  /** Something happened to that cluster. */
  readonly onCluster: (key: string) => void;
  readonly onPod: (pod: WatchedPod, change: "set" | "deleted") => void;
  readonly onError: (error: unknown) => void;
}

/** Everything that is watched at the API server. It tells when to look; what there is then is read anew. */
export class Watches {
  readonly #clusters: Informer<PaxosCluster>;
  readonly #pods: Informer<WatchedPod | null>;
  readonly #others: readonly Informer<string | null>[];

  constructor({ client, clock, namespace, onCluster, onPod, onError }: WatchesOptions) {
    const shared = { client, clock, onError };
    const labelSelector = `${NAME_LABEL}=${objectLabels("")[NAME_LABEL]},${INSTANCE_LABEL}`;
    this.#clusters = new Informer({
      ...shared, place: { kind: KIND, namespace }, keep: withoutManagers, onChange: ({ metadata }) => onCluster(keyOf(metadata)),
    });
    this.#pods = new Informer({
      ...shared, place: { kind: "Pod", namespace }, labelSelector, keep: watchedPod,
      onChange: (pod, change) => {
        if (pod === null) return;
        onPod(pod, change);
        onCluster(pod.key);
      },
    });
    this.#others = TELLING_KINDS.map((kind) => new Informer({
      ...shared, place: { kind, namespace }, labelSelector, keep: clusterKey, onChange: (key) => { if (key !== null) onCluster(key); },
    }));
  }

  start(): void {
    for (const informer of this.#all()) informer.start();
  }

  /** Resolves once everything was listed. */
  async synced(): Promise<void> {
    await Promise.all(this.#all().map((informer) => informer.synced));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all().map((informer) => informer.stop()));
  }

  clusters(): readonly PaxosCluster[] {
    return this.#clusters.values();
  }

  cluster(key: string): PaxosCluster | undefined {
    return this.clusters().find(({ metadata }) => keyOf(metadata) === key);
  }

  pods(key?: string): readonly WatchedPod[] {
    return this.#pods.values().filter((pod) => pod !== null && (key === undefined || pod.key === key)) as readonly WatchedPod[];
  }

  #all(): readonly Pick<Informer<unknown>, "start" | "stop" | "synced">[] {
    return [this.#clusters, this.#pods, ...this.#others];
  }
}

function withoutManagers(object: KubernetesObject): PaxosCluster {
  const { managedFields: _, ...metadata } = object.metadata ?? {};
  return { ...object, metadata } as PaxosCluster;
}

function clusterKey({ metadata }: KubernetesObject): string | null {
  const name = metadata?.labels?.[INSTANCE_LABEL];
  return name === undefined || metadata?.namespace === undefined ? null : keyOf({ namespace: metadata.namespace, name });
}

/** Null for pods that are no members', such as the chart's own. */
function watchedPod(object: KubernetesObject): WatchedPod | null {
  const key = clusterKey(object);
  const { metadata, status } = object as V1Pod;
  const { name = "", uid = "", labels } = metadata ?? {};
  if (key === null || ordinalOf(labels?.[INSTANCE_LABEL] ?? "", name) === null) return null;
  return { key, name, uid, ip: status?.podIP ?? "", leaderLabel: labels?.[ROLE_LABEL] === "leader" };
}
