import { claimName, ordinalOf } from "../../../src/controller/resource/names.ts";
import type { PaxosUnderTest } from "../support/paxos-under-test.ts";
import type { Fault } from "./fault.ts";

/** Without a chance for the process to end well, and without a wait for its end. */
const FORCED = ["--force", "--grace-period=0"];

async function deleteAll(cluster: PaxosUnderTest, names: readonly string[], options: readonly string[] = []): Promise<void> {
  await Promise.all(names.map((name) => cluster.delete("pod", name, ...options)));
}

export const POD_FAULTS: readonly Fault[] = [
  {
    name: "delete the leader's pod",
    boundMs: 60_000,
    usualMs: 15_000,
    maxGapMs: 2_000,
    async inject({ cluster }) {
      await cluster.delete("pod", await cluster.leader());
    },
  },
  {
    name: "delete a follower's pod",
    boundMs: 60_000,
    usualMs: 15_000,
    maxGapMs: 2_000,
    async inject({ cluster, random }) {
      await cluster.delete("pod", random.pick(await cluster.followers()));
    },
  },
  {
    name: "delete a majority of the pods",
    boundMs: 90_000,
    usualMs: 20_000,
    async inject({ cluster }) {
      const [follower = ""] = await cluster.followers();
      await deleteAll(cluster, [await cluster.leader(), follower]);
    },
  },
  {
    name: "delete all pods",
    boundMs: 90_000,
    usualMs: 20_000,
    async inject({ cluster }) {
      await deleteAll(cluster, cluster.pods.map(({ metadata }) => metadata?.name ?? ""));
    },
  },
  {
    name: "delete the leader's pod by force",
    boundMs: 90_000,
    usualMs: 20_000,
    maxGapMs: 10_000,
    async inject({ cluster }) {
      await cluster.delete("pod", await cluster.leader(), ...FORCED);
    },
  },
  {
    name: "delete all pods by force",
    boundMs: 90_000,
    usualMs: 25_000,
    async inject({ cluster }) {
      await deleteAll(cluster, cluster.pods.map(({ metadata }) => metadata?.name ?? ""), FORCED);
    },
  },
  {
    name: "delete a pod with its volume",
    boundMs: 120_000,
    usualMs: 30_000,
    maxGapMs: 10_000,
    async inject({ cluster, random }) {
      const name = random.pick(cluster.pods).metadata?.name ?? "";
      const claim = claimName(cluster.name, ordinalOf(cluster.name, name) ?? 0);
      // The claim waits for its pod's end before it goes.
      const goes = cluster.delete("pvc", claim);
      // Else the pod that is made anew might still keep it.
      const leaving = (): boolean => cluster.view.claims.named(claim)?.metadata?.deletionTimestamp !== undefined;
      await cluster.view.until(`${claim} is on its way out`, 30_000, () => (leaving() ? null : "it is not"));
      await Promise.all([goes, cluster.delete("pod", name)]);
    },
  },
];
