import type { ObservedConfiguration, ObservedMember } from "./observed.ts";
import { hasLiveQuorum, learnersOf, seatOrdinal, votersOf } from "./seats.ts";
import { isForeign, seatsOf, type Situation } from "./situation.ts";
import { act, type Step, wait } from "./step.ts";

/**
 * Lets a member that will never vote again begin anew with an empty folder: one that was removed, as a retired ordinal's old volume
 * that comes back, and one whose folder is corrupt or copied. What a fenced folder holds may be the last copy of something, so
 * that nobody is renewed without a live majority of the others, nor while another member is being replaced.
 */
export function planRenewal(situation: Situation): Step | null {
  const { stable } = situation;
  if (stable === null) return null;
  const ended = candidates(situation).filter((member) => hasEnded(stable, member));
  const [member] = ended;
  if (member === undefined) return null;
  if (!isVoterOf(stable, member)) return renew(member, "it was removed");
  const others = votersOf(stable).map((seat) => (seat.id === member.incarnation ? { ...seat, live: false, leader: false } : seat));
  if (!hasLiveQuorum(others)) return wait("Replacing", `${member.name} fenced itself. It is replaced once a majority of the others is alive.`);
  if (replacementInProgress(situation, stable, member)) return wait("Replacing", `${member.name} is replaced once the other replacement is done.`);
  return renew(member, member.fence?.reason ?? "it is fenced");
}

/**
 * A member without a seat that does not say itself that it was removed: one that has not been told yet, or whose adding was interrupted and then
 * undone. It refuses, should it know better, so that this comes last: nothing else waits for it.
 */
export function renewUnseated(situation: Situation): Step | null {
  const { stable } = situation;
  if (stable === null) return null;
  const unseated = candidates(situation).find(({ cluster, incarnation, fence }) =>
    fence === null && (cluster !== null || stable.removed.includes(incarnation)) && stable.seats.every(({ id }) => id !== incarnation));
  return unseated === undefined ? null : renew(unseated, "the cluster has no seat for it any more");
}

function candidates(situation: Situation): readonly ObservedMember[] {
  const { members, desired } = situation;
  return [...members.values()].filter((member) => member.ordinal < desired && !isForeign(situation, member)).sort((one, other) => one.ordinal - other.ordinal);
}

function hasEnded({ seats }: ObservedConfiguration, { incarnation, role, fence }: ObservedMember): boolean {
  if (fence !== null) return fence.kind !== "disk";
  return role === "removed" && seats.every(({ id }) => id !== incarnation);
}

function isVoterOf(configuration: ObservedConfiguration, { incarnation }: ObservedMember): boolean {
  return votersOf(configuration).some(({ id }) => id === incarnation);
}

function replacementInProgress(situation: Situation, configuration: ObservedConfiguration, { ordinal }: ObservedMember): boolean {
  return learnersOf(configuration).some((learner) => {
    const other = seatOrdinal(situation.name, learner);
    return other !== null && other !== ordinal && seatsOf(situation, configuration, other).some(({ role }) => role === "voter");
  });
}

function renew({ ordinal, podUid, incarnation, name }: ObservedMember, why: string): Step {
  return act([{ type: "renewMember", ordinal, podUid, incarnation }], "Renewing", `${name} begins anew with an empty folder: ${why}.`);
}
