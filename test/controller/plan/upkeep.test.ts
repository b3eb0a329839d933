import type { KubernetesObject } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { desiredObjects, objectKey } from "../../../src/controller/manifests/desired-objects.ts";
import type { Observed, ObservedPod } from "../../../src/controller/plan/observed.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import type { PaxosClusterSpec } from "../../../src/controller/resource/paxos-cluster.ts";
import { blank, claim, condition, configuration, liveObjects, member, NOW_MS, observe, planned, pod, seat } from "./observation.ts";
import { resource } from "./resource.ts";

/** A cluster whose objects are those of its former specification. */
function changed(spec: Partial<PaxosClusterSpec>, former: Partial<PaxosClusterSpec> = {}): Observed {
  return observe({ spec }, { objects: liveObjects(resource(former), 3) });
}

/** One of the live objects, changed. */
function edited(key: string, change: (object: KubernetesObject) => KubernetesObject): Observed {
  const healthy = observe({});
  const object = healthy.objects.get(key);
  if (object === undefined) throw new Error(`There is no ${key}.`);
  return { ...healthy, objects: new Map([...healthy.objects, [key, change(object)]]) };
}

const owned = (uid: string, kind = "PaxosCluster", name = "demo") => (object: KubernetesObject): KubernetesObject =>
  ({ ...object, metadata: { ...object.metadata, ownerReferences: [{ apiVersion: "synod.dev/v1alpha1", kind, name, uid, controller: true }] } });

