import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { CHART, HAS_HELM, template } from "./helm.ts";

describe.skipIf(!HAS_HELM)("values that cannot work are refused before anything is installed (needs helm)", () => {
  it.each([
    [{ cluster: { replicas: 0 } }, "/cluster/replicas"],
    [{ cluster: { replicas: 10 } }, "/cluster/replicas"],
    [{ cluster: { replicas: "3" } }, "/cluster/replicas"],
    [{ cluster: { replica: 3 } }, "replica"],
    [{ cluster: { name: "Demo" } }, "/cluster/name"],
    [{ cluster: { name: "9lives" } }, "/cluster/name"],
    [{ cluster: { name: "a.b" } }, "/cluster/name"],
    [{ cluster: { name: "x".repeat(53) } }, "/cluster/name"],
    [{ cluster: { name: "demo-leader" } }, "/cluster/name"],
    [{ cluster: { storage: { size: "much" } } }, "/cluster/storage/size"],
    [{ cluster: { storage: { class: "fast" } } }, "class"],
    [{ cluster: { storage: { whenDeleted: "Keep" } } }, "/cluster/storage/whenDeleted"],
    [{ cluster: { timings: { heartbeatMs: 0 } } }, "/cluster/timings/heartbeatMs"],
    [{ cluster: { logLevel: "loud" } }, "/cluster/logLevel"],
    [{ cluster: { podLabels: { a: 1 } } }, "/cluster/podLabels/a"],
    [{ cluster: { podLabels: { "synod.dev/role": "leader" } } }, "/cluster/podLabels"],
    [{ cluster: { podLabels: { "app.kubernetes.io/instance": "x" } } }, "/cluster/podLabels"],
    [{ cluster: { clusterDomain: "Cluster Local" } }, "/cluster/clusterDomain"],
    [{ imagePullSecrets: [{ name: "a" }, { name: "a" }] }, "/imagePullSecrets"],
    [{ cluster: { podLabels: { "a b": "c" } } }, "/cluster/podLabels"],
    [{ cluster: { podLabels: { "A.b/c": "c" } } }, "/cluster/podLabels"],
    [{ cluster: { podLabels: { ["a".repeat(64)]: "c" } } }, "/cluster/podLabels"],
    [{ cluster: { podLabels: { team: "a b" } } }, "/cluster/podLabels/team"],
    [{ cluster: { image: "a b" } }, "/cluster/image"],
    [{ image: { repository: "a b" } }, "/image/repository"],
    [{ image: { tag: "a b" } }, "/image/tag"],
    [{ image: { digest: "sha256:12" } }, "/image/digest"],
    [{ image: { pullPolicy: "Sometimes" } }, "/image/pullPolicy"],
    [{ imagePullSecrets: ["registry"] }, "/imagePullSecrets/0"],
    [{ controller: { replicas: -1 } }, "/controller/replicas"],
    [{ controller: { clusterwide: true } }, "clusterwide"],
    [{ metrics: { podMonitor: { interval: "often" } } }, "/metrics/podMonitor/interval"],
    [{ fullnameOverride: "x".repeat(41) }, "/fullnameOverride"],
    [{ unknown: 1 }, "unknown"],
    [{ serviceAccount: { create: false } }, "serviceAccount.name is needed"],
    [{ cluster: { timings: { heartbeatMs: 100, electionTimeoutMs: 299 } } }, "electionTimeoutMs (299) must be at least three times heartbeatMs (100)"],
    [{ cluster: { storage: { size: "63Mi" } } }, "cluster.storage.size: 63Mi is less"],
    [{ cluster: { storage: { size: "67M" } } }, "cluster.storage.size: 67M is less"],
    [{ cluster: { storage: { size: "0.06Gi" } } }, "cluster.storage.size: 0.06Gi is less"],
    [{ cluster: { storage: { size: "1024" } } }, "cluster.storage.size: 1024 is less"],
    [{ cluster: { timings: { heartbeatMs: 134 } } }, "electionTimeoutMs (400) must be at least three times heartbeatMs (134)"],
    [{ cluster: { timings: { electionTimeoutMs: 239 } } }, "electionTimeoutMs (239) must be at least three times heartbeatMs (80)"],
  ])("%j", (values, place) => {
    const { ok, errors } = template({ values });
    expect(errors).toContain(place);
    expect(ok).toBe(false);
  });

  it.each([
    [{ cluster: { storage: { size: "64Mi" } } }], [{ cluster: { storage: { size: "0.0625Gi" } } }], [{ cluster: { storage: { size: "2E" } } }],
    [{ cluster: { storage: { size: "67108864" } } }], [{ cluster: { storage: { size: "" } } }], [{ cluster: { replicas: 1 } }], [{ cluster: { replicas: 9 } }], [{ cluster: { replicas: null } }], [{ cluster: { storage: { size: "1.5Gi" } } }],
    [{ cluster: { timings: { heartbeatMs: 100, electionTimeoutMs: 300 } } }], [{ cluster: { timings: { heartbeatMs: 133 } } }], [{ cluster: { takeOver: true } }],
    [{ cluster: { enabled: false, timings: { heartbeatMs: 134 } } }], [{ cluster: { clusterDomain: "k8s.example", podLabels: { team: "a", "app.kubernetes.io/part-of": "x" } } }],
    [{ global: { anything: true } }], [{ image: { tag: "dev" } }], [{ cluster: { image: "registry.example:5000/synod:1" } }], [{ cluster: { image: "" } }],
    [{ cluster: { podLabels: { "example.org/Cost_Center.1": "", [`a/${"b".repeat(63)}`]: "1.x" } } }],
  ])("but takes %j", (values) => {
    expect(template({ values })).toMatchObject({ ok: true });
  });
});

it("has a place in the schema for every value, and the other way round", () => {
  const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as Schema;
  const values = load(readFileSync(join(CHART, "values.yaml"), "utf8"));
  // What `global` is for belongs to Helm; these two are maps that stay open.
  const open = new Set(["global", "podSecurityContext", "securityContext"]);
  const differences: string[] = [];
  const compare = (part: Schema, value: unknown, path: string): void => {
    const known = (part.$ref === undefined ? part : (schema.definitions[part.$ref.slice("#/definitions/".length)] ?? part)).properties;
    if (known === undefined || typeof value !== "object" || value === null || Object.keys(value).length === 0) return;
    for (const name of new Set([...Object.keys(known), ...Object.keys(value)])) {
      const inner = (value as Record<string, unknown>)[name];
      if (open.has(name) || (name === "claims" && path.endsWith("resources"))) continue;
      if (known[name] === undefined || inner === undefined) differences.push(`${path}.${name}`);
      else compare(known[name], inner, `${path}.${name}`);
    }
  };
  compare(schema, values, "");
  expect(differences).toEqual([]);
});

interface Schema {
  readonly $ref?: string;
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly properties?: Readonly<Record<string, Schema>>;
}
