import { setTimeout as pause } from "node:timers/promises";
import { type Cut, cutOff } from "../support/cut.ts";
import type { Fault, Stage } from "./fault.ts";

/** How long a cut lasts at least. */
const CUT_MS = 10_000;

async function cutPod(stage: Stage, pod: string, cut: Cut): Promise<void> {
  const { cluster, load, heals } = stage;
  const { podIP = "", hostIP = "" } = cluster.pod(pod).status ?? {};
  heals(await cutOff(podIP, hostIP, cut));
  await pause(CUT_MS);
  await load.acknowledged(20, 30_000);
}

function leaderCut(name: string, cut: Cut): Fault {
  return {
    name, needs: "node", boundMs: 60_000, usualMs: 20_000, maxGapMs: 10_000,
    inject: async (stage) => cutPod(stage, await stage.cluster.leader(), cut),
  };
}

function followerCut(name: string, cut: Cut): Fault {
  return {
    name, needs: "node", boundMs: 60_000, usualMs: 20_000, maxGapMs: 10_000,
    inject: async (stage) => cutPod(stage, stage.random.pick(await stage.cluster.followers()), cut),
  };
}

export const NETWORK_FAULTS: readonly Fault[] = [
  leaderCut("cut the leader's pod off", "whole"),
  leaderCut("cut off what the leader's pod says", "unheard"),
  leaderCut("cut off what the leader's pod is told", "deaf"),
  followerCut("cut a follower's pod off", "whole"),
  followerCut("cut off what a follower's pod says", "unheard"),
  followerCut("cut off what a follower's pod is told", "deaf"),
];
