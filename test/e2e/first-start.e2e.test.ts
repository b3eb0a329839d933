import { beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../src/client/types.ts";
import { claimName, podName } from "../../src/controller/resource/names.ts";
import { apply } from "./support/kubectl.ts";
import { Keys } from "./support/keys.ts";
import { Release } from "./support/release.ts";
import { scene } from "./support/scene.ts";
import { until } from "./support/until.ts";

const START_BOUND_MS = 120_000;

describe("first start, and starts that only look like it", () => {
  const here = scene("first-start");
  let release: Release;
  let id: string | undefined;

  /** The resource as the chart applies it, without the chart. */
  const create = async (): Promise<void> => {
    const { images, place } = here();
    await apply({
      apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", metadata: { name: release.cluster.name, namespace: place.namespace },
      spec: { replicas: 3, image: images.synod },
    });
  };

  const remove = async (): Promise<void> => {
    const { cluster } = release;
    await cluster.deleteResource();
    await cluster.view.until("the pods are gone", 60_000, () => cluster.pods.length > 0 ? `there are ${cluster.pods.length}` : null);
  };

  const clusterIds = async (): Promise<readonly (string | null)[]> => {
    const { cluster } = release;
    const statuses = await Promise.all(cluster.pods.map(({ metadata }) => cluster.ask<Status>(metadata?.name ?? "", "/v1/status")));
    return [...new Set(statuses.map((status) => status.cluster))];
  };

  beforeAll(async () => {
    const { images, place } = here();
    release = await Release.install(place, { image: images.synod, values: { cluster: { enabled: false } } });
    await release.controller.untilReady(60_000);
  });

  test("pods that start in any order, some of them twice, make one cluster", async () => {
    const { cluster } = release;
    await create();
    for (const ordinal of [2, 0, 1, 0]) {
      const name = podName(cluster.name, ordinal);
      await cluster.view.until(`${name} is there`, 60_000, () => cluster.view.pods.named(name) === null ? "it is not" : null);
      await cluster.delete("pod", name, "--force", "--grace-period=0");
    }
    await cluster.untilFullStrength(START_BOUND_MS);
    id = cluster.resource.status?.clusterId;
    expect(await clusterIds()).toEqual([id]);
    await new Keys(cluster).put("kept", "from the first life");
  });

  test("the PaxosCluster deleted and created again on its volumes is the same cluster with the same data", async () => {
    const { cluster } = release;
    await remove();
    await create();
    await cluster.untilFullStrength(START_BOUND_MS);
    expect(await clusterIds()).toEqual([id]);
    expect(await new Keys(cluster).get("kept")).toBe("from the first life");
  });

  test("with one volume missing its member is replaced, and nothing is founded anew", async () => {
    const { cluster } = release;
    const before = cluster.resource.status?.members?.map(({ incarnation }) => incarnation) ?? [];
    await remove();
    await cluster.delete("pvc", claimName(cluster.name, 1));
    await create();
    await cluster.untilFullStrength(START_BOUND_MS);
    expect(await clusterIds()).toEqual([id]);
    expect(await new Keys(cluster).get("kept")).toBe("from the first life");
    const after = cluster.resource.status?.members?.map(({ incarnation }) => incarnation) ?? [];
    expect(after.filter((incarnation) => before.includes(incarnation))).toHaveLength(2);
  });

  test("with all volumes missing there is nothing to keep, and a new cluster is founded", async () => {
    const { cluster } = release;
    await remove();
    await Promise.all([0, 1, 2].map((ordinal) => cluster.delete("pvc", claimName(cluster.name, ordinal))));
    await create();
    await cluster.untilFullStrength(START_BOUND_MS);
    const ids = await clusterIds();
    expect(ids).toHaveLength(1);
    expect(ids).not.toContain(id);
  });

  test("all volumes lost under a running cluster is a lost cluster: a condition says so, and nothing is founded anew", async () => {
    const { cluster } = release;
    const [lost] = await clusterIds();
    // The claims first: a pod that is made anew before its claim is on its way out would keep it.
    const claims = [0, 1, 2].map((ordinal) => claimName(cluster.name, ordinal));
    const lostUids = claims.map((claim) => cluster.view.claims.named(claim)?.metadata?.uid);
    await cluster.kubectl("delete", "pvc", ...claims, "--wait=false");
    await Promise.all([0, 1, 2].map((ordinal) => cluster.delete("pod", podName(cluster.name, ordinal), "--force", "--grace-period=0")));
    await cluster.view.until("the claims are gone", 120_000, () =>
      claims.some((claim, ordinal) => cluster.view.claims.named(claim)?.metadata?.uid === lostUids[ordinal]) ? "some are still there" : null);
    await cluster.view.until("the lost quorum is told", 120_000, () => cluster.condition("Quorate")?.status === "False" ? null : "it is not");
    expect(cluster.condition("Quorate")?.message).not.toBe("");
    const bootstrap = cluster.view.configMaps.named(cluster.names.bootstrapConfigMap);
    expect(JSON.stringify(bootstrap?.data)).toContain(lost);
    await until("the new volumes belong to no cluster", 60_000, async () => {
      const ids = (await cluster.statuses()).map((status) => status.cluster);
      return ids.length === 3 && ids.every((one) => one === null) ? null : `they belong to ${ids.join(", ")}`;
    });
  });
});
