import { setTimeout as pause } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { beforeAll, describe, expect, test } from "vitest";
import type { List } from "./support/api.ts";
import { Release } from "./support/release.ts";
import { scene } from "./support/scene.ts";

const START_BOUND_MS = 120_000;
/** Longer than a periodic relist or look at the cluster. */
const WATCHED_MS = 60_000;

/** Everything in the namespace that the controller or the members could write, but for the Lease, whose renewal is its purpose. */
const COLLECTIONS = [
  "/api/v1/@/pods", "/api/v1/@/persistentvolumeclaims", "/api/v1/@/services", "/api/v1/@/configmaps", "/api/v1/@/secrets",
  "/api/v1/@/serviceaccounts", "/api/v1/@/events", "/apis/apps/v1/@/statefulsets", "/apis/policy/v1/@/poddisruptionbudgets",
  "/apis/networking.k8s.io/v1/@/networkpolicies", "/apis/synod.dev/v1alpha1/@/paxosclusters",
];

describe("a healthy cluster", () => {
  const here = scene("quiet");

  beforeAll(async () => {
    const { images, place } = here();
    const release = await Release.install(place, { image: images.synod });
    await release.cluster.untilFullStrength(START_BOUND_MS);
  });

  /** Each object's version, by path and name. */
  const versions = async (): Promise<Readonly<Record<string, string>>> => {
    const { place } = here();
    const lists = await Promise.all(COLLECTIONS.map(async (collection) => {
      const { items } = await place.api.json<List>(collection.replace("@", `namespaces/${place.namespace}`));
      // Kubernetes itself may repeat an Event of its own, such as one of the volumes of a pod that runs by now.
      const ours = items.filter((item: KubernetesObject & { readonly reportingComponent?: string }) => item.kind !== "Event" && item.reportingComponent === undefined || item.reportingComponent?.startsWith("synod") === true);
      return ours.map(({ metadata }: KubernetesObject) => [`${collection} ${metadata?.name}`, metadata?.resourceVersion ?? ""] as const);
    }));
    return Object.fromEntries(lists.flat());
  };

  test("is left alone: for a minute nobody writes to any of its objects", async () => {
    const before = await versions();
    await pause(WATCHED_MS);
    expect(await versions()).toEqual(before);
  });
});
