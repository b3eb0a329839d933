import type { SeededRandom } from "../scenario/seeded-random.ts";

/**
 * Who cannot reach whom. "whole": everybody reaches everybody. "alone": one member is cut off. "minority": it is cut off together with as
 * many as do not make a quorum with it. "split": two groups of any size. "hub": all reach one member and nobody else. "bridge": two
 * groups, and one member that reaches both. "chain": each reaches its neighbours only. "deaf" and "mute": nothing reaches one member, or
 * nothing of it reaches anybody.
 */
export const SHAPES = ["whole", "alone", "minority", "split", "hub", "bridge", "chain", "deaf", "mute"] as const;
export type Shape = (typeof SHAPES)[number];

/** A direction in which nothing gets through. */
export type Way = readonly [from: number, to: number];

/** The ways that a partition cuts between members; `member` is the one about whom it is. */
export function waysCut(shape: Shape, members: readonly number[], member: number, random: SeededRandom): Way[] {
  const others = shuffled(members.filter((other) => other !== member), random);
  const reaches = reachability(shape, [member, ...others], random);
  return [member, ...others].flatMap((from) => [member, ...others].filter((to) => to !== from && !reaches(from, to)).map((to): Way => [from, to]));
}

function reachability(shape: Shape, order: readonly number[], random: SeededRandom): (from: number, to: number) => boolean {
  const size = order.length;
  const member = order[0];
  const place = (of: number): number => order.indexOf(of);
  const sameSide = (end: number) => (from: number, to: number): boolean => place(from) < end === place(to) < end;
  switch (shape) {
    case "whole":
      return () => true;
    case "alone":
      return sameSide(1);
    case "minority":
      return sameSide(Math.max(1, Math.floor((size - 1) / 2)));
    case "split":
      return sameSide(random.integer(1, Math.max(1, size - 1)));
    case "hub":
      return (from, to) => from === order.at(-1) || to === order.at(-1);
    case "bridge": {
      const sides = sameSide(random.integer(1, Math.max(1, size - 1)));
      return (from, to) => from === order.at(-1) || to === order.at(-1) || sides(from, to);
    }
    case "chain":
      return (from, to) => Math.abs(place(from) - place(to)) === 1;
    case "deaf":
      return (_, to) => to !== member;
    case "mute":
      return (from) => from !== member;
  }
}

/** Whether one of these members reaches more than half of them in both directions, so that progress is possible. */
export function hasQuorumConnected(ways: readonly Way[], members: readonly number[]): boolean {
  return members.some((member) => reaches(ways, members, member).length > members.length / 2);
}

/** Those of the members that one of them reaches in both directions, itself among them. */
export function reaches(ways: readonly Way[], members: readonly number[], member: number): number[] {
  const cut = new Set(ways.flatMap(([from, to]) => (from === member ? [to] : to === member ? [from] : [])));
  return members.filter((other) => other === member || !cut.has(other));
}

function shuffled<T>(items: T[], random: SeededRandom): T[] {
  for (let left = items.length; left > 1; left--) {
    const other = random.below(left);
    [items[left - 1], items[other]] = [items[other] as T, items[left - 1] as T];
  }
  return items;
}