describe("a healthy cluster", () => {
  it.each([1, 2, 3, 4, 5, 9])("of %i has nothing to be done, and the same status for ever", (replicas) => {
    const observed = observe({ spec: { replicas } });
    const { status, actions, notices } = plan(observed);
    expect({ actions, notices }).toEqual({ actions: [], notices: [] });
    expect(status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual(["Ready True", "Quorate True", "Progressing False", "Degraded False"]);
    const again = { ...observed, nowMs: observed.nowMs + 3_600_000, cluster: { ...observed.cluster, status: status ?? {} } };
    expect(plan(again)).toMatchObject({ actions: [], notices: [], status: null });
  });

  it("has quantities that the API server wrote in its own form", () => {
    const live = changed({ storage: { size: "1024Mi" }, resources: { requests: { cpu: "1000m", memory: "0.5Gi" } } }, { resources: { requests: { cpu: "1", memory: "512Mi" } } });
    const written = new Map(desiredObjects(live.cluster, 3).map((object) => [objectKey(object), object.metadata?.annotations]));
    const objects = new Map([...live.objects].map(([key, object]) => [key, { ...object, metadata: { ...object.metadata, annotations: written.get(key) } } as KubernetesObject]));
    expect(planned({ ...live, objects })).toEqual([]);
  });

  it("says who leads, at which ballot, and who is a member", () => {
    expect(plan(observe({})).status).toMatchObject({
      leader: "demo-0", ballot: "7.demo-0", ready: "3/3", readyReplicas: 3, replicas: 3, observedGeneration: 1,
      members: [{ name: "demo-0", incarnation: "i0", role: "voter", caughtUp: true }, { name: "demo-1" }, { name: "demo-2" }],
    });
  });
});

describe("objects", () => {
  it("are all made, the StatefulSet last, and the key with them", () => {
    const bare = observe({}, { objects: new Map(), statefulSet: null, pods: [], claims: [], members: [], configuration: null, bootstrap: null, secret: null });
    expect(planned(bare)).toEqual([
      "apply ServiceAccount/demo-member", "apply Service/demo-members", "apply Service/demo", "apply Service/demo-leader", "apply NetworkPolicy/demo",
      "apply PodDisruptionBudget/demo", "apply StatefulSet/demo", "createKey",
    ]);
  });

  it.each(["ServiceAccount/demo-member", "Service/demo-members", "Service/demo", "Service/demo-leader", "NetworkPolicy/demo", "PodDisruptionBudget/demo"])("are made again: %s", (key) => {
    const healthy = observe({});
    expect(planned({ ...healthy, objects: new Map([...healthy.objects].filter(([other]) => other !== key)) })).toEqual([`apply ${key}`]);
  });

  it("are made again: the StatefulSet, with a pod for every seat", () => {
    const healthy = observe({ spec: { replicas: 3 } }, { configuration: configuration([seat(0), seat(1), seat(2), seat(3)]), statefulSet: null });
    const objects = new Map([...healthy.objects].filter(([key]) => !key.startsWith("StatefulSet")));
    expect(plan({ ...healthy, objects }).actions.at(-1)).toMatchObject({ type: "apply", object: { kind: "StatefulSet", spec: { replicas: 4 } } });
  });

  it("are applied where they differ from what is wanted, and only those", () => {
    expect(planned(changed({ image: "synod:2" }))).toEqual(["apply StatefulSet/demo"]);
    expect(planned(changed({ restartedAt: "now" }))).toEqual(["apply StatefulSet/demo"]);
    expect(planned(edited("Service/demo", (object) => ({ ...object, spec: { selector: {} } })))).toEqual(["apply Service/demo"]);
  });

  it("are not rolled out in the pass that applies them: the new revision is not known yet", () => {
    const observed = changed({ image: "synod:2" });
    expect(planned({ ...observed, pods: observed.pods.map((each) => ({ ...each, revision: "r0" })) })).toEqual(["apply StatefulSet/demo"]);
  });

  it("that are not wanted any more are deleted, if they are ours", () => {
    expect(planned(changed({ networkPolicy: { enabled: false } }))).toEqual(["deleteObject NetworkPolicy/demo"]);
    const small = observe({ spec: { replicas: 1 } });
    const budget = observe({}).objects.get("PodDisruptionBudget/demo") as KubernetesObject;
    expect(planned({ ...small, objects: new Map([...small.objects, ["PodDisruptionBudget/demo", budget]]) })).toEqual(["deleteObject PodDisruptionBudget/demo"]);
    expect(planned({ ...small, objects: new Map([...small.objects, ["PodDisruptionBudget/demo", owned("other")(budget)]]) })).toEqual([]);
  });

  it("of a former PaxosCluster of this name are waited for", () => {
    expect(planned(edited("Service/demo", owned("former-uid")))).toEqual([]);
    expect(planned(edited("StatefulSet/demo", owned("former-uid")))).toEqual([]);
    expect(plan(edited("StatefulSet/demo", owned("former-uid"))).againMs).toBeLessThanOrEqual(1_000);
  });

  it("of somebody else are left alone, and it is said", () => {
    const taken = edited("Service/demo", owned("x", "Gateway", "front"));
    expect(planned(taken)).toEqual([]);
    expect(plan(taken).notices).toMatchObject([{ type: "Warning", reason: "NameTaken" }]);
  });

  it("that nobody owns are adopted, as after a deletion that left them", () => {
    expect(planned(edited("Service/demo", (object) => ({ ...object, metadata: { ...object.metadata, ownerReferences: [] } })))).toEqual(["apply Service/demo"]);
  });

  it.each(["Service/demo", "StatefulSet/demo", "ConfigMap/demo-leader"])("that nobody owns and that do not say that they are this cluster's are left alone, and it is said: %s", (key) => {
    const [kind, name] = key.split("/") as [string, string];
    const healthy = observe({});
    const foreign = { apiVersion: "v1", kind, metadata: { name, namespace: "space", uid: "by-hand", labels: { "app.kubernetes.io/name": "shop" } }, spec: { selector: { app: "shop" } } };
    const taken = { ...healthy, objects: new Map<string, KubernetesObject>([...healthy.objects, [key, foreign]]) };
    expect(planned(taken)).toEqual([]);
    expect(plan(taken).notices).toMatchObject([{ type: "Warning", reason: "NameTaken", message: expect.stringContaining(key) }]);
  });

  it("go on with the volumes as they are while those do not grow, as their class may not allow it", () => {
    const larger = changed({ storage: { size: "2Gi" }, image: "synod:2" });
    const { actions } = plan(larger);
    expect(actions).toMatchObject([
      { type: "apply", object: { kind: "StatefulSet", spec: { template: { spec: { containers: [{ image: "synod:2" }] } }, volumeClaimTemplates: [{ spec: { resources: { requests: { storage: "1Gi" } } } }] } } },
      { type: "resizeClaim" }, { type: "resizeClaim" }, { type: "resizeClaim" },
    ]);
    const applied = (actions[0] as { readonly object: KubernetesObject }).object;
    const after = { ...larger, objects: new Map([...larger.objects, ["StatefulSet/demo", applied]]), refusal: "only dynamically provisioned pvc can be resized" };
    expect(planned(after).filter((step) => step.includes("StatefulSet"))).toEqual([]);
    expect(plan(after).notices).toMatchObject([{ reason: "Refused", message: expect.stringContaining("allowVolumeExpansion: true") }]);
    expect(planned({ ...after, cluster: { ...after.cluster, spec: { ...after.cluster.spec, replicas: 5 } } })).toContain("apply StatefulSet/demo");
  });

  it("that cannot be changed are made anew: a StatefulSet whose volumes are to be larger, with the claims there are", () => {
    const larger = changed({ storage: { size: "2Gi" } });
    expect(planned(larger)).toEqual(["apply StatefulSet/demo", "resizeClaim data-demo-0 2Gi", "resizeClaim data-demo-1 2Gi", "resizeClaim data-demo-2 2Gi"]);
    expect(planned({ ...larger, claims: [0, 1, 2].map((ordinal) => claim(ordinal, { size: "2Gi" })) })).toEqual(["recreateStatefulSet"]);
    const after = observe({ spec: { storage: { size: "2Gi" } } });
    expect(planned(after)).toEqual(["resizeClaim data-demo-0 2Gi", "resizeClaim data-demo-1 2Gi", "resizeClaim data-demo-2 2Gi"]);
    expect(planned({ ...after, claims: [claim(0, { size: "2048Mi" }), claim(1, { size: "3Gi" }), claim(2, { size: "2Gi" })] })).toEqual([]);
  });

  it.each<[string, Partial<PaxosClusterSpec>]>([
    ["a node selector", { nodeSelector: { disk: "fast" } }],
    ["a toleration", { tolerations: [{ key: "a", operator: "Exists" }] }],
    ["a label of the pods", { podLabels: { team: "x" } }],
    ["a limit", { resources: { limits: { memory: "512Mi" } } }],
  ])("lose %s that is wished for no more", (_, former) => {
    expect(planned(changed({}, former))).toContain("apply StatefulSet/demo");
  });

  it("that Kubernetes refuses are a trouble that the condition Degraded tells", () => {
    expect(condition({ ...observe({}), refusal: "limits are below requests" }, "Degraded")).toBe("True Refused");
  });

  it("include pods: of a missing one the StatefulSet is reminded now and then, as Kubernetes may not look again for minutes", () => {
    const at = (secondsAgo: number) => new Date(NOW_MS - 1_000 * secondsAgo).toISOString();
    const missing = (unreadySeconds: number, madeSeconds: number, annotations: Record<string, string> = {}): Observed => {
      const conditions = [{ type: "Ready" as const, status: "False" as const, reason: "MembersNotReady", message: "", observedGeneration: 1, lastTransitionTime: at(unreadySeconds) }];
      const observed = edited("StatefulSet/demo", (object) => ({
        ...object, metadata: { ...object.metadata, creationTimestamp: at(madeSeconds) as never, annotations: { ...object.metadata?.annotations, ...annotations } },
      }));
      return { ...observed, pods: [pod(0), pod(1)], members: [member(0), member(1)], cluster: { ...observed.cluster, status: { ...observed.cluster.status, conditions } } };
    };
    const nudges = (observed: Observed): readonly string[] => planned(observed).filter((step) => step === "nudgeStatefulSet");
    expect(nudges(missing(4, 60))).toEqual([]);
    expect(nudges(missing(60, 9))).toEqual([]);
    expect(nudges(missing(6, 11))).toEqual(["nudgeStatefulSet"]);
    expect(nudges(missing(60, 60, { "synod.dev/nudged": at(9) }))).toEqual([]);
    expect(nudges(missing(60, 60, { "synod.dev/nudged": at(11) }))).toEqual(["nudgeStatefulSet"]);
    expect(nudges({ ...missing(60, 60), pods: [pod(0), pod(1), pod(2)] })).toEqual([]);
  });

  it("include pods: when some are not even made for a while, it says where to look", () => {
    const ready = (secondsAgo: number) => [{ type: "Ready" as const, status: "False" as const, reason: "MembersNotReady", message: "", observedGeneration: 1, lastTransitionTime: new Date(NOW_MS - 1_000 * secondsAgo).toISOString() }];
    const without2 = { pods: [pod(0), pod(1)], members: [member(0), member(1)], configuration: configuration([seat(0), seat(1), seat(2, { live: false })]) };
    expect(condition(observe({ status: { conditions: ready(10) } }, without2), "Degraded")).toBe("False AsExpected");
    expect(condition(observe({ status: { conditions: ready(40) } }, without2), "Degraded")).toBe("True PodsNotMade");
  });

  it("are left alone when the PaxosCluster is being deleted, or paused", () => {
    const observed = changed({ image: "synod:2" });
    const deleted = { ...observed.cluster, metadata: { ...observed.cluster.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" as never } };
    expect(plan({ ...observed, cluster: deleted })).toEqual({ actions: [], notices: [], status: null, againMs: null });
    expect(planned(changed({ image: "synod:2", pause: true }))).toEqual([]);
    expect(plan(changed({ pause: true })).status?.conditions?.find(({ type }) => type === "Progressing")).toMatchObject({ status: "False", reason: "Paused" });
  });
});

describe("the key", () => {
  const secret = { uid: "s", current: "k1", previous: null, madeMs: 0, rotatedAt: null };
  const rotating = { ...secret, current: "k2", previous: "k1" };
  const sending = (...keys: readonly (readonly string[])[]) => keys.map((known, ordinal) => member(ordinal, { keys: known }));

  it("is made again when its Secret is lost, before any member is called and with no pod restarted", () => {
    expect(planned(observe({}, { secret: null, members: [member(0), member(1), blank(2)], configuration: configuration([seat(0), seat(1), seat(2, { live: false })]) }))).toEqual(["createKey"]);
  });

  it("is rotated once for each wish", () => {
    const spec = { security: { keyRotatedAt: "monday" } };
    expect(planned(observe({ spec }, { secret }))).toEqual(["rotateKey monday"]);
    expect(planned(observe({ spec }, { secret: { ...secret, rotatedAt: "monday" } }))).toEqual([]);
    expect(planned(observe({ spec }, { secret: rotating, members: sending(["k1"], ["k1"], ["k1"]) })).filter((action) => !action.startsWith("announceKey"))).toEqual([]);
    expect(plan(observe({ spec }, { secret: { ...secret, rotatedAt: "monday" } })).status?.keyRotatedAt).toBe("monday");
  });

  it.each<[string, Partial<Observed>, string[]]>([
    ["ends when every member sends the new one", { members: sending(["k2", "k1"], ["k2"], ["k2", "k1"]) }, ["dropPreviousKey"]],
    ["stays while a member sends it", { members: sending(["k2"], ["k1"], ["k2"]) }, []],
    ["stays while a member accepts the new one and sends the old one", { members: sending(["k2"], ["k1", "k2"], ["k2"]) }, []],
    ["stays while a member does not answer", { members: sending(["k2"], ["k2"]) }, []],
    ["stays while a pod is not there", { members: sending(["k2"], ["k2"]), pods: [pod(0), pod(1)] }, []],
    ["stays while a pod ends", { members: sending(["k2"], ["k2"], ["k2"]), pods: [pod(0), pod(1), pod(2, { terminating: true })] }, []],
    ["stays while a member has a seat and no pod", { members: sending(["k2"], ["k2"], ["k2"]), configuration: configuration([seat(0), seat(1), seat(2), seat(3)]) }, []],
  ])("that is the previous one %s", (_, changes, expected) => {
    expect(planned(observe({}, { secret: rotating, ...changes })).filter((action) => action === "dropPreviousKey")).toEqual(expected);
  });

  it.each<[string, Partial<ObservedPod>, string[]]>([
    ["at once", {}, ["announceKey demo-1 k2"]],
    ["not again while it is under way", { announced: { key: "k2", atMs: NOW_MS - 14_999 } }, []],
    ["again when it did not come", { announced: { key: "k2", atMs: NOW_MS - 15_000 } }, ["announceKey demo-1 k2"]],
    ["for this key, whatever came before", { announced: { key: "k1", atMs: NOW_MS } }, ["announceKey demo-1 k2"]],
  ])("is asked for at the kubelets of the members that lack it: %s", (_, changes, expected) => {
    const pods = [pod(0), pod(1, changes), pod(2)];
    for (const previous of ["k1", null]) {
      const observed = observe({}, { secret: { ...rotating, previous }, pods, members: sending(["k2", "k1"], ["k1"], ["k2"]) });
      expect(planned(observed)).toEqual(expected);
      expect(condition(observed, "Progressing")).toBe("True NewKey");
    }
  });

  it("that was lost with nobody who knew it is said to hold up changes, and no serving, until the members have the new one", () => {
    const { status } = plan(observe({}, { secret: { ...rotating, previous: null }, members: sending(["k2"], ["k1"], ["k1"]) }));
    const progressing = status?.conditions?.find(({ type }) => type === "Progressing");
    expect(progressing?.message).toMatch(/demo-key to demo-1, demo-2\. It stands alone.*refuse to be changed, and the cluster serves/);
    expect(status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
  });
});

describe("the leader's label", () => {
  it("is where the leader is, and nowhere else", () => {
    const pods = [pod(0, { leaderLabel: false }), pod(1, { leaderLabel: true }), pod(2)];
    expect(planned(observe({}, { pods }))).toEqual(["labelLeader demo-0 true", "labelLeader demo-1 false"]);
    expect(planned(observe({ spec: { pause: true } }, { pods }))).toEqual(["labelLeader demo-0 true", "labelLeader demo-1 false"]);
  });

  it("stays where it was while nobody is known to lead", () => {
    const pods = [pod(0, { leaderLabel: false }), pod(1, { leaderLabel: true }), pod(2)];
    expect(planned(observe({}, { pods, configuration: null }))).toEqual([]);
    expect(planned(observe({}, { pods, configuration: configuration([seat(0), seat(1), seat(2)], { fromLeader: false }) }))).toEqual([]);
  });
});

describe("volumes", () => {
  it("go with their cluster only where that is the policy", () => {
    const storage = { size: "1Gi", whenDeleted: "Delete" } as const;
    expect(planned(observe({ spec: { storage } }))).toEqual(["ownClaim data-demo-0 true", "ownClaim data-demo-1 true", "ownClaim data-demo-2 true"]);
    expect(planned(observe({}, { claims: [claim(0, { owned: true }), claim(1), claim(2)] }))).toEqual(["ownClaim data-demo-0 false"]);
  });
});
