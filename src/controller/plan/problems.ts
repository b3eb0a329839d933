import { asSentence } from "../../errors/sentence.ts";
import { majorityOf } from "../../paxos/configuration.ts";
import { namesOf, podName } from "../resource/names.ts";
import type { ObservedPod } from "./observed.ts";
import { claimedOrdinals } from "./replicas.ts";
import { inOrder } from "./broken-pods.ts";
import { isFounder, isForeign, ordinalsBelow, seatsOf, type Situation, unreadyMs } from "./situation.ts";
import { seatOrdinal, votersOf } from "./seats.ts";
import type { Remark } from "./step.ts";
import { isGrowing } from "./volumes.ts";

/** A pod that is not ready for so long is worth a word. */
const SLOW_MS = 120_000;
/** A pod that has not started, or has not been made, for so long. */
const UNSTARTED_MS = 30_000;
/** What a container does not get over by waiting. Other reasons pass, as a rule. */
const FAILED = new Set([
  "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
]);

/** What is wrong and does not mend itself, the gravest first. */
export function problemsOf(situation: Situation): readonly Remark[] {
  return [allVolumesLost(situation) ?? majorityLost(situation), ...foreignVolumes(situation), ...fencedMembers(situation), ...missingPods(situation), ...failingPods(situation), refused(situation)].filter((problem) => problem !== null);
}

/** Every member that is wanted has an empty folder although the cluster was founded: starting anew would silently forget what was acknowledged. */
function allVolumesLost(situation: Situation): Remark | null {
  const { observed: { statefulSet }, clusterId, desired, members, name } = situation;
  if (clusterId === null) return null;
  const count = Math.max(desired, statefulSet?.replicas ?? 0, claimedOrdinals(situation));
  const lost = ordinalsBelow(count).every((ordinal) => {
    const member = members.get(ordinal);
    return member !== undefined && member.cluster === null && member.fence === null && !isFounder(situation, member.incarnation);
  });
  return !lost ? null : {
    reason: "AllVolumesLost",
    message: `All volumes of cluster ${clusterId} are empty: its data is gone, and no new cluster is founded on its own. Restore the volumes; or, to begin with an empty cluster, delete the PaxosCluster, `
      + `its claims (data-${name}-0, …) and the ConfigMap ${namesOf(name).bootstrapConfigMap}, and create it again.`,
  };
}

/** The voters that are left, as they know the configuration, are too few for ever: the others' pods run on empty volumes. */
function majorityLost({ configuration, members, name }: Situation): Remark | null {
  if (configuration === null || configuration.fromLeader) return null;
  const voters = votersOf(configuration);
  const lost = voters.filter((voter) => {
    const ordinal = seatOrdinal(name, voter);
    const member = ordinal === null ? undefined : members.get(ordinal);
    return member !== undefined && member.incarnation !== voter.id;
  });
  return voters.length - lost.length >= majorityOf(voters.length) ? null : {
    reason: "MajorityLost",
    message: `The volumes of ${lost.map((voter) => voter.name).join(", ")} are gone, and the other members cannot know what those acknowledged: nothing goes on by itself. If the volumes cannot be brought back, `
      + `recover the cluster from one that is left, as docs/kubernetes/operations.md says under "A lost quorum".`,
  };
}

function foreignVolumes(situation: Situation): readonly Remark[] {
  const { members, clusterId } = situation;
  const told = new Set([...members.values()].map(({ cluster }) => cluster).filter((id) => id !== null));
  if (clusterId === null) {
    return told.size < 2 ? [] : [{
      reason: "ForeignVolume",
      message: `The volumes carry different clusters (${[...told].join(", ")}), and nothing tells which is meant. Remove the claims of the others, or restore the bootstrap ConfigMap.`,
    }];
  }
  const foreign = [...members.values()].filter((member) => isForeign(situation, member));
  return foreign.map(({ name, cluster }) => ({
    reason: "ForeignVolume",
    message: `The volume of ${name} belongs to cluster ${cluster}, not to ${clusterId}; it is left alone. Restore the right volume, or delete the claim data-${name} and the pod to let it join with an empty one.`,
  }));
}

function fencedMembers({ members }: Situation): readonly Remark[] {
  return [...members.values()].flatMap(({ name, fence }) => (fence === null ? [] : [{
    reason: "MemberFenced",
    message: `${name} does not vote (${fence.kind}): ${fence.reason} ${fence.kind === "disk" ? "It is restarted once a minute; look after its volume." : "It begins anew once a majority of the others is alive."}`,
  }]));
}

/** What the API server did not take, such as limits below the requests. */
function refused(situation: Situation): Remark | null {
  const { refusal } = situation.observed;
  if (refusal === null) return null;
  const remedy = isGrowing(situation)
    ? " Volumes grow only where their StorageClass says allowVolumeExpansion: true: set that, or leave it, and everything goes on with the volumes as they are."
    : "";
  return { reason: "Refused", message: `Kubernetes does not take what the spec asks for: ${asSentence(refusal)}${remedy}` };
}

/** Pods that are not even made: a quota, an admission rule or a priority class is in the way, and only the StatefulSet's events say which. */
function missingPods(situation: Situation): readonly Remark[] {
  const { observed: { statefulSet }, desired, pods, name } = situation;
  const missing = ordinalsBelow(Math.min(desired, statefulSet?.replicas ?? 0)).filter((ordinal) => !pods.has(ordinal)).map((ordinal) => podName(name, ordinal));
  if (missing.length === 0 || unreadyMs(situation.observed) < UNSTARTED_MS) return [];
  return [{ reason: "PodsNotMade", message: `${missing.join(", ")}: no such pod is made. See kubectl describe statefulset ${namesOf(name).statefulSet}, whose events say why.` }];
}

function failingPods(situation: Situation): readonly Remark[] {
  const { observed: { nowMs, statefulSet }, desired, pods } = situation;
  return inOrder([...pods.values()]).filter(({ ordinal, terminating }) => ordinal < desired && !terminating).flatMap((pod) => {
    const why = failure(situation, pod, nowMs);
    if (why === null) return [];
    const stopped = statefulSet?.settled === true && pod.revision === statefulSet.updateRevision && [...pods.values()].some(({ revision }) => revision !== pod.revision);
    return [stopped
      ? { reason: "RolloutStopped", message: `The update stopped at ${pod.name}: ${why}. Set a working image or settings; the others are left as they are.` }
      : { reason: "PodFailing", message: `${pod.name}: ${why}. See kubectl describe pod ${pod.name} and its log.` }];
  });
}

function failure(situation: Situation, { ordinal, name, running, ready, waiting, createdMs }: ObservedPod, nowMs: number): string | null {
  // The kubelet changes between the two for as long as the image cannot be had.
  if (waiting !== null && FAILED.has(waiting)) return waiting === "ErrImagePull" ? "ImagePullBackOff" : waiting;
  if (ready || nowMs - createdMs < (running ? SLOW_MS : UNSTARTED_MS)) return null;
  if (!running) return `it has not started (${waiting ?? "it may not have been scheduled"})`;
  const { configuration } = situation;
  const votes = configuration === null || seatsOf(situation, configuration, ordinal).some(({ role }) => role === "voter");
  return votes ? `${name} runs and is not ready` : null;
}
