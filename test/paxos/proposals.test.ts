import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import { ballot, commands, LoneCore, snapshotHandle } from "./lone-core.ts";
import { encodeValue } from "../../src/paxos/value.ts";

describe("a proposal", () => {
  it("is answered when its slot is chosen and applied, under the id that its caller gave it", () => {
    const core = new LoneCore().serve().propose(7, "a");
    expect(core.chosen.map((entry) => entry.proposalId)).toEqual([null]);
    core.acknowledge(2);
    expect(core.chosen.at(-1)).toMatchObject({ slot: 2, proposalId: 7 });
    expect(core.failed).toEqual([]);
  });

  it("fails as notLeader on a member that does not lead", () => {
    expect(new LoneCore().propose(1, "a").failed).toEqual([{ proposalId: 1, failure: "notLeader" }]);
  });

  it("goes behind the leader's barrier without waiting for it, and is chosen and applied after it", () => {
    const core = new LoneCore().lead().propose(1, "a");
    expect(core.core.status()).toMatchObject({ ready: false, lastSlot: 2 });
    const { ballot: at } = core.last("accept");
    core.receive(2, { type: "accepted", ballot: at, from: slot(1), through: slot(2) });
    expect(core.chosen.map((entry) => [entry.slot, entry.proposalId])).toEqual([[1, null], [2, 1]]);
  });

  it("has an unknown outcome when the leadership ends before the barrier is chosen", () => {
    const core = new LoneCore().lead().propose(1, "a").receive(3, { type: "prepare", ballot: ballot(5, 3), fromSlot: slot(1) });
    expect(core.failed).toEqual([]);
    const barrier = encodeValue({ kind: "barrier", ballot: ballot(5, 3) });
    core.receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values: [barrier], chosenThrough: slot(1) });
    expect(core.failed).toEqual([{ proposalId: 1, failure: "unknown" }]);
  });

  it("goes on on a full disk when it is said not to make the state grow", () => {
    const core = new LoneCore().serve().input({ type: "diskFull" });
    core.input({ type: "propose", proposalId: 1, commands: [Uint8Array.of(1)], grows: false });
    expect(core.failed).toEqual([]);
  });

  it("fails as diskFull while the disk has only its reserve left, and not any more afterwards", () => {
    const core = new LoneCore().serve().input({ type: "diskFull" }).propose(1, "a").input({ type: "diskFree" }).propose(2, "b");
    expect(core.failed).toEqual([{ proposalId: 1, failure: "diskFull" }]);
    expect(core.core.status().lastSlot).toBe(2);
  });

  it("stays open while its slot may still be chosen, though the leadership is lost", () => {
    const core = new LoneCore().serve().propose(1, "a").receive(3, { type: "prepare", ballot: ballot(5, 3), fromSlot: slot(2) });
    expect(core.failed).toEqual([]);
    expect(core.core.status().pendingProposals).toBe(1);
  });

  it("is answered as chosen when a later leader had it chosen in its place", () => {
    const core = new LoneCore().serve().propose(1, "a");
    const value = core.last("accept").values[0] as Uint8Array;
    core.receive(3, { type: "prepare", ballot: ballot(5, 3), fromSlot: slot(2) });
    core.receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values: [value], chosenThrough: slot(2) });
    expect(core.chosen.at(-1)).toMatchObject({ slot: 2, proposalId: 1 });
  });

  it("is superseded when another value is chosen in its slot, even one of the same bytes by another proposer", () => {
    const core = new LoneCore().serve().propose(1, "a").receive(3, { type: "prepare", ballot: ballot(5, 3), fromSlot: slot(2) });
    core.receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values: [commands("a", 5, 3)], chosenThrough: slot(2) });
    expect(core.failed).toEqual([{ proposalId: 1, failure: "superseded" }]);
    expect(core.chosen.at(-1)).toMatchObject({ slot: 2, proposalId: null });
  });

  it("has an unknown outcome when a later leader's barrier is chosen below its slot", () => {
    const core = new LoneCore().serve().propose(1, "a").propose(2, "b").receive(3, { type: "prepare", ballot: ballot(5, 3), fromSlot: slot(2) });
    const barrier = encodeValue({ kind: "barrier", ballot: ballot(5, 3) });
    core.receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values: [barrier], chosenThrough: slot(2) });
    expect(core.failed).toEqual([{ proposalId: 2, failure: "unknown" }, { proposalId: 1, failure: "superseded" }]);
  });

  it("has an unknown outcome when a snapshot took the place of its slot, or holds a later leader's barrier below it", () => {
    const core = new LoneCore().serve().propose(1, "a").propose(2, "b").receive(3, { type: "prepare", ballot: ballot(5, 3), fromSlot: slot(2) });
    core.input({ type: "snapshotInstalled", handle: { ...snapshotHandle(2), leaderBallot: ballot(5, 3) } });
    expect(core.failed).toEqual([{ proposalId: 1, failure: "unknown" }, { proposalId: 2, failure: "unknown" }]);
  });
});
