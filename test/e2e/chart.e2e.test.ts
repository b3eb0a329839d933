import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, clusterOf, HAS_HELM, type Manifest, only, render } from "../chart/helm.ts";
import { HAS_CLUSTER, kubectl } from "../chart/kubectl.ts";

const SUFFIX = randomBytes(4).toString("hex");
const NAMESPACE = `synod-chart-${SUFFIX}`;
/** The kind under a group of this test's own, without its short name: the real one may be in use, and is the same for the whole cluster. */
const GROUP = `chart-${SUFFIX}.synod.dev`;
const PLURAL = `paxosclusters.${GROUP}`;

/** Three calls of kubectl, each of which may take its time-out on a machine that is busy. */
const HOOK_MS = 100_000;

function copyOfKind(): object {
  const crd = only(render(), "CustomResourceDefinition");
  return { ...crd, metadata: { name: PLURAL }, spec: { ...crd["spec"], group: GROUP, names: { ...crd["spec"].names, shortNames: [] } } };
}

function cluster(name: string, spec: object): object {
  return { apiVersion: `${GROUP}/v1alpha1`, kind: "PaxosCluster", metadata: { name, namespace: NAMESPACE }, spec: { image: "synod:dev", ...spec } };
}

function must({ ok, output, errors }: Answer): string {
  if (!ok) throw new Error(errors);
  return output;
}

/** By force: the kind, being the same for the whole cluster, may have been made by somebody else. */
const applyDry = (object: object): Answer =>
  kubectl(["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"], object);

