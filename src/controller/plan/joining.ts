import { MAX_MEMBERS } from "../../paxos/configuration.ts";
import { memberAddress, podName } from "../resource/names.ts";
import type { ObservedConfiguration, ObservedMember, ObservedSeat } from "./observed.ts";
import { isLive, learnersOf, votersOf } from "./seats.ts";
import { isFounder, seatsOf, type Situation } from "./situation.ts";
import { act, type Step, wait } from "./step.ts";

/**
 * The next step of making the member in a pod a voter, in the place of `replaced` if that is given: a learner first, a voter once it
 * has caught up (rule 17). Null: nothing can be done for it at present.
 */
export function joinStep(situation: Situation, stable: ObservedConfiguration, ordinal: number, replaced: ObservedSeat | null): Step | null {
  const member = situation.members.get(ordinal);
  const learner = seatsOf(situation, stable, ordinal).find(({ role }) => role === "learner");
  if (learner !== undefined) return learner.id === member?.incarnation && member.cluster !== null ? promoteStep(stable, learner, replaced) : null;
  if (member === undefined || !isNewcomer(stable, member)) return null;
  if (learnersOf(stable).length >= MAX_MEMBERS) return wait("Growing", `${member.name} waits: the configuration has as many learners as it can have.`);
  return act([addLearner(situation, stable, member)], replaced === null ? "Growing" : "Replacing", `Adding ${member.name} as a learner.`);
}

/** It belongs to no cluster, and no configuration knows it. */
function isNewcomer({ seats, removed }: ObservedConfiguration, { cluster, fence, incarnation }: ObservedMember): boolean {
  return cluster === null && fence === null && !removed.includes(incarnation) && seats.every(({ id }) => id !== incarnation);
}

function promoteStep(stable: ObservedConfiguration, learner: ObservedSeat, replaced: ObservedSeat | null): Step {
  const reason = replaced === null ? "Growing" : "Replacing";
  if (learner.caughtUp !== true || !isLive(learner)) return wait(reason, `${learner.name} is learning what the others know.`);
  // With a learner that is alive a majority is alive if one was: `stable` has one.
  if (replaced === null && votersOf(stable).length >= MAX_MEMBERS) return wait(reason, `${learner.name} waits: there are ${MAX_MEMBERS} voters.`);
  return act(
    [{ type: "promote", id: learner.id, replaces: replaced?.id ?? null, configuration: stable.slot }],
    reason, `Making ${learner.name} a voter${replaced === null ? "" : " in the place of its former self"}.`,
  );
}

function addLearner({ observed: { cluster } }: Situation, { slot }: ObservedConfiguration, { ordinal, podUid, incarnation }: ObservedMember) {
  return { type: "addLearner", ordinal, podUid, incarnation, address: memberAddress(cluster, ordinal), configuration: slot } as const;
}

/** Whom the configuration has but who was never told: its adding was interrupted. Asked for again, it gets its document. */
export function planAdmission(situation: Situation): Step | null {
  const { stable, members, desired } = situation;
  if (stable === null) return null;
  const untold = [...members.values()].find(({ ordinal, cluster, fence, incarnation }) =>
    ordinal < desired && cluster === null && fence === null && !isFounder(situation, incarnation) && stable.seats.some(({ id }) => id === incarnation));
  return untold === undefined ? null : act([addLearner(situation, stable, untold)], "Growing", `Telling ${untold.name} that it is a member.`);
}

/** A learner whose pod has another member by now never catches up, and stands in that one's way. */
export function removeStaleLearner(situation: Situation): Step | null {
  const { stable, members, name, clusterId } = situation;
  if (stable === null) return null;
  for (const learner of learnersOf(stable)) {
    const member = [...members.values()].find(({ ordinal }) => podName(name, ordinal) === learner.name);
    if (member === undefined || member.incarnation === learner.id || (member.cluster !== null && member.cluster !== clusterId)) continue;
    return act(
      [{ type: "removeMember", id: learner.id, name: learner.name, configuration: stable.slot }],
      "Replacing", `Removing the learner ${learner.name} (${learner.id}): its pod has another member now.`,
    );
  }
  return null;
}
