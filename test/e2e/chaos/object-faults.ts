import { fingerprintOf } from "../../../src/controller/members/keys.ts";
import { until } from "../support/until.ts";
import type { Fault, Stage } from "./fault.ts";

const REMADE_BOUND_MS = 30_000;
const KEY_BOUND_MS = 180_000;

type Kind = "secret" | "configmap" | "service" | "statefulset";

/** Deletes an object and waits for its successor. */
async function deleteAndAwait({ cluster }: Stage, kind: Kind, name: string, ...options: readonly string[]): Promise<void> {
  const { secrets, configMaps, services, statefulSets } = cluster.view;
  const mirror = { secret: secrets, configmap: configMaps, service: services, statefulset: statefulSets }[kind];
  await cluster.delete(kind, name, ...options);
  await cluster.view.until(`${kind} ${name} is made again`, REMADE_BOUND_MS, () => mirror.named(name) === null ? "it is not there" : null);
}

/** Resolves once every member proves itself with the one key that the Secret has. Kubelets bring a changed Secret to its pods in a minute or two. */
async function untilKeyIsEverywhere({ cluster }: Stage): Promise<void> {
  await until("every member has the key of the Secret, and no other is left", KEY_BOUND_MS, async () => {
    const { current = "", previous } = cluster.view.secrets.named(cluster.names.keySecret)?.data ?? {};
    if (previous !== undefined) return "there are two keys";
    const fingerprint = fingerprintOf(Buffer.from(current, "base64").toString("utf8"));
    const others = (await cluster.statuses()).filter(({ keys }) => keys[0] !== fingerprint);
    return others.length === 0 ? null : `${others.map(({ member }) => member).join(", ")} have another`;
  });
}

export const OBJECT_FAULTS: readonly Fault[] = [
  {
    name: "delete the Secret",
    boundMs: 60_000,
    usualMs: 15_000,
    maxGapMs: 5_000,
    async inject(stage) {
      await deleteAndAwait(stage, "secret", stage.cluster.names.keySecret);
      await untilKeyIsEverywhere(stage);
    },
  },
  {
    name: "rotate the key",
    boundMs: 60_000,
    usualMs: 15_000,
    maxGapMs: 5_000,
    async inject(stage) {
      const { cluster } = stage;
      const keyRotatedAt = new Date().toISOString();
      await cluster.patchSpec({ security: { keyRotatedAt } });
      await cluster.view.until("the key is rotated", KEY_BOUND_MS, () => cluster.resource.status?.keyRotatedAt === keyRotatedAt ? null : "it is not");
      await untilKeyIsEverywhere(stage);
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
