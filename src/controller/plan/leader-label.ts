import type { Action } from "./actions.ts";
import type { Situation } from "./situation.ts";

/** Sets and clears the label by which the leader's Service finds its pod. While nobody is known to lead it stays where it is. */
export function planLeaderLabel({ configuration, pods }: Situation): readonly Action[] {
  const leader = configuration?.fromLeader === true ? configuration.leader : null;
  if (leader === null) return [];
  return [...pods.values()]
    .filter(({ name, leaderLabel, terminating }) => leaderLabel !== (name === leader.name) && !terminating)
    .map(({ name }) => ({ type: "labelLeader", pod: name, leads: name === leader.name }));
}
