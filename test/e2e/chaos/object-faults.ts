import type { Fault, Stage } from "./fault.ts";

const REMADE_BOUND_MS = 30_000;

type Kind = "secret" | "configmap" | "service" | "statefulset";

/** Deletes an object and waits for its successor. */
async function deleteAndAwait({ cluster }: Stage, kind: Kind, name: string, ...options: readonly string[]): Promise<void> {
  const { secrets, configMaps, services, statefulSets } = cluster.view;
  const mirror = { secret: secrets, configmap: configMaps, service: services, statefulset: statefulSets }[kind];
  await cluster.delete(kind, name, ...options);
  await cluster.view.until(`${kind} ${name} is made again`, REMADE_BOUND_MS, () => mirror.named(name) === null ? "it is not there" : null);
}

export const OBJECT_FAULTS: readonly Fault[] = [
  {
    name: "delete the Secret",
    boundMs: 180_000,
    usualMs: 15_000,
    maxGapMs: 5_000,
    inject: (stage) => deleteAndAwait(stage, "secret", stage.cluster.names.keySecret),
  },
  {
    name: "rotate the key",
    boundMs: 180_000,
    usualMs: 15_000,
    maxGapMs: 5_000,
    async inject({ cluster }) {
      const keyRotatedAt = new Date().toISOString();
      await cluster.patchSpec({ security: { keyRotatedAt } });
      await cluster.view.until("the key is rotated", 120_000, () => cluster.resource.status?.keyRotatedAt === keyRotatedAt ? null : "it is not");
    },
  },
  {
    name: "delete the leader's ConfigMap",
    boundMs: 60_000,
    usualMs: 5_000,
    maxGapMs: 2_000,
    inject: (stage) => deleteAndAwait(stage, "configmap", stage.cluster.names.leaderConfigMap),
  },
  {
    name: "delete the Services",
    boundMs: 60_000,
    usualMs: 10_000,
    async inject(stage) {
      const { members, client, leader } = stage.cluster.names;
      await Promise.all([members, client, leader].map((name) => deleteAndAwait(stage, "service", name)));
    },
  },
  {
    name: "delete the StatefulSet",
    boundMs: 120_000,
    usualMs: 30_000,
    inject: (stage) => deleteAndAwait(stage, "statefulset", stage.cluster.names.statefulSet),
  },
  {
    name: "delete the StatefulSet and leave its pods",
    boundMs: 90_000,
    usualMs: 10_000,
    maxGapMs: 2_000,
    inject: (stage) => deleteAndAwait(stage, "statefulset", stage.cluster.names.statefulSet, "--cascade=orphan"),
  },
];
