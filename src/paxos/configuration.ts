import { assert } from "../codec/assert.ts";
import type { Incarnation } from "./ids.ts";

/** A member as the configuration knows it. `address` is a hint (host:port); discovery may know a newer one. */
export interface MemberInfo {
  readonly incarnation: Incarnation;
  readonly name: string;
  readonly address: string;
}

/** Who votes and who only learns. The configuration is an entry of the log (rule 16). */
export interface Configuration {
  readonly voters: readonly MemberInfo[];
  readonly learners: readonly MemberInfo[];
}

/** The most members a configuration may have. */
export const MAX_MEMBERS = 9;

/** Throws unless incarnations are unique and the sizes are within bounds. */
export function assertConfiguration(configuration: Configuration): void {
  const all = [...configuration.voters, ...configuration.learners];
  assert(configuration.voters.length >= 1, "a configuration needs a voter");
  assert(configuration.voters.length <= MAX_MEMBERS, `a configuration has at most ${MAX_MEMBERS} voters`);
  assert(new Set(all.map((member) => member.incarnation)).size === all.length, "incarnations must be unique");
}

/** How many voters make a quorum of either phase: a majority, so that any two quorums meet (Paxos Made Simple, 2.2). */
export function quorumSize(configuration: Configuration): number {
  return Math.floor(configuration.voters.length / 2) + 1;
}

export function isVoter(configuration: Configuration, member: Incarnation): boolean {
  return configuration.voters.some((voter) => voter.incarnation === member);
}

/** Voters and learners. */
export function allMembers(configuration: Configuration): readonly MemberInfo[] {
  return [...configuration.voters, ...configuration.learners];
}
