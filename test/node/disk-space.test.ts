import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { bringsGrowth, DiskSpace } from "../../src/node/disk-space.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { slot } from "../../src/paxos/ids.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { ballot } from "../storage/fixtures.ts";
import { del, put } from "../state/helpers.ts";

const [one, two, three] = [1, 2, 3].map(memberIncarnation) as [ReturnType<typeof memberIncarnation>, ...ReturnType<typeof memberIncarnation>[]];
const THREE: Configuration = {
  voters: [1, 2, 3].map((number) => ({ incarnation: memberIncarnation(number), name: `m${number}`, address: "" })), learners: [], removed: [],
};
const linked = new Set([two, three] as ReturnType<typeof memberIncarnation>[]);

describe("a leader refuses what makes the state grow", () => {
  it("while its own disk is full, and hands over to a linked voter that has room", () => {
    const space = new DiskSpace(one);
    expect(space.refusesGrowth(THREE)).toBe(false);
    expect(space.successor(THREE, linked)).toBeNull();
    space.heardOwn(true);
    expect(space.refusesGrowth(THREE)).toBe(true);
    expect(space.successor(THREE, linked)).toBe(two);
    expect(space.successor(THREE, new Set([three as typeof one]))).toBe(three);
    expect(space.successor(THREE, new Set())).toBeNull();
    space.heardOwn(false);
    expect(space.refusesGrowth(THREE)).toBe(false);
  });

  it("while no quorum has room, and then hands over to nobody", () => {
    const space = new DiskSpace(one);
    space.heard(two as typeof one, true);
    expect(space.refusesGrowth(THREE)).toBe(false);
    space.heard(three as typeof one, true);
    expect(space.refusesGrowth(THREE)).toBe(true);
    space.heardOwn(true);
    space.forget(three as typeof one);
    expect(space.refusesGrowth(THREE)).toBe(true);
    space.heard(three as typeof one, true);
    expect(space.successor(THREE, linked)).toBeNull();
  });
});

it("tells what must be left out where space is scarce from barriers and deletes, which are taken", () => {
  const accept = (...values: Uint8Array[]) => ({ type: "accept" as const, ballot: ballot(1), firstSlot: slot(1), values, chosenThrough: slot(0) });
  const deletes = encodeValue({ kind: "commands", origin: ballot(1), commands: [del("a")] });
  const puts = encodeValue({ kind: "commands", origin: ballot(1), commands: [del("a"), put("b", "v")] });
  const barrier = encodeValue({ kind: "barrier", ballot: ballot(1) });
  expect(bringsGrowth(accept(deletes, barrier))).toBe(false);
  expect(bringsGrowth(accept(barrier, puts))).toBe(true);
  expect(bringsGrowth({ type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values: [puts], chosenThrough: slot(1) })).toBe(true);
  expect(bringsGrowth({ type: "prepare", ballot: ballot(1), fromSlot: slot(1) })).toBe(false);
});
