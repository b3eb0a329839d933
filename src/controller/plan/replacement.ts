import type { ObservedConfiguration, ObservedMember, ObservedSeat } from "./observed.ts";
import { joinStep } from "./joining.ts";
import { isLive, seatOrdinal, votersOf } from "./seats.ts";
import { isForeign, seatsOf, type Situation } from "./situation.ts";
import { type Step, wait } from "./step.ts";

interface Loss {
  readonly ordinal: number;
  readonly voter: ObservedSeat;
  readonly member: ObservedMember;
  /** The new one has its seat as a learner. */
  readonly begun: boolean;
}

/**
 * Puts the new member of a pod whose volume was lost in the place of the voter of that name, in one step, so that a majority is never
 * harder to reach than before. One at a time, the one that was begun first; the next only when that one's pod is away.
 */
export function planReplacement(situation: Situation): Step | null {
  const { stable } = situation;
  if (stable === null) return null;
  const [loss] = lossesOf(situation, stable).sort((one, other) => Number(other.begun) - Number(one.begun) || one.ordinal - other.ordinal);
  if (loss === undefined) return null;
  const { voter, ordinal } = loss;
  if (isLive(voter)) return wait("Replacing", `The pod of ${voter.name} has a new volume, but its former member still answers. It is replaced once that one has ended.`);
  return joinStep(situation, stable, ordinal, voter);
}

/** Voters of wanted ordinals in whose pod another member answers, which belongs to this cluster as a learner or to none. */
function lossesOf(situation: Situation, stable: ObservedConfiguration): Loss[] {
  const { name, desired, members } = situation;
  return votersOf(stable).flatMap((voter) => {
    const ordinal = seatOrdinal(name, voter);
    const member = ordinal === null ? undefined : members.get(ordinal);
    if (ordinal === null || ordinal >= desired || member === undefined) return [];
    if (member.incarnation === voter.id || isForeign(situation, member)) return [];
    const begun = seatsOf(situation, stable, ordinal).some(({ id }) => id === member.incarnation);
    return [{ ordinal, voter, member, begun }];
  });
}
