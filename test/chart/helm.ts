import { loadAll } from "js-yaml";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
export const CHART = join(ROOT, "helm", "synod");

/** What `helm template` and the API server take for the version of Kubernetes. */
const KUBE_VERSION = "1.34.0";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // What is below differs from kind to kind, and tests look into it by path.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [field: string]: any;
}

export interface Answer {
  readonly ok: boolean;
  readonly output: string;
  readonly errors: string;
}

/** Runs a program to its end, with `input` as its standard input. Not being there counts as a failure. */
export function run(program: string, args: readonly string[], input = ""): Answer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: "utf8", cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  return { ok: status === 0, output: stdout ?? "", errors: stderr ?? String(error) };
}

export const HAS_HELM = run("helm", ["version"]).ok;

export interface Rendering {
  readonly values?: object;
  readonly release?: string;
  readonly namespace?: string;
  readonly hooks?: boolean;
  readonly chart?: string;
}

/** `helm template`, as text. */
export function template({ values = {}, release = "synod", namespace = "demo", hooks = true, chart = CHART }: Rendering): Answer {
  const args = ["template", release, chart, "--namespace", namespace, "--kube-version", KUBE_VERSION, "--values", "-"];
  return run("helm", hooks ? args : [...args, "--no-hooks"], JSON.stringify(values));
}

/** All objects of a release, its hooks included. */
export function render(rendering: Rendering = {}): Manifest[] {
  const { ok, output, errors } = template(rendering);
  if (!ok) throw new Error(errors);
  return (loadAll(output) as (Manifest | null)[]).filter((object) => object !== null);
}

export function byKind(objects: readonly Manifest[], kind: string): Manifest[] {
  return objects.filter((object) => object.kind === kind);
}

/** The one object of that kind, and of that name if one is given. */
export function only(objects: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = byKind(objects, kind).filter((object) => name === undefined || object.metadata.name === name);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} objects ${kind} ${name ?? ""}`);
  return first;
}

/** What the chart's job applies. */
export function clusterOf(objects: readonly Manifest[]): Manifest {
  const { data } = only(objects, "ConfigMap", "synod-jobs");
  const [cluster] = loadAll((data as Record<string, string>)["cluster.yaml"] ?? "") as Manifest[];
  if (cluster === undefined) throw new Error("no cluster.yaml");
  return cluster;
}
