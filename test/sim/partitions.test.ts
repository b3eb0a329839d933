import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { hasQuorumConnected, type Shape, SHAPES, type Way, waysCut } from "../../src/sim/partitions.ts";

const SIZE = 5;
const MEMBER = 2;

function members(size: number): number[] {
  return Array.from({ length: size }, (_, index) => index + 1);
}

function ways(shape: Shape, size = SIZE): Way[] {
  return waysCut(shape, members(size), MEMBER, new SeededRandom(3));
}

/** How many members each one still reaches. */
function reached(shape: Shape): number[] {
  return Array.from({ length: SIZE }, (_, index) => SIZE - 1 - ways(shape).filter(([from]) => from === index + 1).length);
}

describe("a partition", () => {
  it("cuts what its shape says", () => {
    expect(ways("whole")).toEqual([]);
    expect(reached("alone")).toEqual([3, 0, 3, 3, 3]);
    expect(reached("minority").toSorted()).toEqual([1, 1, 2, 2, 2]);
    expect(reached("hub").toSorted()).toEqual([1, 1, 1, 1, 4]);
    expect(reached("chain").toSorted()).toEqual([1, 1, 2, 2, 2]);
    expect(Math.max(...reached("bridge"))).toBe(4);
    expect(ways("deaf").every(([, to]) => to === MEMBER)).toBe(true);
    expect(ways("mute").every(([from]) => from === MEMBER)).toBe(true);
    expect([ways("deaf").length, ways("mute").length]).toEqual([4, 4]);
  });

  it.each(SHAPES)("of shape %s never cuts a member from itself, at any size", (shape) => {
    for (let size = 2; size <= 9; size++) expect(ways(shape, size).every(([from, to]) => from !== to && from <= size && to <= size)).toBe(true);
  });

  it("leaves somebody who reaches a quorum both ways, or not", () => {
    expect(hasQuorumConnected(ways("hub"), members(SIZE))).toBe(true);
    expect(hasQuorumConnected(ways("chain"), members(SIZE))).toBe(true);
    expect(hasQuorumConnected(ways("deaf"), members(SIZE))).toBe(true);
    expect(hasQuorumConnected(ways("chain", 9), members(9))).toBe(false);
    expect(hasQuorumConnected(ways("alone", 2), members(2))).toBe(false);
  });
});
