import fc from "fast-check";
import { expect, it } from "vitest";
import { ballotsEqual, compareBallots, maxBallot, ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { quorumSize } from "../../src/paxos/configuration.ts";
import { scenarioConfiguration } from "../../src/scenario/names.ts";
import { anyBallot } from "./arbitraries.ts";
import { ballot } from "./lone-core.ts";

it("orders ballots by round first and by incarnation second", () => {
  expect(compareBallots(ballot(2, 1), ballot(1, 9))).toBeGreaterThan(0);
  expect(compareBallots(ballot(2, 1), ballot(2, 9))).toBeLessThan(0);
  expect(compareBallots(ballot(2, 3), ballot(2, 3))).toBe(0);
});

it("orders ballots totally: one of three cases holds, and order is passed on", () => {
  fc.assert(fc.property(anyBallot, anyBallot, anyBallot, (a, b, c) => {
    expect(Math.sign(compareBallots(a, b))).toBe(-Math.sign(compareBallots(b, a)) + 0);
    expect(compareBallots(a, b) === 0).toBe(ballotsEqual(a, b));
    if (compareBallots(a, b) <= 0 && compareBallots(b, c) <= 0) expect(compareBallots(a, c)).toBeLessThanOrEqual(0);
  }));
});

it("has no ballot below the zero ballot, and takes the higher of two", () => {
  fc.assert(fc.property(anyBallot, anyBallot, (a, b) => {
    expect(compareBallots(a, ZERO_BALLOT)).toBeGreaterThanOrEqual(0);
    expect(compareBallots(maxBallot(a, b), a)).toBeGreaterThanOrEqual(0);
    expect([a, b]).toContain(maxBallot(a, b));
  }));
});

it("needs a majority for a quorum, of every size", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9].map((size) => quorumSize(scenarioConfiguration(size)))).toEqual([1, 2, 2, 3, 3, 4, 4, 5, 5]);
});
