import type { V1PersistentVolumeClaim, V1PodSpec, V1PodTemplateSpec, V1StatefulSet } from "@kubernetes/client-node";
import { DATA_CLAIM, MEMBER_PORT, namesOf } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import { memberLabels } from "./labels.ts";
import { KEY_VOLUME, memberContainer } from "./member-container.ts";
import { ownedMetadata } from "./owner.ts";

/** Its value changes with `spec.restartedAt`, and so does the revision of the pods. */
const RESTARTED_ANNOTATION = "synod.dev/restarted-at";
/** The image's user, which is not root. */
const USER = 65_532;
/** A member that ends hands leadership over first, and syncs what it holds. */
const GRACE_SECONDS = 30;
/** The owner and the group read, which is the member's. */
const KEY_MODE = 0o440;

/**
 * The members' StatefulSet. All pods start at once, since none is ready before a majority runs; none is replaced but by the
 * controller, which knows who leads; and no volume is deleted with the set or with a pod.
 */
export function statefulSet(cluster: PaxosCluster, replicas: number): V1StatefulSet {
  const { metadata } = cluster;
  const names = namesOf(metadata.name);
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: ownedMetadata(cluster, names.statefulSet),
    spec: {
      replicas,
      serviceName: names.members,
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "OnDelete" },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      revisionHistoryLimit: 10,
      selector: { matchLabels: memberLabels(metadata.name) },
      template: podTemplate(cluster),
      volumeClaimTemplates: [dataClaim(cluster)],
    },
  };
}

function podTemplate(cluster: PaxosCluster): V1PodTemplateSpec {
  const { metadata, spec } = cluster;
  const scrape = { "prometheus.io/scrape": "true", "prometheus.io/port": String(MEMBER_PORT), "prometheus.io/path": "/metrics" };
  const restarted = spec.restartedAt === undefined ? {} : { [RESTARTED_ANNOTATION]: spec.restartedAt };
  return {
    metadata: { labels: { ...spec.podLabels, ...memberLabels(metadata.name) }, annotations: { ...scrape, ...spec.podAnnotations, ...restarted } },
    spec: podSpec(cluster),
  };
}

function podSpec(cluster: PaxosCluster): V1PodSpec {
  const { metadata } = cluster;
  const { serviceAccount, keySecret } = namesOf(metadata.name);
  return {
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: {
      runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER, fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [memberContainer(cluster)],
    volumes: [{ name: KEY_VOLUME, secret: { secretName: keySecret, defaultMode: KEY_MODE } }],
    ...placement(cluster),
  };
}

function placement({ metadata, spec }: PaxosCluster): Partial<V1PodSpec> {
  const { affinity, tolerations, nodeSelector, priorityClassName, imagePullSecrets } = spec;
  const spread = spec.topologySpreadConstraints ?? [{
    maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: memberLabels(metadata.name) },
  }];
  return {
    topologySpreadConstraints: [...spread],
    ...(affinity === undefined ? {} : { affinity }),
    ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: [...imagePullSecrets] }),
  };
}

/** Immutable, but for making the set anew without its pods; so that the labels are those that never change. */
function dataClaim({ metadata, spec }: PaxosCluster): V1PersistentVolumeClaim {
  const { size, storageClassName } = spec.storage;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: DATA_CLAIM, labels: memberLabels(metadata.name) },
    spec: {
      accessModes: ["ReadWriteOnce"],
      ...(storageClassName === undefined ? {} : { storageClassName }),
      resources: { requests: { storage: size } },
    },
  };
}
