import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { type BrokenImages, prepareBrokenImages } from "./support/images.ts";
import { podState } from "./support/paxos-under-test.ts";
import { LoadRun } from "./support/load-run.ts";
import { Release } from "./support/release.ts";
import { scene } from "./support/scene.ts";

const START_BOUND_MS = 120_000;
const ROLL_BOUND_MS = 180_000;
/** How long a roll-out that should stop is watched for going on. */
const WATCHED_MS = 15_000;
const NO_IMAGE = "localhost/synod-e2e-there-is-no-such-image:1";

describe("a roll-out that does not come up", () => {
  const here = scene("rolling");
  let release: Release;
  let load: LoadRun;
  /** Null where no image can be built for the cluster. */
  let broken: BrokenImages | null;

  beforeAll(async () => {
    const { images, place, target } = here();
    broken = target.node === null ? null : await prepareBrokenImages(target.node, images.synod);
    release = await Release.install(place, { image: images.synod });
    const { cluster } = release;
    await cluster.untilFullStrength(START_BOUND_MS);
    load = await LoadRun.start(place.api, { name: "load", namespace: place.namespace, image: images.synod, endpoints: cluster.addresses(3), seed: 9 });
  });

  /** Rolls the image out and shows that one follower is all that it gets; and that the image of before brings the cluster back. */
  const stopsAtOne = async (image: string, state: RegExp): Promise<void> => {
    const { cluster } = release;
    const { image: before } = cluster.resource.spec;
    const leader = await cluster.leader();
    const fromNs = load.nowNs();
    const given = (): readonly string[] => cluster.pods.filter(({ spec }) => spec?.containers[0]?.image === image).map(podState);
    await cluster.patchSpec({ image });
    await cluster.view.until(`a pod with ${image} is ${state}`, 90_000, () => given().some((pod) => state.test(pod)) ? null : given().join(", "));
    await pause(WATCHED_MS);
    expect(given()).toHaveLength(1);
    expect(given()[0]).not.toContain(`${leader} `);
    expect(cluster.condition("Quorate")?.status).toBe("True");
    const told = [cluster.condition("Degraded"), cluster.condition("Progressing"), cluster.condition("Ready")].map((condition) => condition?.message).join(" ");
    expect(told).toContain(given()[0]?.split(" ")[0]);
    await cluster.patchSpec({ image: before });
    await cluster.untilFullStrength(ROLL_BOUND_MS);
    await load.requireGapWithin(2_000, fromNs);
    await load.check();
  };

  test("for an image that is missing stops at the first member, and goes back", () => stopsAtOne(NO_IMAGE, /Image/));

  test("for an image that crashes stops at the first member, and goes back", async ({ skip }) => {
    if (broken === null) return skip("there is no crashing image for this cluster");
    await stopsAtOne(broken.crashing, /CrashLoopBackOff/);
  });

  test("for an image that is never ready stops at the first member, and goes back", async ({ skip }) => {
    if (broken === null) return skip("there is no image that is never ready for this cluster");
    await stopsAtOne(broken.neverReady, /Running/);
  });

  test("meanwhile no acknowledged write was lost", async () => {
    expect((await load.end()).writes).toBeGreaterThan(100);
  });
});
