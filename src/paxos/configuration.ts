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
  /** Who left, the latest last, so that a member that comes back, or a repeated request, is told so. At most `MAX_REMOVED`. */
  readonly removed: readonly Incarnation[];
}

/** The most members a configuration may have of either kind. */
export const MAX_MEMBERS = 9;

/** The most removed incarnations that are remembered; older ones are unknown. */
export const MAX_REMOVED = 64;

/** Throws unless incarnations are unique and the sizes are within bounds. */
export function assertConfiguration(configuration: Configuration): void {
  const all = [...allMembers(configuration).map((member) => member.incarnation), ...configuration.removed];
  assert(configuration.voters.length >= 1, "a configuration needs a voter");
  assert(configuration.voters.length <= MAX_MEMBERS, `a configuration has at most ${MAX_MEMBERS} voters`);
  assert(configuration.learners.length <= MAX_MEMBERS, `a configuration has at most ${MAX_MEMBERS} learners`);
  assert(configuration.removed.length <= MAX_REMOVED, `a configuration remembers at most ${MAX_REMOVED} removed members`);
  assert(new Set(all).size === all.length, "incarnations must be unique");
}

/** How many voters make a quorum of either phase: a majority, so that any two quorums meet (Paxos Made Simple, 2.2). */
export function quorumSize(configuration: Configuration): number {
  return majorityOf(configuration.voters.length);
}

/** How many of so many are a majority. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** Whether the voters of whom `holds` is true are a quorum. Learners never count (rule 17). */
export function isQuorum(configuration: Configuration, holds: (voter: Incarnation) => boolean): boolean {
  let count = 0;
  for (const { incarnation } of configuration.voters) if (holds(incarnation)) count += 1;
  return count >= quorumSize(configuration);
}

export function isVoter(configuration: Configuration, member: Incarnation): boolean {
  return configuration.voters.some((voter) => voter.incarnation === member);
}

/** Whether `member` votes or learns. */
export function isMember(configuration: Configuration, member: Incarnation): boolean {
  return allMembers(configuration).some(({ incarnation }) => incarnation === member);
}

/** Voters and learners. */
export function allMembers(configuration: Configuration): readonly MemberInfo[] {
  return [...configuration.voters, ...configuration.learners];
}
