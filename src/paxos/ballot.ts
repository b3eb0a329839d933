import { type Incarnation, NO_INCARNATION } from "./ids.ts";

/**
 * A ballot number: totally ordered, and owned by one life of one member, so that no two proposers ever share one
 * (Paxos Made Simple, section 2.2: disjoint sets of proposal numbers). The tie-break is the incarnation, not the name.
 */
export interface Ballot {
  readonly round: number;
  readonly incarnation: Incarnation;
}

/** Below every ballot that a member can own. */
export const ZERO_BALLOT: Ballot = Object.freeze({ round: 0, incarnation: NO_INCARNATION });

/** Negative, zero or positive as `a` is below, equal to or above `b`. */
export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.round !== b.round) return a.round - b.round;
  if (a.incarnation === b.incarnation) return 0;
  return a.incarnation < b.incarnation ? -1 : 1;
}

export function ballotsEqual(a: Ballot, b: Ballot): boolean {
  return a.round === b.round && a.incarnation === b.incarnation;
}

export function maxBallot(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b;
}
