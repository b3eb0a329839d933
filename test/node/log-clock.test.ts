import { expect, it } from "vitest";
import { LogClock } from "../../src/node/log-clock.ts";
import type { Ballot } from "../../src/paxos/ballot.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";

const ballot = (round: number): Ballot => ({ round, incarnation: memberIncarnation(1) });

it("goes on from the state's log time by as much as passes on the leader's own clock, wherever that stands", () => {
  const clock = new LogClock();
  expect(clock.read(ballot(1), 5_000, 900_000_000)).toBe(5_000);
  // What is applied meanwhile is the leader's own time, a little late.
  expect(clock.read(ballot(1), 5_000, 900_001_000.9)).toBe(6_000);
  expect(clock.read(ballot(1), 6_000, 900_002_500)).toBe(7_500);
});

it("begins anew with each leadership, so that the time between two of them does not count", () => {
  const clock = new LogClock();
  clock.read(ballot(1), 5_000, 0);
  expect(clock.read(ballot(4), 8_000, 3_600_000)).toBe(8_000);
  expect(clock.read(ballot(4), 8_000, 3_600_250)).toBe(8_250);
});
