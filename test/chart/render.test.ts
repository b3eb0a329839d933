import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FINAL_EXIT } from "../../src/cli/failure.ts";
import { byKind, CHART, clusterOf, HAS_HELM, type Manifest, only, render, ROOT, run, template } from "./helm.ts";

/** Every way to install it that makes a difference to what is rendered. */
const MODES: Readonly<Record<string, object>> = {
  "the defaults": {},
  "all namespaces": { controller: { clusterWide: true, replicas: 2 } },
  "an operator alone": { cluster: { enabled: false } },
  "without the kind and the rights": { crds: { install: false }, rbac: { create: false }, serviceAccount: { create: false, name: "mine" } },
  "pod monitors and alerts": { metrics: { podMonitor: { enabled: true }, prometheusRule: { enabled: true } } },
  "service monitors": { metrics: { serviceMonitor: { enabled: true, labels: { release: "prometheus" } } } },
  "deleted with the release": { cluster: { deleteOnUninstall: true, storage: { whenDeleted: "Delete" } } },
  "everything of the cluster": {
    image: { digest: `sha256:${"a".repeat(64)}` },
    imagePullSecrets: [{ name: "registry" }],
    cluster: {
      name: "demo", replicas: 5, storage: { size: "2Gi", storageClassName: "fast", whenScaled: "Delete" }, pause: true,
      timings: { heartbeatMs: 50, electionTimeoutMs: 500 }, logLevel: "debug", restartedAt: "now", clusterDomain: "k8s.example",
      networkPolicy: { enabled: false }, security: { keyRotatedAt: "now" }, podLabels: { team: "a" }, podAnnotations: { note: "b" },
      priorityClassName: "high", nodeSelector: { disk: "ssd" }, tolerations: [{ operator: "Exists" }],
      affinity: { podAntiAffinity: {} }, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
    },
  },
};

interface PodTemplate {
  readonly spec: {
    readonly automountServiceAccountToken?: boolean;
    readonly serviceAccountName?: string;
    readonly securityContext: object;
    readonly containers: readonly { readonly securityContext: object; readonly resources?: object; readonly args: string[] }[];
  };
}

