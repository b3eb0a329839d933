import { podName } from "../../../src/controller/resource/names.ts";
import type { Fault, Stage } from "./fault.ts";

const EACH_BOUND_MS = 180_000;

/** Back to the size at the start, whatever became of the fault. */
function healSize({ cluster, heals }: Stage): void {
  const { replicas } = cluster.resource.spec;
  heals(async () => {
    if (cluster.resource.spec.replicas !== replicas) await cluster.scale(replicas);
  });
}

export const SCALE_FAULTS: readonly Fault[] = [
  {
    name: "scale 3, 5, 3, 1, 3",
    boundMs: EACH_BOUND_MS,
    usualMs: 120_000,
    maxGapMs: 5_000,
    async inject(stage) {
      healSize(stage);
      for (const replicas of [5, 3, 1, 3]) {
        await stage.cluster.scale(replicas);
        await stage.cluster.untilFullStrength(EACH_BOUND_MS);
      }
    },
  },
  {
    name: "kill the controller in the middle of scaling up and down",
    boundMs: EACH_BOUND_MS,
    usualMs: 90_000,
    maxGapMs: 5_000,
    async inject(stage) {
      const { cluster, controller } = stage;
      const { replicas } = cluster.resource.spec;
      healSize(stage);
      await cluster.scale(replicas + 2);
      await cluster.view.until("the first new pod is there", 60_000, () => cluster.view.pods.named(podName(cluster.name, replicas)) === null ? "it is not" : null);
      await controller.kill();
      await cluster.untilFullStrength(EACH_BOUND_MS);
      const seats = cluster.resource.status?.members?.length ?? 0;
      await cluster.scale(replicas);
      await cluster.view.until("the first member has left", 60_000, () => (cluster.resource.status?.members?.length ?? 0) < seats ? null : "none has");
      await controller.kill();
    },
  },
  {
    name: "edit the StatefulSet's replicas by hand",
    boundMs: 90_000,
    usualMs: 20_000,
    async inject({ cluster }) {
      const before = cluster.view.statefulSets.named(cluster.names.statefulSet)?.metadata?.generation ?? 0;
      await cluster.kubectl("scale", `statefulset/${cluster.names.statefulSet}`, "--replicas=1");
      await cluster.view.until("the edit is seen", 30_000, () =>
        (cluster.view.statefulSets.named(cluster.names.statefulSet)?.metadata?.generation ?? 0) > before ? null : "it is not");
    },
  },
];
