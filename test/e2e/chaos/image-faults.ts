import { setTimeout as pause } from "node:timers/promises";
import { podState } from "../support/paxos-under-test.ts";
import type { Fault } from "./fault.ts";

/** An image that nobody has. */
const NO_IMAGE = "localhost/synod-e2e-there-is-no-such-image:1";
/** How long a broken roll-out is watched for going on to the next member. */
const WATCHED_MS = 10_000;

export const IMAGE_FAULTS: readonly Fault[] = [
  {
    name: "roll a new image",
    needs: "second image",
    boundMs: 180_000,
    usualMs: 60_000,
    maxGapMs: 2_000,
    async inject({ cluster, secondImage, heals }) {
      const { image } = cluster.resource.spec;
      await cluster.patchSpec({ image: secondImage() });
      heals(() => cluster.patchSpec({ image }));
      await cluster.untilFullStrength(180_000);
      const images = cluster.pods.map(({ spec }) => spec?.containers[0]?.image);
      if (images.some((one) => one !== secondImage())) throw new Error(`the pods run ${images.join(", ")}`);
    },
  },
  {
    name: "roll a broken image",
    boundMs: 180_000,
    usualMs: 60_000,
    maxGapMs: 2_000,
    async inject({ cluster, load, heals }) {
      const { image } = cluster.resource.spec;
      const leader = await cluster.leader();
      heals(() => cluster.patchSpec({ image }));
      await cluster.patchSpec({ image: NO_IMAGE });
      const broken = (): readonly string[] => cluster.pods.filter(({ spec }) => spec?.containers[0]?.image === NO_IMAGE).map(podState);
      await cluster.view.until("a pod fails to find its image", 60_000, () => broken().some((state) => /Image/.test(state)) ? null : "none does");
      await pause(WATCHED_MS);
      await load.acknowledged(20, 10_000);
      if (broken().length !== 1) throw new Error(`the broken image went on: ${broken().join(", ")}`);
      if (broken()[0]?.startsWith(`${leader} `)) throw new Error("the leader's pod was the first to be given the broken image");
    },
  },
];
