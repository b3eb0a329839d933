import { majorityOf } from "../../paxos/configuration.ts";
import { ordinalOf, podName } from "../resource/names.ts";
import type { ObservedConfiguration, ObservedSeat } from "./observed.ts";

export function votersOf({ seats }: ObservedConfiguration): readonly ObservedSeat[] {
  return seats.filter(({ role }) => role === "voter");
}

export function learnersOf({ seats }: ObservedConfiguration): readonly ObservedSeat[] {
  return seats.filter(({ role }) => role === "learner");
}

/** The leader needs not hear from itself. What is not known counts as dead. */
export function isLive({ live, leader }: ObservedSeat): boolean {
  return live === true || leader;
}

/** Whether so many of these voters are alive that they can choose something. */
export function hasLiveQuorum(voters: readonly ObservedSeat[]): boolean {
  return voters.filter(isLive).length >= majorityOf(voters.length);
}

/** The ordinal of the pod that a seat belongs to, null for a member that was added under a name of its own. */
export function seatOrdinal(cluster: string, { name }: ObservedSeat): number | null {
  const ordinal = ordinalOf(cluster, name);
  return ordinal !== null && podName(cluster, ordinal) === name ? ordinal : null;
}
