import { podName } from "../resource/names.ts";
import type { Observed, ObservedConfiguration, ObservedMember, ObservedPod, ObservedSeat } from "./observed.ts";
import { hasLiveQuorum, seatOrdinal, votersOf } from "./seats.ts";
import { parseRfc3339 } from "./time.ts";

/** What is observed, with what follows from it at once. */
export interface Situation {
  readonly observed: Observed;
  readonly name: string;
  /** How many members are wanted: from the resource only, never from what is there. */
  readonly desired: number;
  /** The id of this Paxos cluster, null while it is not founded or not known. */
  readonly clusterId: string | null;
  readonly pods: ReadonlyMap<number, ObservedPod>;
  /** Those members that answered from the pod that there is now, under its name. */
  readonly members: ReadonlyMap<number, ObservedMember>;
  /** That of this cluster, from whoever told it. */
  readonly configuration: ObservedConfiguration | null;
  /** The leader's own, with no change under way and a majority alive: what changes may be planned from. */
  readonly stable: ObservedConfiguration | null;
}

export function situationOf(observed: Observed): Situation {
  const { name } = observed.cluster.metadata;
  const desired = observed.cluster.spec.replicas;
  const pods = new Map(observed.pods.map((pod) => [pod.ordinal, pod]));
  const members = new Map(observed.members.filter((member) => speaksForPod(name, member, pods)).map((member) => [member.ordinal, member]));
  const clusterId = clusterIdOf(observed, desired, members);
  const configuration = observed.configuration !== null && observed.configuration.cluster === clusterId ? observed.configuration : null;
  return { observed, name, desired, clusterId, pods, members, configuration, stable: stableOf(configuration) };
}

/** An answer of an older pod says nothing about the present one, and a pod that ends soon is not one to build on. */
function speaksForPod(cluster: string, member: ObservedMember, pods: ReadonlyMap<number, ObservedPod>): boolean {
  const pod = pods.get(member.ordinal);
  return pod !== undefined && pod.uid === member.podUid && !pod.terminating && member.name === podName(cluster, member.ordinal);
}

/**
 * Whose members these are. Without the founding document and without a status only volumes can tell, and one of them may be a foreign
 * one: all must have been asked, and tell of one cluster.
 */
function clusterIdOf({ bootstrap, cluster }: Observed, desired: number, members: ReadonlyMap<number, ObservedMember>): string | null {
  const known = bootstrap?.cluster ?? cluster.status?.clusterId;
  if (known !== undefined) return known;
  const told = new Set([...members.values()].map((member) => member.cluster).filter((id) => id !== null));
  const [only = null] = told;
  return told.size === 1 && ordinalsBelow(desired).every((ordinal) => members.has(ordinal)) ? only : null;
}

function stableOf(configuration: ObservedConfiguration | null): ObservedConfiguration | null {
  if (configuration === null || !configuration.fromLeader || configuration.pending !== false) return null;
  return hasLiveQuorum(votersOf(configuration)) ? configuration : null;
}

export function ordinalsBelow(count: number): readonly number[] {
  return Array.from({ length: count }, (_, ordinal) => ordinal);
}

/** The seats of a pod: the voter and, while it is replaced, the learner. */
export function seatsOf(situation: Situation, configuration: ObservedConfiguration, ordinal: number): readonly ObservedSeat[] {
  return configuration.seats.filter((seat) => seatOrdinal(situation.name, seat) === ordinal);
}

/** The founding document names this incarnation. */
export function isFounder({ observed: { bootstrap } }: Situation, incarnation: string): boolean {
  return bootstrap !== null && bootstrap.voters.some((voter) => voter.incarnation === incarnation);
}

/** Its volume belongs to another cluster. */
export function isForeign({ clusterId }: Situation, { cluster }: ObservedMember): boolean {
  return cluster !== null && clusterId !== null && cluster !== clusterId;
}

/** For how long the condition Ready has been false; 0 while it is not. */
export function unreadyMs({ cluster, nowMs }: Observed): number {
  const ready = cluster.status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "False" ? nowMs - (parseRfc3339(ready.lastTransitionTime) ?? nowMs) : 0;
}
