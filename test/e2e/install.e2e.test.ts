import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { claimName } from "../../src/controller/resource/names.ts";
import { CHART, helm, imageValues, KUBE_VERSION } from "./support/helm.ts";
import { Keys } from "./support/keys.ts";
import { kubectl } from "./support/kubectl.ts";
import { LoadRun } from "./support/load-run.ts";
import { Place } from "./support/place.ts";
import { Release } from "./support/release.ts";
import { scene } from "./support/scene.ts";
import { until } from "./support/until.ts";

const START_BOUND_MS = 120_000;
/** The chart as it was before the first release, and a field that its kind does not know. */
const PREVIOUS_CHART = join(import.meta.dirname, "fixtures/synod-0.0.9");
const NEW_FIELD = "restartedAt";

describe("helm install, upgrade, rollback, uninstall", () => {
  const here = scene("install");
  let release: Release;
  let keys: Keys;

  /** A release of the chart before, whose kind may have to be taken over from another release. */
  const installPrevious = (): Promise<Release> =>
    Release.install(here().place, { image: here().images.synod, chart: PREVIOUS_CHART, options: ["--take-ownership"] });

  test("a cluster that never heard of the kind takes the definition and its first resource in one release", async ({ skip }) => {
    if (!inject("freshCluster")) skip("this cluster knows the kind PaxosCluster already");
    release = await installPrevious();
    await release.cluster.untilFullStrength(START_BOUND_MS);
  });

  test("the cluster comes up in a namespace that takes restricted pods only", async () => {
    release ??= await installPrevious();
    const { cluster } = release;
    await cluster.untilFullStrength(START_BOUND_MS);
    await cluster.kubectl("wait", "--for=condition=Ready", `pxc/${cluster.name}`, "--timeout=60s");
    keys = new Keys(cluster);
    await keys.put("greeting", "hello");
    expect(await keys.get("greeting")).toBe("hello");
  });

  test("under load an upgrade from the version before brings a new field, changes values, and keeps the size that kubectl gave", async () => {
    const { place, images } = here();
    const { cluster } = release;
    await cluster.scale(1);
    await cluster.untilFullStrength(START_BOUND_MS);
    await cluster.scale(3);
    await cluster.untilFullStrength(START_BOUND_MS);
    const load = await LoadRun.start(place.api, { name: "load", namespace: place.namespace, image: images.synod, endpoints: cluster.addresses(3), seed: 1 });
    const fromNs = load.nowNs();
    await release.upgrade({ cluster: { [NEW_FIELD]: "for the first time", logLevel: "debug" } });
    await cluster.view.until("the new field is there", 30_000, () => cluster.resource.spec[NEW_FIELD] === undefined ? "it is not" : null);
    await cluster.untilFullStrength(180_000);
    await load.requireGapWithin(2_000, fromNs);
    await load.end();
    expect(cluster.resource.spec).toMatchObject({ replicas: 3, logLevel: "debug" });
    expect(cluster.pods.every(({ spec }) => spec?.containers[0]?.args?.includes("debug"))).toBe(true);
    expect(await keys.get("greeting")).toBe("hello");
  });

  test("kubectl shows the cluster, its leader and its ballot", async () => {
    const { cluster } = release;
    const leader = await cluster.leader();
    const row = await cluster.kubectl("get", "pxc", cluster.name, "--no-headers");
    const [name, ready, shown, ballot] = row.trim().split(/\s+/);
    expect([name, ready, shown]).toEqual([cluster.name, "3/3", leader]);
    expect(ballot).toMatch(new RegExp(`^\\d+\\.${leader}$`));
    expect(await cluster.kubectl("explain", "pxc.spec.replicas")).toContain("replicas");
  });

  test("helm test writes and reads through a real client", async () => {
    const { place } = here();
    expect(await helm(["test", release.name, "-n", place.namespace])).toMatch(/Phase:\s+Succeeded/);
  });

  test("a rollback brings the values of before, and keeps the data", async () => {
    const { cluster } = release;
    await release.rollback();
    await cluster.view.until("the values of before are back", 30_000, () => cluster.resource.spec.logLevel === "debug" ? "they are not" : null);
    await cluster.untilFullStrength(180_000);
    expect(cluster.resource.spec[NEW_FIELD]).toBeUndefined();
    expect(await keys.get("greeting")).toBe("hello");
  });

  test("a second release in another namespace has a cluster of its own", async () => {
    const { target, images } = here();
    const other = await Place.make(target.api, "install-second");
    try {
      const second = await Release.install(other, { name: "second", image: images.synod, values: { cluster: { replicas: 1 } } });
      await second.cluster.untilFullStrength(START_BOUND_MS);
      expect(second.cluster.resource.status?.clusterId).not.toBe(release.cluster.resource.status?.clusterId);
    } finally {
      await other.remove(false);
    }
  });

  test("uninstalling leaves the cluster at work and its data where they are, and a new release takes it up", async () => {
    const { place, images } = here();
    const { cluster } = release;
    const pods = cluster.pods.map(({ metadata }) => metadata?.uid);
    await release.uninstall();
    expect(await keys.get("greeting")).toBe("hello");
    await keys.put("alone", "yes");
    release = await Release.install(place, { image: images.synod });
    await cluster.untilFullStrength(START_BOUND_MS);
    expect(await keys.get("alone")).toBe("yes");
    // What is the same needs no restart; the reinstall has other values than the rollback only where the chart's defaults have.
    expect(cluster.pods.map(({ metadata }) => metadata?.uid)).toEqual(pods);
  });

  test("a second release whose cluster has the name of the first's is refused, by Helm before anything is installed and else by its job", async () => {
    const { place, images } = here();
    const { cluster } = release;
    const { generation } = cluster.resource.metadata;
    const values = { ...imageValues(images.synod), controller: { replicas: 0 }, cluster: { name: cluster.name, logLevel: "error" } };
    const refusal = `SYNOD_ERR_CLUSTER_TAKEN: the PaxosCluster ${place.namespace}/${cluster.name} belongs to the release ${release.name}`;
    await expect(helm(["install", "second", CHART, "-n", place.namespace], values)).rejects.toThrow(refusal);
    expect(JSON.parse(await helm(["list", "-n", place.namespace, "-q", "-o", "json"]))).toEqual([release.name]);
    // As programs install it that render a chart without asking the cluster.
    const shown = ["configmap", "rbac", "apply-job"].flatMap((name) => ["--show-only", `templates/cluster/${name}.yaml`]);
    const rendered = await helm(["template", "second", CHART, "-n", place.namespace, "--kube-version", KUBE_VERSION, ...shown], values);
    await kubectl(["apply", "-f", "-"], { input: rendered });
    const job = "second-synod-apply-cluster";
    await until("the job says why it did nothing", 60_000, async () => {
      const log = await place.kubectl("logs", `job/${job}`);
      return log.includes(`SYNOD_ERR_CLUSTER_TAKEN: The PaxosCluster ${place.namespace}/${cluster.name} belongs to the release ${release.name},`) ? null : log;
    });
    await kubectl(["delete", "-f", "-"], { input: rendered });
    expect(cluster.resource.metadata.generation).toBe(generation);
  });

  test("told so, uninstalling deletes the cluster; its volumes stay, and a reinstall on them has the data", async () => {
    const { place, images } = here();
    const { cluster } = release;
    const id = cluster.resource.status?.clusterId;
    await release.upgrade({ cluster: { deleteOnUninstall: true } });
    await release.uninstall();
    await cluster.view.until("the cluster is gone", 60_000, () => cluster.pods.length > 0 ? `there are ${cluster.pods.length} pods` : null);
    expect(cluster.view.clusters.all).toEqual([]);
    const claims = [0, 1, 2].map((ordinal) => claimName(cluster.name, ordinal));
    expect(cluster.view.claims.all.map(({ metadata }) => metadata?.name)).toEqual(claims);
    release = await Release.install(place, { image: images.synod });
    await cluster.untilFullStrength(START_BOUND_MS);
    expect(cluster.resource.status?.clusterId).toBe(id);
    expect(await keys.get("greeting")).toBe("hello");
  });
});
