import { MAX_MEMBERS } from "../../paxos/configuration.ts";
import { seatOrdinal } from "./seats.ts";
import { isFounder, ordinalsBelow, type Situation } from "./situation.ts";

/**
 * How many pods the StatefulSet is to have: those that are wanted, and every one whose member still has a seat (rule 16a). Down it
 * goes only on the word of a leader that has no change under way.
 */
export function statefulSetReplicas(situation: Situation): number {
  const { observed: { statefulSet }, desired, configuration, stable, name, clusterId } = situation;
  const ordinals = configuration?.seats.map((seat) => seatOrdinal(name, seat) ?? -1) ?? [];
  const needed = Math.max(desired, ...ordinals.map((ordinal) => ordinal + 1));
  if (stable !== null) return needed;
  const present = clusterId === null ? 0 : Math.min(statefulSet?.replicas ?? 0, MAX_MEMBERS);
  return Math.max(needed, present, claimsTell(situation) ? claimedOrdinals(situation) : 0);
}

/**
 * Whether volumes of higher ordinals must be looked into, because nobody else can tell who is a member: before a founding, when the
 * StatefulSet is made on kept volumes, and when all that answer have lost theirs.
 */
function claimsTell(situation: Situation): boolean {
  const { observed: { statefulSet }, desired, configuration, members, clusterId } = situation;
  if (clusterId === null) return true;
  if (configuration !== null) return false;
  if (statefulSet === null) return true;
  return ordinalsBelow(Math.max(desired, statefulSet.replicas)).every((ordinal) => {
    const member = members.get(ordinal);
    return member !== undefined && member.cluster === null && !isFounder(situation, member.incarnation);
  });
}

/** One more than the highest ordinal that has a volume. A cluster has at most nine, whatever claims there are. */
export function claimedOrdinals({ observed: { claims } }: Situation): number {
  return Math.max(0, ...claims.map(({ ordinal }) => ordinal + 1).filter((count) => count <= MAX_MEMBERS));
}
