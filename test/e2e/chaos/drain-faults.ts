import { INSTANCE_LABEL } from "../../../src/controller/resource/names.ts";
import { CommandError } from "../support/run-command.ts";
import type { Fault } from "./fault.ts";

/** How long the drain goes on trying to evict what the budget holds back. */
const DRAIN_SECONDS = 15;

export const DRAIN_FAULTS: readonly Fault[] = [
  {
    name: "drain the node with the disruption budget in the way",
    boundMs: 120_000,
    usualMs: 40_000,
    maxGapMs: 5_000,
    async inject({ cluster, load, heals }) {
      const leader = cluster.pod(await cluster.leader());
      const node = leader.spec?.nodeName ?? "";
      const before = cluster.pods.filter(({ spec }) => spec?.nodeName === node).map(({ metadata }) => metadata?.uid);
      heals(() => cluster.kubectl("uncordon", node));
      const selector = `${INSTANCE_LABEL}=${cluster.pods[0]?.metadata?.labels?.[INSTANCE_LABEL]},app.kubernetes.io/component=member`;
      const refused = await cluster
        .kubectl("drain", node, `--pod-selector=${selector}`, "--ignore-daemonsets", "--delete-emptydir-data", `--timeout=${DRAIN_SECONDS}s`)
        .then(() => null, (error: Error) => error);
      const left = cluster.pods.filter(({ metadata }) => before.includes(metadata?.uid)).length;
      // Where all members share a node, the evicted one has nowhere to go and the budget keeps the rest.
      if (before.length === cluster.resource.spec.replicas) {
        if (!(refused instanceof CommandError) || !/disruption budget/.test(refused.stderr)) throw refused ?? new Error("the drain was not held back");
        if (left !== before.length - 1) throw new Error(`${before.length - left} pods were evicted, not one`);
      }
      await load.acknowledged(20, 10_000);
    },
  },
];
