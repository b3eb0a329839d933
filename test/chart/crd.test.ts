import { describe, expect, it } from "vitest";
import type {
  Condition, MemberStatusEntry, NetworkPolicySpec, PaxosClusterSpec, PaxosClusterStatus, SecuritySpec, StorageSpec,
} from "../../src/controller/resource/paxos-cluster.ts";
import { GROUP, KIND, PLURAL, VERSION } from "../../src/controller/resource/paxos-cluster.ts";
import { DEFAULT_TIMINGS } from "../../src/paxos/interface.ts";
import { HAS_HELM, only, render } from "./helm.ts";

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message?: string }[];
}

/** The compiler holds each of these to exactly the fields of its type, and the tests hold the schema to these. */
type Fields<T> = Readonly<Record<keyof Required<T>, true>>;

const SPEC: Fields<PaxosClusterSpec> = {
  replicas: true, image: true, imagePullPolicy: true, imagePullSecrets: true, storage: true, resources: true, pause: true, affinity: true,
  tolerations: true, nodeSelector: true, topologySpreadConstraints: true, priorityClassName: true, podLabels: true, podAnnotations: true,
  clusterDomain: true, timings: true, logLevel: true, restartedAt: true, networkPolicy: true, security: true,
};
const STORAGE: Fields<StorageSpec> = { size: true, storageClassName: true, whenScaled: true, whenDeleted: true };
const TIMINGS: Fields<NonNullable<PaxosClusterSpec["timings"]>> = { heartbeatMs: true, electionTimeoutMs: true };
const NETWORK_POLICY: Fields<NetworkPolicySpec> = { enabled: true, clients: true, monitoring: true };
const SECURITY: Fields<SecuritySpec> = { keyRotatedAt: true };
const STATUS: Fields<PaxosClusterStatus> = {
  observedGeneration: true, readyReplicas: true, replicas: true, selector: true, clusterId: true, leader: true, ballot: true, ready: true,
  members: true, conditions: true, keyRotatedAt: true,
};
const MEMBER: Fields<MemberStatusEntry> = { name: true, incarnation: true, role: true, caughtUp: true };
const CONDITION: Fields<Condition> = {
  type: true, status: true, reason: true, message: true, observedGeneration: true, lastTransitionTime: true,
};

describe.skipIf(!HAS_HELM)("the kind PaxosCluster (needs helm)", () => {
  const crd = HAS_HELM ? only(render(), "CustomResourceDefinition") : null;
  const version = crd?.["spec"]?.versions[0];
  const schema: Schema = version?.schema.openAPIV3Schema ?? {};
  const at = (...path: string[]): Schema => path.reduce((part: Schema, name) => part.properties?.[name] ?? {}, schema);

  it("is called what the controller calls it", () => {
    expect(crd?.metadata.name).toBe(`${PLURAL}.${GROUP}`);
    expect(crd?.["spec"]).toMatchObject({ group: GROUP, scope: "Namespaced", names: { kind: KIND, plural: PLURAL, shortNames: ["pxc"] } });
    expect(version).toMatchObject({ name: VERSION, served: true, storage: true });
  });

  it("has the fields of the controller's types, no more and no less", () => {
    const namesAt = (...path: string[]): string[] => Object.keys(at(...path).properties ?? {}).sort();
    expect(namesAt("spec")).toEqual(Object.keys(SPEC).sort());
    expect(namesAt("spec", "storage")).toEqual(Object.keys(STORAGE).sort());
    expect(namesAt("spec", "timings")).toEqual(Object.keys(TIMINGS).sort());
    expect(namesAt("spec", "networkPolicy")).toEqual(Object.keys(NETWORK_POLICY).sort());
    expect(namesAt("spec", "security")).toEqual(Object.keys(SECURITY).sort());
    expect(namesAt("status")).toEqual(Object.keys(STATUS).sort());
    expect(Object.keys(at("status", "members").items?.properties ?? {}).sort()).toEqual(Object.keys(MEMBER).sort());
    expect(Object.keys(at("status", "conditions").items?.properties ?? {}).sort()).toEqual(Object.keys(CONDITION).sort());
  });

  it("explains every field", () => {
    const silent: string[] = [];
    const look = (part: Schema, path: string): void => {
      for (const [name, inner] of Object.entries(part.properties ?? {})) {
        const place = `${path}.${name}`;
        if (inner.description === undefined && place !== ".metadata") silent.push(place);
        look(inner, place);
        look(inner.items ?? {}, `${place}[]`);
      }
    };
    look(schema, "");
    expect(silent).toEqual([]);
  });

  it("fills in what the controller's types count on", () => {
    const defaults = Object.fromEntries(Object.entries(at("spec").properties ?? {}).map(([name, part]) => [name, part.default]));
    expect(defaults).toMatchObject({ replicas: 3, pause: false, clusterDomain: "cluster.local", storage: {}, networkPolicy: { enabled: true } });
    expect(at("spec", "storage").properties).toMatchObject({
      size: { default: "1Gi" }, whenScaled: { default: "Retain" }, whenDeleted: { default: "Retain" },
    });
    expect(at("spec").required).toEqual(["image"]);
  });

  it("takes images without white space and labels that a pod may have, and no others", () => {
    const takes = (pattern: string | undefined, text: string): boolean => new RegExp(pattern ?? "", "u").test(text);
    expect(["synod:1", "registry.example:5000/a/synod@sha256:0", "a b", "a\n", " "].map((image) => takes(at("spec", "image").pattern, image))).toEqual([true, true, false, false, false]);
    const labels = at("spec", "podLabels");
    expect(["", "a", "A_b.1-c", "a b", "-a", "a."].map((value) => takes(labels.additionalProperties?.pattern, value))).toEqual([true, true, true, false, false, false]);
    const [, key] = labels["x-kubernetes-validations"] ?? [];
    const pattern = /key\.matches\('([^']+)'\)/.exec(key?.rule ?? "")?.[1];
    expect(["a", "example.org/Cost_Center.1", "b".repeat(63), "a b", "A.b/c", "/c", "a/b/c", "b".repeat(64)].map((name) => takes(pattern, name))).toEqual([true, true, true, false, false, false, false, false]);
  });

  it("compares timings with the defaults that members have", () => {
    const [rule] = at("spec", "timings")["x-kubernetes-validations"] ?? [];
    expect(rule?.rule).toContain(`self.electionTimeoutMs : ${DEFAULT_TIMINGS.electionTimeoutMs})`);
    expect(rule?.rule).toContain(`self.heartbeatMs : ${DEFAULT_TIMINGS.heartbeatMs})`);
  });

  it("has the status and scale subresources and the columns of kubectl get", () => {
    expect(version.subresources).toEqual({
      status: {},
      scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.selector" },
    });
    expect(version.additionalPrinterColumns.map((column: { name: string }) => column.name)).toEqual(["Ready", "Leader", "Ballot", "Age"]);
  });

  it("says nothing of the release in its labels, so that a release and the kustomization do not contend for it", () => {
    const metadata = (release: string, namespace: string) => only(render({ release, namespace, values: { fullnameOverride: release } }), "CustomResourceDefinition").metadata;
    expect(metadata("synod", "a")).toEqual(metadata("other", "b"));
    expect(metadata("synod", "a").labels).toEqual({ "app.kubernetes.io/name": "synod", "app.kubernetes.io/part-of": "synod" });
  });

  it("stays when the release goes", () => {
    expect(crd?.metadata.annotations?.["helm.sh/resource-policy"]).toBe("keep");
  });
});
