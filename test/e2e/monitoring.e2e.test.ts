import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAllYaml, loadYaml } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDashboard } from "../monitoring/dashboards.ts";
import { Prometheus } from "../monitoring/prometheus.ts";
import { RULE_FILES } from "../monitoring/rules.ts";
import { findTool } from "../monitoring/tools.ts";
import { labelsOf, namesOfFiring, Shown } from "../monitoring/watch.ts";
import { CHART, helm, imageValues, KUBE_VERSION } from "./support/helm.ts";
import { apply } from "./support/kubectl.ts";
import { LoadRun } from "./support/load-run.ts";
import { Release } from "./support/release.ts";
import { scene } from "./support/scene.ts";
import { target } from "./support/target.ts";
import { until } from "./support/until.ts";

const START_BOUND_MS = 120_000;
const SHOWN_BOUND_MS = 60_000;

const PROMETHEUS = findTool("prometheus");
/** A Prometheus on this machine reaches pods by their addresses where the node is this machine. */
const REACHABLE = (await target()).node !== null;

type Scrape = Readonly<Record<string, unknown>>;

/** The scrape configuration that docs/metrics.md tells people to use, for a Prometheus outside the cluster. */
function documentedScrape(namespace: string): Scrape {
  const text = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
  const [scrape] = loadYaml<readonly Scrape[]>(/```yaml\n([^`]+)```/.exec(text)?.[1] ?? "");
  return { ...scrape, kubernetes_sd_configs: [discovery("pod", namespace)] };
}

function discovery(role: string, namespace: string): Scrape {
  return { role, kubeconfig_file: process.env["KUBECONFIG"], namespaces: { names: [namespace] } };
}

interface Relabeling {
  readonly sourceLabels: readonly string[];
  readonly action: string;
  readonly regex: string;
}

/** What the chart uses of a PodMonitor and of a ServiceMonitor. */
interface Monitor extends Manifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly podTargetLabels?: readonly string[];
    readonly targetLabels?: readonly string[];
    readonly podMetricsEndpoints?: readonly Endpoint[];
    readonly endpoints?: readonly Endpoint[];
  };
}

interface Endpoint {
  readonly port: string;
  readonly path: string;
  readonly relabelings?: readonly Relabeling[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const meta = (label: string): string => label.replaceAll(/[^a-zA-Z0-9_]/g, "_");

/** What the Prometheus operator makes of a monitor, but for what it has no use for here. Only whether a target is up is kept. */
function scrapeOf({ kind, metadata, spec }: Monitor, namespace: string): Scrape {
  const pods = kind === "PodMonitor";
  const [endpoint] = spec.podMetricsEndpoints ?? spec.endpoints ?? [];
  const labelled = `__meta_kubernetes_${pods ? "pod" : "service"}_label_`;
  const targetLabels = spec.podTargetLabels ?? spec.targetLabels ?? [];
  return {
    job_name: `${kind}/${metadata.name}`,
    metrics_path: endpoint?.path,
    kubernetes_sd_configs: [discovery(pods ? "pod" : "endpointslice", namespace)],
    relabel_configs: [
      { source_labels: ["__meta_kubernetes_pod_phase"], regex: "(Failed|Succeeded)", action: "drop" },
      ...Object.entries(spec.selector.matchLabels).map(([label, value]) => ({ source_labels: [labelled + meta(label)], regex: value, action: "keep" })),
      { source_labels: [`__meta_kubernetes_${pods ? "pod_container" : "endpointslice"}_port_name`], regex: endpoint?.port, action: "keep" },
      { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
      { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
      ...targetLabels.map((label) => ({ source_labels: [labelled + meta(label)], target_label: meta(label), regex: "(.+)" })),
      ...(endpoint?.relabelings ?? []).map(({ sourceLabels, ...rest }) => ({ source_labels: sourceLabels, ...rest })),
    ],
    metric_relabel_configs: [{ source_labels: ["__name__"], regex: ".*", action: "drop" }],
  };
}

/** What the chart would install for the Prometheus operator, with pods or with Services to find targets by. */
async function rendered(by: "podMonitor" | "serviceMonitor", image: string, namespace: string): Promise<Manifest[]> {
  const args = ["template", "synod", CHART, "-n", namespace, "--kube-version", KUBE_VERSION];
  const values = { ...imageValues(image), controller: { replicas: 2 }, metrics: { [by]: { enabled: true } } };
  return (loadAllYaml(await helm(args, values)) as (Manifest | null)[]).filter((object) => object !== null);
}

function monitorsIn(objects: readonly Manifest[]): Monitor[] {
  return objects.filter(({ kind }) => kind.endsWith("Monitor")) as Monitor[];
}

describe.skipIf(PROMETHEUS === null || !REACHABLE)("[needs prometheus and pods within reach] monitoring", () => {
  const here = scene("monitoring");
  let release: Release;
  let prometheus: Prometheus;
  let load: LoadRun;
  let ofCluster: Shown;
  let ofController: Shown;

  beforeAll(async () => {
    const { images, place } = here();
    release = await Release.install(place, { image: images.synod, values: { controller: { replicas: 2 } } });
    const services = await rendered("serviceMonitor", images.synod, place.namespace);
    // The Services that ServiceMonitors go by; the monitors themselves are of a kind that this cluster need not know.
    await apply(...services.filter(({ kind }) => kind === "Service"));
    const monitors = [...monitorsIn(await rendered("podMonitor", images.synod, place.namespace)), ...monitorsIn(services)];
    expect(monitors.map(({ kind }) => kind)).toEqual(["PodMonitor", "PodMonitor", "ServiceMonitor", "ServiceMonitor"]);
    const scrapes = [documentedScrape(place.namespace), ...monitors.map((monitor) => scrapeOf(monitor, place.namespace))];
    prometheus = await Prometheus.start(PROMETHEUS as string, scrapes, RULE_FILES);
    ofCluster = new Shown(prometheus, readDashboard("cluster.json"), { namespace: place.namespace, cluster: release.cluster.name });
    ofController = new Shown(prometheus, readDashboard("controller.json"), { namespace: place.namespace, cluster: "" });
    await release.cluster.untilFullStrength(START_BOUND_MS);
    load = await LoadRun.start(place.api, {
      name: "load", namespace: place.namespace, image: images.synod, endpoints: release.cluster.addresses(3), seed: 7, workers: 3, thinkMs: 20,
    });
  });

  afterAll(async () => {
    await prometheus?.stop();
  });

  const untilFiring = (wanted: readonly string[]): Promise<number> => until(`these alerts fire: ${wanted.join(", ")}`, SHOWN_BOUND_MS, async () => {
    const firing = namesOfFiring(await prometheus.firing());
    return firing.join() === [...wanted].sort().join() ? null : firing.join(", ");
  });

  test("the documented scrape, PodMonitors and ServiceMonitors find every member and every controller once, and nothing wakes anybody", async () => {
    const { cluster, controller } = release;
    const pods = [...cluster.pods.map(({ metadata }) => metadata?.name ?? ""), ...controller.podNames].sort();
    for (const jobs of ["pods", "PodMonitor/.*", "ServiceMonitor/.*"]) {
      await until(`${jobs} finds all`, SHOWN_BOUND_MS, async () => {
        const found = labelsOf(await prometheus.query(`up{job=~"${jobs}"} == 1`), "pod");
        return found.join() === pods.join() ? null : `it finds ${found.join(", ")}, not ${pods.join(", ")}`;
      });
      const clusters = labelsOf(await prometheus.query(`up{job=~"${jobs}", pod=~"${cluster.name}-[0-9]+"}`), "app_kubernetes_io_instance");
      expect(new Set(clusters), jobs).toEqual(new Set([cluster.name]));
    }
    await untilFiring([]);
  });

  test("a leader that is killed is told by alert, by dashboard and by the notice board alike", async () => {
    const { cluster } = release;
    const old = await cluster.leader();
    expect(labelsOf(await ofCluster.panel("Leader"), "pod")).toEqual([old]);
    await cluster.delete("pod", old, "--force", "--grace-period=0");
    await until("the alert for the member", SHOWN_BOUND_MS, async () => {
      const firing = namesOfFiring(await prometheus.firing());
      return firing.includes(`SynodMemberDown/${old}`) ? null : firing.join(", ");
    });
    await until("dashboard and notice board show the same new leader", SHOWN_BOUND_MS, async () => {
      const board = cluster.view.configMaps.named(cluster.names.leaderConfigMap)?.data?.["leader"] ?? "none";
      const leaders = labelsOf(await ofCluster.panel("Leader"), "pod");
      return leaders.join() === board && board !== old ? null : `they show ${leaders.join(", ")} and ${board}`;
    });
    await until("the election is marked", SHOWN_BOUND_MS, async () => {
      const blank = await ofCluster.blankSoFar();
      return blank.includes("Election won") ? "it is not" : null;
    });
    await cluster.untilFullStrength(START_BOUND_MS);
    await untilFiring([]);
  });

  test("a cluster that grows is short of a member until it is there", async () => {
    await release.cluster.scale(4);
    await untilFiring(["SynodMembersNotAsDesired"]);
    await release.cluster.untilFullStrength(START_BOUND_MS);
    await untilFiring([]);
  });

  test("every query of both dashboards has had data by now", async () => {
    for (const shown of [ofCluster, ofController]) {
      await until("every query has had data", SHOWN_BOUND_MS, async () => {
        const blank = await shown.blankSoFar();
        return blank.length === 0 ? null : blank.join(", ");
      });
    }
  });

  test("a controller that is gone is told, while the cluster goes on", async () => {
    const { place } = here();
    await place.kubectl("scale", "deployment", "-l", "app.kubernetes.io/component=controller", "--replicas=0");
    await untilFiring(["SynodControllerDown"]);
    await load.acknowledged(50, SHOWN_BOUND_MS);
    await place.kubectl("scale", "deployment", "-l", "app.kubernetes.io/component=controller", "--replicas=2");
    await untilFiring([]);
    await load.end();
  });
});
