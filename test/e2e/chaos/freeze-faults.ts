import { setTimeout as pause } from "node:timers/promises";
import { freeze } from "../support/freeze.ts";
import type { Fault, Stage } from "./fault.ts";

/** Long enough for the others to go on without it. */
const MEMBER_FROZEN_MS = 10_000;
/** Longer than the controller's Lease. */
const CONTROLLER_FROZEN_MS = 30_000;

async function freezePod({ node, cluster, heals }: Stage, pod: string): Promise<void> {
  const thaw = freeze(await node().processesOf(cluster.namespace, pod));
  heals(async () => thaw());
}

async function freezeMember(stage: Stage, pod: string): Promise<void> {
  await freezePod(stage, pod);
  await pause(MEMBER_FROZEN_MS);
  await stage.load.acknowledged(20, 30_000);
}

export const FREEZE_FAULTS: readonly Fault[] = [
  {
    name: "freeze the leader",
    needs: "node",
    boundMs: 90_000,
    usualMs: 25_000,
    maxGapMs: 10_000,
    inject: async (stage) => freezeMember(stage, await stage.cluster.leader()),
  },
  {
    name: "freeze a follower",
    needs: "node",
    boundMs: 90_000,
    usualMs: 25_000,
    maxGapMs: 5_000,
    inject: async (stage) => freezeMember(stage, stage.random.pick(await stage.cluster.followers())),
  },
  {
    name: "freeze the controller for 30 s, and delete a pod meanwhile",
    needs: "node",
    boundMs: 90_000,
    usualMs: 45_000,
    maxGapMs: 5_000,
    async inject(stage) {
      const { cluster, controller, random } = stage;
      for (const pod of controller.podNames) await freezePod(stage, pod);
      const begunMs = performance.now();
      await cluster.delete("pod", random.pick(await cluster.followers()));
      await pause(CONTROLLER_FROZEN_MS - (performance.now() - begunMs));
    },
  },
];