function podsOf(objects: readonly Manifest[]): PodTemplate[] {
  const templates = [...byKind(objects, "Deployment"), ...byKind(objects, "Job")].map((object) => object["spec"].template as PodTemplate);
  return [...templates, ...byKind(objects, "Pod").map((pod) => pod as unknown as PodTemplate)];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const rulesOf = (role: Manifest): Rule[] => role["rules"] as Rule[];

describe.skipIf(!HAS_HELM)("the chart (needs helm)", () => {
  it.each(Object.entries(MODES))("passes lint and has no object twice: %s", (_mode, values) => {
    expect(run("helm", ["lint", "--strict", CHART, "--values", "-"], JSON.stringify(values))).toMatchObject({ ok: true });
    const names = render({ values }).map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(Object.entries(MODES))("keeps to the restricted Pod Security Standard: %s", (_mode, values) => {
    const pods = podsOf(render({ values }));
    expect(pods.length).toBeGreaterThan(0);
    for (const { spec } of pods) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } });
      for (const { securityContext, resources } of spec.containers) {
        expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } });
        expect(resources).toHaveProperty("limits.memory");
      }
    }
  });

  it("puts nothing into what is immutable that changes with the chart or the values", () => {
    for (const values of Object.values(MODES)) {
      expect(only(render({ values }), "Deployment")["spec"].selector).toEqual({
        matchLabels: { "app.kubernetes.io/name": "synod", "app.kubernetes.io/instance": "synod", "app.kubernetes.io/component": "controller" },
      });
    }
  });

  it("changes nothing immutable of the version before: selectors, role references and the names of both", () => {
    const before = render({ chart: join(ROOT, "test", "e2e", "fixtures", "synod-0.0.9"), values: {} });
    const after = render();
    expect(only(after, "Deployment")["spec"].selector).toEqual(only(before, "Deployment")["spec"].selector);
    const names = (objects: readonly Manifest[], kind: string): string[] => byKind(objects, kind).map(({ metadata }) => metadata.name);
    for (const kind of ["Deployment", "ServiceAccount", "Job", "CustomResourceDefinition"]) {
      expect(names(after, kind)).toEqual(expect.arrayContaining(names(before, kind)));
    }
    for (const { metadata, roleRef } of byKind(before, "RoleBinding")) expect(only(after, "RoleBinding", metadata.name)["roleRef"]).toEqual(roleRef);
  });

  it("lets labels of the controller's pods not hide it from its Deployment", () => {
    const values = { controller: { podLabels: { "app.kubernetes.io/name": "other", team: "a" } } };
    expect(only(render({ values }), "Deployment")["spec"].template.metadata.labels).toMatchObject({ "app.kubernetes.io/name": "synod", team: "a" });
  });

  it("takes over each value of the cluster under the name of the field", () => {
    const { spec, metadata } = clusterOf(render({ values: MODES["everything of the cluster"] ?? {} }));
    expect(metadata).toMatchObject({ name: "demo", namespace: "demo" });
    expect(spec).toEqual({
      replicas: 5, image: `synod@sha256:${"a".repeat(64)}`, imagePullPolicy: "IfNotPresent", imagePullSecrets: [{ name: "registry" }],
      storage: { size: "2Gi", storageClassName: "fast", whenScaled: "Delete" }, pause: true,
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
      timings: { heartbeatMs: 50, electionTimeoutMs: 500 }, logLevel: "debug", restartedAt: "now", clusterDomain: "k8s.example",
      networkPolicy: { enabled: false }, security: { keyRotatedAt: "now" }, podLabels: { team: "a" },
      podAnnotations: { note: "b", "prometheus.io/scrape": "true", "prometheus.io/path": "/metrics", "prometheus.io/port": "7400" },
      priorityClassName: "high", nodeSelector: { disk: "ssd" }, tolerations: [{ operator: "Exists" }],
      affinity: { podAntiAffinity: {} }, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
    });
  });

  it("says nothing about the cluster's size, storage and pause unless it is told, so that what was set by hand stays", () => {
    const { spec } = clusterOf(render());
    expect(Object.keys(spec as object).sort()).toEqual(["image", "imagePullPolicy", "podAnnotations", "resources"]);
  });

  it("applies the cluster by a job after install, upgrade and rollback, and deletes it only when asked", () => {
    const jobs = (values: object): Record<string, unknown> =>
      Object.fromEntries(byKind(render({ values }), "Job").map(({ metadata, spec }) => [metadata.annotations?.["helm.sh/hook"], spec.template.spec.containers[0].args]));
    const apply = { "post-install,post-upgrade,post-rollback": ["apply-cluster", "--file", "/etc/synod/cluster/cluster.yaml"] };
    expect(jobs({})).toEqual(apply);
    expect(jobs({ cluster: { deleteOnUninstall: true, name: "demo" } })).toEqual({
      ...apply, "pre-delete": ["delete-cluster", "demo", "--namespace", "demo", "--release", "synod"],
    });
    expect(jobs({ cluster: { enabled: false, deleteOnUninstall: true } })).toEqual({});
  });

  it("ends a job whose pod says that it would be refused again, rather than starting another pod", () => {
    const jobs = byKind(render({ values: { cluster: { deleteOnUninstall: true } } }), "Job");
    expect(jobs.length).toBe(2);
    for (const { spec } of jobs) {
      const onExitCodes = { containerName: spec.template.spec.containers[0].name, operator: "In", values: [2, FINAL_EXIT] };
      expect(spec.podFailurePolicy).toEqual({ rules: [{ action: "FailJob", onExitCodes }] });
      // What the API server asks of a job with such a policy.
      expect(spec.template.spec.restartPolicy).toBe("Never");
    }
  });

  it("names the controller's namespace, or all of them", () => {
    const args = (values: object): string[] => only(render({ values }), "Deployment")["spec"].template.spec.containers[0].args;
    expect(args({})).toContain("--namespace=$(POD_NAMESPACE)");
    expect(args({ controller: { clusterWide: true } })).toContain("--all-namespaces");
    expect(args({ controller: { clusterWide: true } }).join(" ")).not.toContain("--namespace=");
  });

  it("has no two objects of two releases in one cluster with the same name, but for the kind", () => {
    const names = (release: string, namespace: string): string[] =>
      render({ release, namespace, hooks: false, values: { controller: { clusterWide: true } } })
        .filter(({ kind }) => kind !== "CustomResourceDefinition")
        .map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`);
    const all = [...names("synod", "a"), ...names("synod", "b"), ...names("second", "a")];
    expect(new Set(all).size).toBe(all.length);
  });

  it("keeps within the length of names, whatever the release is called", () => {
    for (const { kind, metadata } of render({ release: "r".repeat(53), namespace: "n" })) {
      expect([kind, metadata.name.length <= (kind.includes("Role") ? 253 : 63)]).toEqual([kind, true]);
    }
    expect(clusterOf(render({ release: "synod" })).metadata.name).toBe("synod");
  });
});

describe.skipIf(!HAS_HELM)("rights (needs helm)", () => {
  const documented = readFileSync(join(ROOT, "src/controller/README.md"), "utf8");

  /** "group resource: verbs" for each resource, so that the order and the grouping of rules make no difference. */
  function flat(rules: readonly Rule[]): string[] {
    return rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.map((resource) => `${group === "" ? "core" : group} ${resource}: ${verbs.join(", ")}`))).sort();
  }

  it("gives the controller what its README says it needs, and nothing else", () => {
    const rows = [...documented.matchAll(/^\| (?:`([\w.]+)`|core) \| `([\w/]+)` \| ([a-z, ]+) \|/gm)];
    expect(rows.length).toBeGreaterThan(10);
    const needed = rows.map(([, group = "core", resource, verbs]) => `${group} ${resource}: ${verbs}`).sort();
    expect(flat(rulesOf(only(render(), "Role", "synod-controller")))).toEqual(needed);
    expect(flat(rulesOf(only(render({ values: { controller: { clusterWide: true } } }), "ClusterRole")))).toEqual(needed);
  });

  it("stays within the namespace unless it is to look after all of them", () => {
    expect(byKind(render(), "ClusterRole").length + byKind(render(), "ClusterRoleBinding").length).toBe(0);
    expect(byKind(render({ values: { controller: { clusterWide: true } } }), "Role").map(({ metadata }) => metadata.name).sort()).toEqual([
      "synod-controller-lease", "synod-jobs",
    ]);
  });

  it("lets nobody list or watch Secrets, use wildcards, or give rights away", () => {
    for (const values of Object.values(MODES)) {
      for (const role of render({ values }).filter(({ kind }) => kind === "Role" || kind === "ClusterRole")) {
        for (const { apiGroups, resources, verbs } of rulesOf(role)) {
          expect([...apiGroups, ...resources, ...verbs]).not.toContain("*");
          expect(apiGroups).not.toContain("rbac.authorization.k8s.io");
          if (resources.includes("secrets")) expect(verbs.filter((verb) => verb === "list" || verb === "watch")).toEqual([]);
        }
      }
    }
  });

  it("binds the jobs to the one cluster that they apply, and lets them delete it only when asked", () => {
    const rights = (values: object): Rule[] => rulesOf(only(render({ values }), "Role", "synod-jobs"));
    const group = { apiGroups: ["synod.dev"], resources: ["paxosclusters"] };
    expect(rights({})).toEqual([{ ...group, verbs: ["create"] }, { ...group, resourceNames: ["synod"], verbs: ["get", "patch"] }]);
    expect(rights({ cluster: { deleteOnUninstall: true } })[1]).toEqual({ ...group, resourceNames: ["synod"], verbs: ["get", "patch", "delete"] });
  });

  it("mounts a token only where the API server is called", () => {
    for (const { spec } of podsOf(render({ values: { cluster: { deleteOnUninstall: true } } }))) {
      const [{ args: [command] = [] } = { args: [] }] = spec.containers;
      expect([command, spec.automountServiceAccountToken]).toEqual([command, command !== "check"]);
    }
  });
});

describe.skipIf(!HAS_HELM)("monitoring (needs helm)", () => {
  it("scrapes nothing twice", () => {
    const both = template({ values: { metrics: { podMonitor: { enabled: true }, serviceMonitor: { enabled: true } } } });
    expect(both).toMatchObject({ ok: false, errors: expect.stringContaining("enable one of them") });
  });

  it("has annotations for those who scrape by them, unless they are not wanted", () => {
    const scraped = (values: object): unknown[] => {
      const objects = render({ values });
      return [only(objects, "Deployment")["spec"].template.metadata.annotations["prometheus.io/port"], clusterOf(objects)["spec"].podAnnotations?.["prometheus.io/port"]];
    };
    expect(scraped({})).toEqual(["7480", "7400"]);
    expect(scraped({ metrics: { scrapeAnnotations: false } })).toEqual([undefined, undefined]);
  });

  it("monitors controller and members, in the namespaces that are looked after", () => {
    for (const [kind, values] of [["PodMonitor", { podMonitor: { enabled: true } }], ["ServiceMonitor", { serviceMonitor: { enabled: true } }]] as const) {
      expect(byKind(render({ values: { metrics: values } }), kind).map(({ metadata }) => metadata.name)).toEqual(["synod-controller", "synod-members"]);
      const wide = render({ values: { metrics: values, controller: { clusterWide: true } } });
      expect(only(wide, kind, "synod-members")["spec"].namespaceSelector).toEqual({ any: true });
    }
  });

  it("brings each dashboard and each file of rules", () => {
    const files = (folder: string, ending: string): string[] =>
      readdirSync(join(CHART, "files", folder)).filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length)).sort();
    const objects = render({ values: MODES["pod monitors and alerts"] ?? {} });
    expect(byKind(objects, "PrometheusRule").map(({ metadata }) => metadata.name).sort()).toEqual(files("rules", ".yaml").map((name) => `synod-${name}`));
    const dashboards = byKind(objects, "ConfigMap").filter(({ metadata }) => metadata.labels?.["grafana_dashboard"] === "1");
    expect(dashboards.map(({ metadata }) => metadata.name).sort()).toEqual(files("dashboards", ".json").map((name) => `synod-dashboard-${name}`));
    for (const { data } of dashboards) for (const text of Object.values(data as Record<string, string>)) JSON.parse(text);
  });
});