describe.skipIf(!HAS_HELM || !HAS_CLUSTER)("the API server (needs helm and a reachable cluster)", () => {
  beforeAll(() => {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted" };
    must(kubectl(["create", "-f", "-"], { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } }));
    must(kubectl(["create", "-f", "-"], copyOfKind()));
    must(kubectl(["wait", "--for=condition=Established", `crd/${PLURAL}`, "--timeout=30s"]));
  }, HOOK_MS);

  afterAll(() => {
    kubectl(["delete", "crd", PLURAL]);
    kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  }, HOOK_MS);

  describe("takes everything that the chart renders, without a warning", () => {
    it.each([
      ["the defaults", {}],
      ["all namespaces", { controller: { clusterWide: true } }],
      ["an operator alone", { cluster: { enabled: false } }],
      ["deleted with the release", { cluster: { deleteOnUninstall: true } }],
      ["another name for everything", { fullnameOverride: "x".repeat(40), imagePullSecrets: [{ name: "registry" }] }],
    ])("%s", (_mode, values) => {
      const objects = render({ values, namespace: NAMESPACE });
      for (const object of objects) {
        const { ok, errors } = applyDry(object);
        expect([object.kind, object.metadata.name, ok, errors]).toEqual([object.kind, object.metadata.name, true, ""]);
      }
    });

    it("the PaxosCluster of the chart with every value", () => {
      const { spec } = clusterOf(render({ values: { cluster: EVERYTHING } }));
      expect(applyDry(cluster("demo", spec as object))).toMatchObject({ ok: true, errors: "" });
    });
  });

  describe("fills in defaults", () => {
    it("of a cluster that names its image only", () => {
      const made = JSON.parse(must(kubectl(["create", "--dry-run=server", "-o", "json", "-f", "-"], cluster("demo", {})))) as Manifest;
      expect(made["spec"]).toEqual({
        replicas: 3, image: "synod:dev", imagePullPolicy: "IfNotPresent", pause: false, clusterDomain: "cluster.local", logLevel: "info",
        storage: { size: "1Gi", whenScaled: "Retain", whenDeleted: "Retain" }, networkPolicy: { enabled: true },
      });
    });
  });

  describe("refuses clusters that cannot work, and says why", () => {
    it.each<[string, string, object, RegExp]>([
      ["no members", "demo", { replicas: 0 }, /spec\.replicas.*greater than or equal to 1/],
      ["ten members", "demo", { replicas: 10 }, /spec\.replicas.*less than or equal to 9/],
      ["a long name", "a".repeat(53), {}, /at most 52/],
      ["a name that begins with a digit", "9lives", {}, /begins with a letter/],
      ["a name with a dot", "a.b", {}, /lower-case letters, digits and dashes/],
      ["the name of another cluster's Service", "demo-leader", {}, /another cluster's Service/],
      ["an image without a name", "demo", { image: "" }, /spec\.image/],
      ["an image with a space", "demo", { image: "a b" }, /spec\.image/],
      ["an image that ends with a line break", "demo", { image: "a\n" }, /spec\.image/],
      ["a misspelt field", "demo", { replica: 3 }, /unknown field "spec.replica"/],
      ["a misspelt field of a pod", "demo", { tolerations: [{ kee: "a" }] }, /unknown field "spec.tolerations\[0\].kee"/],
      ["a size that is none", "demo", { storage: { size: "much" } }, /the size is a quantity/],
      ["a size that is too small for a log", "demo", { storage: { size: "32Mi" } }, /at least 64Mi/],
      ["an unknown policy for volumes", "demo", { storage: { whenScaled: "Keep" } }, /spec\.storage\.whenScaled/],
      ["a timeout of two heartbeats", "demo", { timings: { heartbeatMs: 100, electionTimeoutMs: 299 } }, /at least three times heartbeatMs/],
      ["a heartbeat that is slow for the default timeout", "demo", { timings: { heartbeatMs: 134 } }, /at least three times heartbeatMs/],
      ["a timeout that is short for the default heartbeat", "demo", { timings: { electionTimeoutMs: 239 } }, /at least three times heartbeatMs/],
      ["labels that selectors use", "demo", { podLabels: { "app.kubernetes.io/name": "x" } }, /these labels cannot be set/],
      ["labels that the controller uses", "demo", { podLabels: { "synod.dev/role": "leader" } }, /these labels cannot be set/],
      ["a label whose key is none", "demo", { podLabels: { "a b": "c" } }, /the key of a label/],
      ["a label whose prefix is none", "demo", { podLabels: { "A.b/c": "c" } }, /the key of a label/],
      ["a label whose key is long", "demo", { podLabels: { ["a".repeat(64)]: "c" } }, /the key of a label/],
      ["a label whose value is none", "demo", { podLabels: { team: "a b" } }, /spec\.podLabels\.team/],
      ["a domain that is none", "demo", { clusterDomain: "Cluster Local" }, /spec\.clusterDomain/],
      ["an unknown log level", "demo", { logLevel: "loud" }, /spec\.logLevel/],
      ["two pull secrets of one name", "demo", { imagePullSecrets: [{ name: "a" }, { name: "a" }] }, /Duplicate value/],
    ])("%s", (_what, name, spec, message) => {
      const { ok, errors } = kubectl(["create", "--dry-run=server", "--validate=strict", "-f", "-"], cluster(name, spec));
      expect(errors).toMatch(message);
      expect(ok).toBe(false);
    });

    it.each<[string, string, object]>([
      ["the longest name", "a".repeat(52), {}],
      ["one member, and nine", "demo", { replicas: 9 }],
      ["the smallest size, in other words", "demo", { storage: { size: "0.0625Gi" } }],
      ["the shortest timeout for a heartbeat", "demo", { timings: { heartbeatMs: 100, electionTimeoutMs: 300 } }],
      ["other labels", "demo", { podLabels: { team: "a", "example.org/Cost_Center.1": "", [`${"a".repeat(253)}/${"b".repeat(63)}`]: "x".repeat(63) } }],
      ["an image by its digest", "demo", { image: `registry.example:5000/a/synod@sha256:${"0".repeat(64)}` }],
    ])("but takes %s", (_what, name, spec) => {
      expect(kubectl(["create", "--dry-run=server", "--validate=strict", "-f", "-"], cluster(name, spec))).toMatchObject({ ok: true });
    });
  });

  describe("refuses changes that cannot be carried out", () => {
    beforeAll(() => {
      must(kubectl(["create", "-f", "-"], cluster("classless", { storage: { size: "1Gi" } })));
      must(kubectl(["create", "-f", "-"], cluster("classy", { storage: { size: "1Gi", storageClassName: "fast" } })));
    });

    const patch = (name: string, spec: object): Answer =>
      kubectl(["-n", NAMESPACE, "patch", `${PLURAL}/${name}`, "--dry-run=server", "--type=merge", "-p", JSON.stringify({ spec })]);

    it.each<[string, string, object, RegExp]>([
      ["a smaller size", "classless", { storage: { size: "1023Mi" } }, /volumes cannot shrink/],
      ["a class where there was none", "classless", { storage: { storageClassName: "fast" } }, /storageClassName cannot be changed/],
      ["no class where there was one", "classy", { storage: { storageClassName: null } }, /storageClassName cannot be changed/],
      ["another class", "classy", { storage: { storageClassName: "slow" } }, /storageClassName cannot be changed/],
      ["another domain", "classy", { clusterDomain: "k8s.example" }, /it cannot be changed/],
    ])("%s", (_what, name, spec, message) => {
      const { ok, errors } = patch(name, spec);
      expect(errors).toMatch(message);
      expect(ok).toBe(false);
    });

    it.each<[string, object]>([
      ["a larger size", { storage: { size: "1025Mi" } }], ["the same size in other words", { storage: { size: "1024Mi" } }],
      ["another number of members", { replicas: 9 }], ["another policy", { storage: { whenDeleted: "Delete" } }],
    ])("but takes %s", (_what, spec) => {
      expect(patch("classless", spec)).toMatchObject({ ok: true });
    });
  });

  describe("serves kubectl", () => {
    const name = `${PLURAL}/shown`;
    beforeAll(() => must(kubectl(["create", "-f", "-"], cluster("shown", {}))));

    it("scale changes the spec, and its status tells pods and selector", () => {
      const status = { replicas: 3, selector: "a=b", ready: "2/3", leader: "shown-1", ballot: "7.shown-1" };
      must(kubectl(["-n", NAMESPACE, "patch", name, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status })]));
      must(kubectl(["-n", NAMESPACE, "scale", name, "--replicas=5"]));
      const path = `/apis/${GROUP}/v1alpha1/namespaces/${NAMESPACE}/paxosclusters/shown/scale`;
      expect(JSON.parse(must(kubectl(["get", "--raw", path])))).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 3, selector: "a=b" } });
      expect(kubectl(["-n", NAMESPACE, "scale", name, "--replicas=10"])).toMatchObject({ ok: false });
    });

    it("get shows who is ready and who leads", () => {
      const [head = "", row = ""] = must(kubectl(["-n", NAMESPACE, "get", name])).split("\n");
      expect(head.split(/\s+/).slice(0, 5)).toEqual(["NAME", "READY", "LEADER", "BALLOT", "AGE"]);
      expect(row.split(/\s+/).slice(0, 4)).toEqual(["shown", "2/3", "shown-1", "7.shown-1"]);
    });

    it("wait sees conditions that speak of the present spec", () => {
      const { metadata } = JSON.parse(must(kubectl(["-n", NAMESPACE, "get", name, "-o", "json"]))) as { metadata: { generation: number } };
      const condition = { type: "Ready", status: "True", reason: "Serving", message: "m", observedGeneration: metadata.generation, lastTransitionTime: "2026-01-01T00:00:00Z" };
      must(kubectl(["-n", NAMESPACE, "patch", name, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status: { conditions: [condition] } })]));
      expect(kubectl(["-n", NAMESPACE, "wait", "--for=condition=Ready", name, "--timeout=1s"])).toMatchObject({ ok: true });
    });

    it("explain tells what a field means", () => {
      const explained = (path: string): string => must(kubectl(["explain", `paxosclusters.${path}`, `--api-version=${GROUP}/v1alpha1`])).replaceAll(/\s+/g, " ");
      expect(explained("spec")).toMatch(/restartedAt <string> Any text.*restarted one after the other/);
      expect(explained("spec.pause")).toMatch(/changes nothing of this cluster/);
      expect(explained("spec.affinity.podAntiAffinity")).toMatch(/preferredDuringScheduling/);
    });

    it("two members of one name, as while one is replaced, are not one", () => {
      const member = (incarnation: string, role: string): object => ({ name: "shown-1", incarnation, role, caughtUp: true });
      const status = { members: [member("a", "voter"), member("b", "learner")] };
      const object = { apiVersion: `${GROUP}/v1alpha1`, kind: "PaxosCluster", metadata: { name: "shown", namespace: NAMESPACE }, status };
      must(kubectl(["apply", "--server-side", "--subresource=status", "--field-manager=synod-controller", "-f", "-"], object));
      const read = JSON.parse(must(kubectl(["-n", NAMESPACE, "get", name, "-o", "json"]))) as Manifest;
      expect(read["status"].members.length).toBe(2);
    });
  });
});

const EVERYTHING = {
  replicas: 5, image: "synod:other", storage: { size: "2Gi", storageClassName: "fast", whenScaled: "Delete", whenDeleted: "Delete" }, pause: true,
  clusterDomain: "k8s.example", timings: { heartbeatMs: 50, electionTimeoutMs: 500 }, logLevel: "debug", restartedAt: "now",
  networkPolicy: {
    enabled: true, clients: [{ podSelector: { matchLabels: { app: "shop" } }, namespaceSelector: {} }], monitoring: [{ ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.1/32"] } }],
  },
  security: { keyRotatedAt: "now" }, podLabels: { team: "a" }, podAnnotations: { note: "b" }, priorityClassName: "high", nodeSelector: { disk: "ssd" },
  tolerations: [{ key: "a", operator: "Equal", value: "b", effect: "NoExecute", tolerationSeconds: 5 }],
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] }] } },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 1, podAffinityTerm: { topologyKey: "zone", labelSelector: { matchExpressions: [{ key: "a", operator: "Exists" }] } } },
      ],
    },
  },
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: { a: "b" } } }],
};
