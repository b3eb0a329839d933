import { setTimeout as pause } from "node:timers/promises";
import type { V1Lease } from "@kubernetes/client-node";
import { beforeAll, describe, expect, test } from "vitest";
import type { Members } from "../../src/client/types.ts";
import { claimName, podName } from "../../src/controller/resource/names.ts";
import { freeze } from "./support/freeze.ts";
import { LeaderEvents } from "./support/leader-events.ts";
import { Release } from "./support/release.ts";
import { scene } from "./support/scene.ts";
import { until } from "./support/until.ts";

const START_BOUND_MS = 120_000;
/** The Lease's failover, and the second that a controller at work has. */
const FAILOVER_BOUND_MS = 6_000;
/** The kubelets are asked for it; left alone they take up to a minute and a half. */
const NEW_KEY_BOUND_MS = 15_000;
/** Long enough for a controller that wakes to do what it had begun, and to find that it does not lead any more. */
const AWAKE_MS = 10_000;

describe("two controllers", () => {
  const here = scene("controllers");
  let release: Release;

  beforeAll(async () => {
    const { images, place } = here();
    release = await Release.install(place, { image: images.synod, values: { controller: { replicas: 2 } } });
    await release.cluster.untilFullStrength(START_BOUND_MS);
    await release.controller.untilReady(60_000);
  });

  /** The pod that holds the Lease. */
  const holder = async (): Promise<string> => {
    const { api, namespace } = here().place;
    const { items } = await api.json<{ items: readonly V1Lease[] }>(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`);
    const names = items.map(({ spec }) => spec?.holderIdentity?.split("_")[0] ?? "");
    return release.controller.podNames.find((pod) => names.includes(pod)) ?? "nobody";
  };

  test("when the working one is lost together with the leader, the other shows who leads within its Lease's time", async () => {
    const { cluster, controller } = release;
    const { place } = here();
    const old = await cluster.leader();
    const events = new LeaderEvents(place.api, cluster);
    try {
      await events.listening(20_000);
      const lost = await holder();
      await Promise.all([
        place.kubectl("delete", "pod", lost, "--force", "--grace-period=0", "--wait=false"),
        cluster.delete("pod", old, "--force", "--grace-period=0"),
      ]);
      const elected = await events.next(old, 20_000);
      const board = (): string | undefined => cluster.view.configMaps.named(cluster.names.leaderConfigMap)?.data?.["leader"];
      await cluster.view.until("the ConfigMap shows the new leader", 20_000, () => board() === elected.leader ? null : `it shows ${board()}`);
      expect(performance.now() - elected.atMs).toBeLessThan(FAILOVER_BOUND_MS);
    } finally {
      await events.stop();
    }
    await cluster.untilFullStrength(START_BOUND_MS);
    await controller.untilReady(60_000);
  });

  test("that come back to a lost Secret, whose key nobody knows, bring the members a new one at once and restart none", async () => {
    const { cluster, controller } = release;
    const { place } = here();
    const lives = (): readonly unknown[] => cluster.pods.map(({ metadata, status }) => [metadata?.uid, status?.containerStatuses?.[0]?.restartCount]);
    const before = lives();
    await place.kubectl("scale", "deployment", `${release.name}-controller`, "--replicas=0");
    await cluster.view.until("no controller is left", 60_000, () => controller.podNames.length === 0 ? null : controller.podNames.join(", "));
    const lost = new Set((await cluster.statuses()).flatMap(({ keys }) => keys));
    await cluster.delete("secret", cluster.names.keySecret);
    await place.kubectl("scale", "deployment", `${release.name}-controller`, "--replicas=2");
    await cluster.view.until("there is a Secret again", 60_000, () => cluster.view.secrets.named(cluster.names.keySecret) === null ? "there is none" : null);
    await until("every member sends a new key", NEW_KEY_BOUND_MS, async () => {
      const sent = (await cluster.statuses()).map(({ keys }) => keys[0] ?? "");
      return sent.length === 3 && new Set(sent).size === 1 && !sent.some((key) => lost.has(key)) ? null : sent.join(", ");
    });
    await cluster.untilFullStrength(START_BOUND_MS);
    await controller.untilReady(60_000);
    expect(lives()).toEqual(before);
  });

  test("one that freezes is succeeded by the other, and does no harm when it wakes", async ({ skip }) => {
    const { node } = here().target;
    if (node === null) return skip("it needs the machine that is the node");
    const { cluster } = release;
    const frozen = await holder();
    // It falls asleep in the middle of the work on a volume that was lost.
    await Promise.all([cluster.delete("pvc", claimName(cluster.name, 1)), cluster.delete("pod", podName(cluster.name, 1))]);
    const thaw = freeze(await node.processesOf(cluster.namespace, frozen));
    try {
      await cluster.untilFullStrength(START_BOUND_MS);
      expect(await holder()).not.toBe(frozen);
    } finally {
      thaw();
    }
    const leader = await cluster.leader();
    const before = await cluster.ask<Members>(leader, "/v1/members");
    const pods = cluster.pods.map(({ metadata }) => metadata?.uid);
    await pause(AWAKE_MS);
    expect((await cluster.ask<Members>(leader, "/v1/members")).configuration).toBe(before.configuration);
    expect(cluster.pods.map(({ metadata }) => metadata?.uid)).toEqual(pods);
    await cluster.untilFullStrength(1_000);
  });
});
