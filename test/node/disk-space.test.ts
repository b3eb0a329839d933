import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { bringsGrowth, DiskSpace } from "../../src/node/disk-space.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { type Incarnation, slot } from "../../src/paxos/ids.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { ballot } from "../storage/fixtures.ts";
import { del, put } from "../state/helpers.ts";

const [one, two, three] = [1, 2, 3].map(memberIncarnation) as [Incarnation, Incarnation, Incarnation];
const THREE: Configuration = {
  voters: [1, 2, 3].map((number) => ({ incarnation: memberIncarnation(number), name: `m${number}`, address: "" })), learners: [], removed: [],
};
const anybody = (): boolean => true;

/** What member 1 of `voters` knows: whether the disks are full of those that it has a link with. */
function knows(disks: Readonly<Record<number, "room" | "full">>): DiskSpace {
  const space = new DiskSpace(one);
  for (const [number, disk] of Object.entries(disks)) space.heard(memberIncarnation(Number(number)), disk === "full");
  return space;
}

function voters(count: number): Configuration {
  return { ...THREE, voters: Array.from({ length: count }, (_, index) => ({ incarnation: memberIncarnation(index + 1), name: `m${index + 1}`, address: "" })) };
}

describe("a leader refuses what makes the state grow", () => {
  it("while its own disk is full, and hands over to a linked voter that has room", () => {
    const space = knows({ 2: "room", 3: "room" });
    expect(space.refusesGrowth(THREE)).toBe(false);
    expect(space.successor(THREE, anybody)).toBeNull();
    space.heardOwn(true);
    expect(space.refusesGrowth(THREE)).toBe(true);
    expect(space.successor(THREE, anybody)).toBe(two);
    expect(space.successor(THREE, (voter) => voter !== two)).toBe(three);
    space.forget(two);
    expect(space.successor(THREE, anybody)).toBe(three);
    space.forget(three);
    expect(space.successor(THREE, anybody)).toBeNull();
    space.heardOwn(false);
    expect(space.refusesGrowth(THREE)).toBe(false);
  });

  it("while no quorum has room, and then hands over to nobody", () => {
    const space = knows({ 2: "full", 3: "room" });
    expect(space.refusesGrowth(THREE)).toBe(false);
    space.heard(three, true);
    expect(space.refusesGrowth(THREE)).toBe(true);
    space.heardOwn(true);
    space.heard(three, false);
    expect(space.successor(THREE, anybody)).toBeNull();
  });

  it("while of those that it reaches no quorum has room, and hands over where another may reach one", () => {
    const space = knows({ 2: "full", 3: "room" });
    expect([space.refusesGrowth(voters(5)), space.successor(voters(5), anybody)]).toEqual([true, three]);
    space.heard(memberIncarnation(4), false);
    expect([space.refusesGrowth(voters(5)), space.successor(voters(5), anybody)]).toEqual([false, null]);
  });

  it("but not because it reaches no quorum", () => {
    const space = knows({ 2: "full" });
    expect([space.refusesGrowth(voters(5)), space.successor(voters(5), anybody)]).toEqual([false, null]);
  });
});

it("a member takes over if it reaches a quorum that has room, or if there is none for anybody", () => {
  expect(knows({ 2: "room", 3: "room" }).mayLead(voters(5))).toBe(true);
  expect(knows({ 2: "full", 3: "room" }).mayLead(voters(5))).toBe(false);
  expect(knows({ 2: "full", 3: "room", 4: "room" }).mayLead(voters(5))).toBe(true);
  expect(knows({ 2: "full", 3: "full", 4: "full" }).mayLead(voters(5))).toBe(true);
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
