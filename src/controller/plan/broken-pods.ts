import type { ObservedPod } from "./observed.ts";
import { ordinalsBelow, type Situation } from "./situation.ts";
import { act, type Step, wait } from "./step.ts";

/** A pod is given so long to show whether a restart helped. */
const RESTART_MS = 60_000;

/**
 * Replaces a pod that does not run and is of an older revision: what it waits for may be mended by the newer one, and it has nothing
 * to lose. So a bad image is got rid of by setting a good one, quorum or not.
 */
export function reviveOutdated({ observed: { statefulSet, pods } }: Situation): Step | null {
  if (statefulSet === null || !statefulSet.settled) return null;
  const dead = inOrder(pods).find((pod) => !pod.running && !pod.terminating && pod.ordinal < statefulSet.replicas && pod.revision !== statefulSet.updateRevision);
  if (dead === undefined) return null;
  const { name, uid, waiting } = dead;
  return act([{ type: "deletePod", name, uid }], "RollingUpdate", `Replacing ${name}, which does not run (${waiting ?? "not started"}), by a pod of the present revision.`);
}

/**
 * Restarts a member that fenced itself because its disk failed; whether the disk is well again only a new process can tell, which reads
 * everything anew (rule 15). One at a time, and each at most once a minute.
 */
export function restartFenced(situation: Situation): Step | null {
  const { observed: { nowMs }, members, pods } = situation;
  const fenced = inOrder([...pods.values()]).filter(({ ordinal }) => members.get(ordinal)?.fence?.kind === "disk");
  if (fenced.length === 0) return null;
  const restarting = [...pods.values()].some((pod) => pod.terminating || (!members.has(pod.ordinal) && nowMs - pod.createdMs < RESTART_MS));
  const due = fenced.find(({ createdMs }) => nowMs - createdMs >= RESTART_MS);
  if (restarting || due === undefined) return wait("Restarting", "Members whose disks failed are restarted one after the other.");
  const { name, uid, ordinal } = due;
  return act([{ type: "deletePod", name, uid }], "Restarting", `Restarting ${name}: ${members.get(ordinal)?.fence?.reason ?? "its disk failed"}`);
}

/** Pods by ordinal, as numbers. */
export function inOrder(pods: readonly ObservedPod[]): ObservedPod[] {
  return [...pods].sort((one, other) => one.ordinal - other.ordinal);
}

/** The pods of these ordinals, null where one is missing. */
export function podsBelow({ pods }: Situation, count: number): readonly ObservedPod[] | null {
  const all = ordinalsBelow(count).map((ordinal) => pods.get(ordinal)).filter((pod) => pod !== undefined);
  return all.length === count ? all : null;
}
