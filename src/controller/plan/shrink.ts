import type { ObservedSeat } from "./observed.ts";
import { hasLiveQuorum, isLive, learnersOf, seatOrdinal, votersOf } from "./seats.ts";
import type { Situation } from "./situation.ts";
import { act, refuse, type Step, wait } from "./step.ts";

/**
 * Removes the members of ordinals that are not wanted any more, one at a time and before their pods (rule 16a): who is dead first, then
 * from the highest down. Refused while those who are to stay have no live majority: a cluster is never shrunk onto its dead. Where they have
 * one, so has every step on the way: without a dead voter a majority is no harder to reach, and with none left every one that goes is alive.
 */
export function planShrink(situation: Situation): Step | null {
  const { stable, name, desired } = situation;
  if (stable === null) return null;
  const ordinal = (seat: ObservedSeat): number => seatOrdinal(name, seat) ?? -1;
  const leaving = (seats: readonly ObservedSeat[]): ObservedSeat[] => seats.filter((seat) => ordinal(seat) >= desired);
  const remove = ({ id, name: member }: ObservedSeat): Step => act(
    [{ type: "removeMember", id, name: member, configuration: stable.slot }], "Shrinking", `Removing ${member}: ${desired} members are wanted.`,
  );
  const [learner] = leaving(learnersOf(stable)).sort((one, other) => ordinal(other) - ordinal(one));
  if (learner !== undefined) return remove(learner);

  const voters = votersOf(stable);
  const going = leaving(voters).sort((one, other) => Number(isLive(one)) - Number(isLive(other)) || ordinal(other) - ordinal(one));
  const [next] = going;
  if (next === undefined) return null;
  const staying = voters.filter((seat) => ordinal(seat) < desired);
  if (staying.length === 0) return wait("Shrinking", `${names(going)} stay until one of the members that are wanted votes.`);
  if (!hasLiveQuorum(staying)) {
    return refuse("ShrinkRefused", `Not shrinking to ${desired}: of the members that would stay (${names(staying)}) too few are alive for a majority (not heard from: ${
      names(staying.filter((seat) => !isLive(seat)))}). Bring them back, or set spec.replicas back.`);
  }
  return remove(next);
}

function names(seats: readonly ObservedSeat[]): string {
  return seats.map(({ name }) => name).join(", ");
}
