import type { V1PodDisruptionBudget, V1Service, V1StatefulSet } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { desiredObjects, objectKey } from "../../../src/controller/manifests/desired-objects.ts";
import { memberLabels, selectorText } from "../../../src/controller/manifests/labels.ts";
import { podDisruptionBudget } from "../../../src/controller/manifests/pod-disruption-budget.ts";
import { statefulSet } from "../../../src/controller/manifests/stateful-set.ts";
import type { PaxosClusterSpec } from "../../../src/controller/resource/paxos-cluster.ts";
import { resource } from "../plan/resource.ts";

const STABLE = { "app.kubernetes.io/name": "synod", "app.kubernetes.io/instance": "demo", "app.kubernetes.io/component": "member" };
const podOf = (spec: Partial<PaxosClusterSpec> = {}) => {
  const set = statefulSet(resource(spec), 3);
  const [container] = set.spec?.template.spec?.containers ?? [];
  if (set.spec?.template.spec === undefined || container === undefined) throw new Error("A StatefulSet has a container.");
  return { set: set.spec, template: set.spec.template, pod: set.spec.template.spec, container };
};

describe("the StatefulSet", () => {
  it("starts all pods at once, replaces none by itself, and keeps every volume", () => {
    expect(podOf().set).toMatchObject({
      replicas: 3, podManagementPolicy: "Parallel", updateStrategy: { type: "OnDelete" },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    });
  });

  it("keeps within the restricted Pod Security Standard", () => {
    const { pod, container } = podOf();
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532, fsGroup: 65_532, fsGroupChangePolicy: "OnRootMismatch", seccompProfile: { type: "RuntimeDefault" } });
    expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: { drop: ["ALL"] } });
    expect(pod.volumes?.every((volume) => volume.secret !== undefined)).toBe(true);
    expect([pod.hostNetwork, pod.hostPID, pod.hostIPC, container.securityContext?.privileged, container.ports?.[0]?.hostPort]).toEqual(Array(5).fill(undefined));
  });

  it("gives its pods nothing of the API server and no environment of other Services", () => {
    expect(podOf().pod).toMatchObject({ serviceAccountName: "demo-member", automountServiceAccountToken: false, enableServiceLinks: false, terminationGracePeriodSeconds: 30 });
  });

  it("carries labels that never change where they cannot be changed", () => {
    for (const spec of [{}, { image: "synod:9", podLabels: { team: "a", "app.kubernetes.io/name": "other" } }]) {
      const { set, template } = podOf(spec);
      expect(set.selector.matchLabels).toEqual(STABLE);
      expect(set.volumeClaimTemplates?.[0]?.metadata?.labels).toEqual(STABLE);
      expect(template.metadata?.labels).toMatchObject(STABLE);
    }
    expect(podOf({ podLabels: { team: "a" } }).template.metadata?.labels).toMatchObject({ team: "a" });
  });

  it("runs a member as its command line wants it", () => {
    const { container } = podOf({ timings: { heartbeatMs: 50, electionTimeoutMs: 400 }, logLevel: "debug" });
    expect(container.args?.join(" ")).toBe(
      "node --name $(POD_NAME) --data /var/lib/synod/data --listen 0.0.0.0:7400 --key-folder /etc/synod/key --wait-for-folder 120 --heartbeat-ms 50 --election-timeout-ms 400 --log-level debug",
    );
    expect(podOf().container.args?.join(" ")).not.toMatch(/heartbeat|log-level/);
  });

  it("asks whether the event loop turns before it restarts a member, and whether it can serve before it sends clients", () => {
    const { container } = podOf();
    expect([container.startupProbe, container.livenessProbe, container.readinessProbe].map((probe) => probe?.httpGet?.path)).toEqual(["/healthz", "/healthz", "/readyz"]);
  });

  it("takes what the resource says about where and how pods run, and a restart changes its template", () => {
    const spec = {
      tolerations: [{ key: "k", operator: "Exists" }], nodeSelector: { disk: "ssd" }, priorityClassName: "high", imagePullSecrets: [{ name: "pull" }],
      affinity: { nodeAffinity: {} }, resources: { requests: { cpu: "1" } }, imagePullPolicy: "Never" as const, podAnnotations: { a: "b" },
    };
    const { pod, container, template } = podOf(spec);
    const { resources, imagePullPolicy, podAnnotations, ...placed } = spec;
    expect(pod).toMatchObject(placed);
    expect(container).toMatchObject({ resources, imagePullPolicy });
    expect(template.metadata?.annotations).toMatchObject({ ...podAnnotations, "prometheus.io/scrape": "true" });
    expect(podOf({ restartedAt: "now" }).template).not.toEqual(podOf().template);
    expect(podOf().pod.topologySpreadConstraints).toMatchObject([{ topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" }]);
  });

  it("claims what the resource says", () => {
    const storage = { size: "5Gi", storageClassName: "fast" };
    expect(podOf({ storage }).set.volumeClaimTemplates?.[0]?.spec).toEqual({ accessModes: ["ReadWriteOnce"], storageClassName: "fast", resources: { requests: { storage: "5Gi" } } });
  });
});

describe("every object", () => {
  const objects = desiredObjects(resource(), 3);

  it("goes with its PaxosCluster", () => {
    for (const { metadata } of objects) {
      expect(metadata?.ownerReferences).toEqual([{ apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", name: "demo", uid: "cluster-uid", controller: true, blockOwnerDeletion: true }]);
      expect(metadata).toMatchObject({ namespace: "prod", labels: STABLE });
    }
  });

  it("says nothing of a version, so that an upgrade of the controller changes none", () => {
    expect(JSON.stringify(objects.map(({ metadata }) => metadata))).not.toMatch(/version"|chart/);
  });

  it("has a name of its own kind", () => {
    expect(new Set(objects.map(objectKey)).size).toBe(objects.length);
  });
});

describe("the Services", () => {
  const service = (name: string): V1Service["spec"] => (desiredObjects(resource(), 3).find((object) => objectKey(object) === `Service/${name}`) as V1Service).spec;

  it("find every member by DNS, ready or not, with SRV records", () => {
    expect(service("demo-members")).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true, selector: STABLE, ports: [{ name: "synod", port: 7_400 }] });
  });

  it("lead clients to ready members, and to the leader", () => {
    expect(service("demo")).toMatchObject({ type: "ClusterIP", selector: STABLE });
    expect(service("demo")?.publishNotReadyAddresses).toBeUndefined();
    expect(service("demo-leader")?.selector).toEqual({ ...STABLE, "synod.dev/role": "leader" });
  });
});

describe("the disruption budget", () => {
  it.each([[1, null], [2, null], [3, 1], [4, 1], [5, 2], [6, 2], [7, 3], [8, 3], [9, 4]])("of %i members lets %s go", (members, spare) => {
    const budget: V1PodDisruptionBudget | null = podDisruptionBudget(resource(), members);
    expect(budget?.spec?.maxUnavailable ?? null).toBe(spare);
    if (budget !== null) expect(budget.spec).toMatchObject({ selector: { matchLabels: memberLabels("demo") }, unhealthyPodEvictionPolicy: "AlwaysAllow" });
  });

  it("is that of all pods while members are still to leave", () => {
    const kinds = (replicas: number) => desiredObjects(resource({ replicas: 1 }), replicas).map(({ kind }) => kind);
    expect(kinds(3)).toContain("PodDisruptionBudget");
    expect(kinds(1)).not.toContain("PodDisruptionBudget");
  });
});

describe("the selector", () => {
  it("is said as kubectl takes it", () => {
    expect(selectorText("demo")).toBe("app.kubernetes.io/name=synod,app.kubernetes.io/instance=demo,app.kubernetes.io/component=member");
  });

  it("is that of the StatefulSet", () => {
    const set: V1StatefulSet = statefulSet(resource(), 3);
    expect(Object.entries(set.spec?.selector.matchLabels ?? {}).map((pair) => pair.join("=")).join(",")).toBe(selectorText("demo"));
  });
});
