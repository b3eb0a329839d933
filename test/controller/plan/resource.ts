import type { KubernetesObject } from "@kubernetes/client-node";
import type { PaxosCluster, PaxosClusterSpec } from "../../../src/controller/resource/paxos-cluster.ts";

/** The resource as the API server hands it out, with the schema's defaults. */
export function resource(spec: Partial<PaxosClusterSpec> = {}, metadata: Partial<PaxosCluster["metadata"]> = {}): PaxosCluster {
  return {
    apiVersion: "synod.dev/v1alpha1",
    kind: "PaxosCluster",
    metadata: { name: "demo", namespace: "prod", uid: "cluster-uid", generation: 1, ...metadata },
    spec: { replicas: 3, image: "synod:1", storage: { size: "1Gi" }, ...spec },
  };
}

/** An object as it comes back once it was applied, with what the API server and other controllers add. */
export function applied(object: KubernetesObject, uid: string): KubernetesObject {
  const copy = structuredClone(object) as KubernetesObject & { spec?: Record<string, unknown> };
  copy.metadata = { ...copy.metadata, uid, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" as never };
  if (object.kind === "Service" && copy.spec !== undefined) {
    const { clusterIP = "10.0.0.7" } = copy.spec as { clusterIP?: string };
    copy.spec = { ...copy.spec, clusterIP, clusterIPs: [clusterIP], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", sessionAffinity: "None", internalTrafficPolicy: "Cluster" };
  }
  if (object.kind === "StatefulSet") defaultStatefulSet(copy.spec as never);
  return copy;
}

interface Template {
  readonly template: { spec: Record<string, unknown> & { containers: Record<string, unknown>[] } };
  readonly volumeClaimTemplates: { spec: Record<string, unknown>; status?: object }[];
}

function defaultStatefulSet({ template, volumeClaimTemplates }: Template): void {
  Object.assign(template.spec, { dnsPolicy: "ClusterFirst", restartPolicy: "Always", schedulerName: "default-scheduler", serviceAccount: template.spec["serviceAccountName"] });
  for (const container of template.spec.containers) {
    Object.assign(container, { terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File", resources: container["resources"] ?? {} });
  }
  for (const claim of volumeClaimTemplates) {
    Object.assign(claim.spec, { volumeMode: "Filesystem" });
    claim.status = { phase: "Pending" };
  }
}
