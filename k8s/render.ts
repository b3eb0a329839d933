import { dump, load, loadAll } from "js-yaml";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { RELEASE_ANNOTATION } from "../src/controller/resource/names.ts";

const CHART = join(import.meta.dirname, "..", "helm", "synod");
const OPERATOR_NAMESPACE = "synod-system";
const CLUSTER_NAME = "synod";

/** Rendering asks for a version; any that the chart takes renders the same. */
const KUBE_VERSION = "1.34.0";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; labels?: Record<string, string>; annotations?: Record<string, string>; namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  spec?: { template?: { metadata?: { labels?: Record<string, string> } } };
}

/** The files of both kustomizations by their paths below `k8s`, as the chart renders them. Throws when helm is missing or fails. */
export function renderKustomizations(): ReadonlyMap<string, string> {
  // Dashboards are imported from their files: as ConfigMaps they are of use to Grafana's sidecar only, which comes with charts.
  const values = { controller: { clusterWide: true }, cluster: { enabled: false }, dashboards: { enabled: false } };
  const objects = template(OPERATOR_NAMESPACE, values);
  const operator = new Map(objects.map((object) => [`${object.kind}-${object.metadata.name}.yaml`.toLowerCase(), object]));
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: OPERATOR_NAMESPACE, labels: RESTRICTED } };
  const files = new Map<string, string>([["operator/namespace.yaml", text(namespace)]]);
  for (const [name, object] of operator) files.set(`operator/${name}`, text(withoutHelm(object)));
  files.set("operator/kustomization.yaml", kustomization(["namespace.yaml", ...operator.keys()], OPERATOR_NAMESPACE));
  files.set("cluster/paxoscluster.yaml", text(withoutHelm(cluster())));
  files.set("cluster/kustomization.yaml", kustomization(["paxoscluster.yaml"], null));
  return files;
}

const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted" };

/** The PaxosCluster that the chart's job would apply, for whatever namespace it is applied to. */
function cluster(): Manifest {
  const config = template("default", {}).find(({ kind, data }) => kind === "ConfigMap" && data?.["cluster.yaml"] !== undefined);
  const resource = load(config?.data?.["cluster.yaml"] ?? "") as Manifest;
  delete resource.metadata.namespace;
  return resource;
}

function template(namespace: string, values: object): Manifest[] {
  const args = ["template", CLUSTER_NAME, CHART, "--namespace", namespace, "--no-hooks", "--kube-version", KUBE_VERSION, "--values", "-"];
  const { status, stdout, stderr, error } = spawnSync("helm", args, { input: JSON.stringify(values), encoding: "utf8" });
  if (status !== 0) throw new Error(error?.message ?? stderr);
  return (loadAll(stdout) as (Manifest | null)[]).filter((object) => object !== null);
}

/** Nothing that is applied by kubectl belongs to Helm. */
function withoutHelm(object: Manifest): Manifest {
  const labels = { ...object.metadata.labels };
  delete labels["helm.sh/chart"];
  delete labels["app.kubernetes.io/managed-by"];
  const annotations = Object.fromEntries(Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !name.startsWith("helm.sh/") && name !== RELEASE_ANNOTATION));
  const { annotations: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, labels, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) } };
}

function kustomization(resources: readonly string[], namespace: string | null): string {
  return text({
    apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", ...(namespace === null ? {} : { namespace }), resources: [...resources].sort(),
  });
}

function text(object: object): string {
  return `# Made of the chart by \`npm run k8s\`.\n${dump(object, { lineWidth: -1, noRefs: true })}`;
}
