import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { compareBallots } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { Accept } from "../../src/paxos/messages.ts";
import { ballot, commands, LoneCore, NOTHING, snapshotHandle } from "./lone-core.ts";

function accept(round: number, leader: number, firstSlot: number, texts: readonly string[], chosenThrough = 0): Accept {
  const values = texts.map((text) => commands(text));
  return { type: "accept", ballot: ballot(round, leader), firstSlot: slot(firstSlot), values, chosenThrough: slot(chosenThrough) };
}

describe("an acceptor", () => {
  it("promises with every accept: an older prepare or accept is refused afterwards", () => {
    const core = new LoneCore().receive(2, accept(5, 2, 1, ["a"]));
    core.receive(3, { type: "prepare", ballot: ballot(4, 3), fromSlot: slot(1) });
    core.receive(3, accept(4, 3, 1, ["b"]));
    expect(core.all("reject", 3)).toEqual([1, 2].map(() => ({ type: "reject", ballot: ballot(4, 3), promised: ballot(5, 2) })));
    expect(core.all("promise")).toEqual([]);
  });

  it("keeps the promise that an accept raised, also when the accept itself is answered with a gap", () => {
    const core = new LoneCore();
    core.fastDisk = false;
    core.receive(2, accept(5, 2, 3, ["c"])).receive(2, { type: "prepare", ballot: ballot(5, 2), fromSlot: slot(1) });
    expect(core.all("acceptGap")).toHaveLength(1);
    expect(core.records).toEqual([{ type: "promised", ballot: ballot(5, 2) }]);
    expect(core.sent.find(({ message }) => message.type === "promise")).toMatchObject({ afterRecord: 1 });
  });

  it("acknowledges only behind its record, and reports only behind what it reports", () => {
    const core = new LoneCore();
    core.fastDisk = false;
    core.receive(2, accept(5, 2, 1, ["a", "b"])).receive(3, { type: "prepare", ballot: ballot(6, 3), fromSlot: slot(1) });
    const acknowledged = core.sent.find(({ message }) => message.type === "accepted");
    expect(acknowledged).toMatchObject({ afterRecord: 3, message: { from: 1, through: 2, ballot: ballot(5, 2) } });
    expect(core.sent.find(({ message }) => message.type === "promise")?.afterRecord).toBe(4);
  });

  it("acknowledges one range without a gap, and says where to go on from when there is one", () => {
    const core = new LoneCore().receive(2, accept(5, 2, 1, ["a"])).receive(2, accept(5, 2, 3, ["c"]));
    expect(core.last("acceptGap")).toEqual({ type: "acceptGap", ballot: ballot(5, 2), expected: 2 });
    expect(core.last("accepted")).toMatchObject({ from: 1, through: 1 });
    core.receive(2, accept(5, 2, 2, ["b", "c"]));
    expect(core.last("accepted")).toMatchObject({ from: 1, through: 3 });
  });

  it("begins a range only behind what the leader says to be chosen, also with its first accept of a ballot", () => {
    const core = new LoneCore().receive(2, accept(5, 2, 6, ["f"], 4));
    expect(core.last("acceptGap")).toMatchObject({ expected: 5 });
    expect(core.all("accepted")).toEqual([]);
    core.receive(2, accept(5, 2, 6, ["f"], 5));
    expect(core.last("accepted")).toMatchObject({ from: 6, through: 6 });
  });

  it("does not acknowledge what it accepted at another ballot", () => {
    const core = new LoneCore().receive(2, accept(1, 2, 1, ["a", "b"])).receive(3, accept(2, 3, 2, ["c"], 1));
    expect(core.last("accepted", 3)).toMatchObject({ ballot: ballot(2, 3), from: 2, through: 2 });
  });

  it("takes a slot for chosen on a leader's word only if it accepted it at that leader's ballot", () => {
    const core = new LoneCore().receive(2, accept(1, 2, 1, ["a", "b"]));
    core.receive(3, { type: "heartbeat", ballot: ballot(2, 3), nonce: 1, chosenThrough: slot(2) });
    expect(core.chosen).toEqual([]);
    core.receive(3, accept(2, 3, 1, ["a", "c"], 2));
    expect(core.chosen.map((entry) => entry.value)).toEqual([commands("a"), commands("c")]);
  });

  it("never acknowledges a slot under its snapshot, and says which snapshot is there", () => {
    const core = new LoneCore({ limits: { retainedLogBytes: 0 } });
    core.receive(2, accept(5, 2, 1, ["a", "b", "c"], 3)).input({ type: "snapshotTaken", handle: snapshotHandle(3) });
    core.sent.length = 0;
    core.receive(3, accept(6, 3, 2, ["x", "y"]));
    expect(core.sent.map(({ message }) => message)).toEqual([{ type: "needsSnapshot", snapshotSlot: 3 }]);
    core.receive(3, { type: "prepare", ballot: ballot(7, 3), fromSlot: slot(2) });
    expect(core.sent.at(-1)?.message).toEqual({ type: "promiseNeedsSnapshot", ballot: ballot(7, 3), snapshotSlot: 3 });
  });

  it("refuses a value for a slot that it knows to be chosen with another one", () => {
    const core = new LoneCore().receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values: [commands("a")], chosenThrough: slot(1) });
    core.receive(2, accept(5, 2, 1, ["b"]));
    expect(core.all("accepted")).toEqual([]);
    expect(core.last("reject", 2)).toMatchObject({ ballot: ballot(5, 2) });
    expect(core.chosen.map((entry) => entry.value)).toEqual([commands("a")]);
  });
});

describe("neither cutting the log nor installing a snapshot", () => {
  const entries = [1, 2, 3, 4, 5].map((at) => ({ slot: slot(at), ballot: ballot(3, 2), value: commands(`c${at}`), learned: false }));
  const recovered = { ...NOTHING, promised: ballot(9, 3), ownRound: 7, entries, chosenThrough: slot(3) };

  for (const input of ["snapshotTaken", "snapshotInstalled"] as const) {
    it(`lowers the promise or the highest own round (${input})`, () => {
      const core = new LoneCore({ recovered, limits: { retainedLogBytes: 0 } });
      core.input({ type: input, handle: snapshotHandle(input === "snapshotTaken" ? 3 : 4) });
      expect(core.core.status().ballot).toEqual(ballot(9, 3));
      core.receive(2, accept(8, 2, 5, ["x"]));
      expect(core.last("reject")).toMatchObject({ promised: ballot(9, 3) });
      core.campaign();
      expect(compareBallots(core.last("prepare").ballot, ballot(9, 3))).toBeGreaterThan(0);
    });

    it(`drops an accepted slot above the snapshot (${input})`, () => {
      const core = new LoneCore({ recovered, limits: { retainedLogBytes: 0 } });
      core.input({ type: input, handle: snapshotHandle(input === "snapshotTaken" ? 3 : 4) });
      core.receive(2, { type: "prepare", ballot: ballot(10, 2), fromSlot: slot(5) });
      expect(core.last("promise").entries).toEqual([{ slot: 5, ballot: ballot(3, 2), chosen: false, value: commands("c5") }]);
    });
  }
});

it("keeps the promise and the own round over a restart, whatever its snapshot says", () => {
  const recovered = { ...NOTHING, promised: ballot(9, 3), ownRound: 12, snapshot: { ...snapshotHandle(3), leaderBallot: ballot(2, 2) }, chosenThrough: slot(3) };
  const core = new LoneCore({ recovered });
  expect(core.core.status().ballot).toEqual(ballot(9, 3));
  expect(core.receive(2, accept(8, 2, 4, ["x"])).last("reject")).toMatchObject({ promised: ballot(9, 3) });
  expect(core.campaign().last("prepare").ballot).toEqual(ballot(13, 1));
});

it("promises after a restart what its snapshot says, when the crash came between the snapshot and the record of its promise", () => {
  const recovered = { ...NOTHING, promised: ballot(2, 3), ownRound: 1, snapshot: { ...snapshotHandle(3), promised: ballot(5, 2) }, chosenThrough: slot(3) };
  const core = new LoneCore({ recovered });
  expect(core.core.status().ballot).toEqual(ballot(5, 2));
  core.receive(3, accept(3, 3, 4, ["w"], 3));
  expect(core.all("accepted")).toEqual([]);
  expect(core.last("reject", 3)).toMatchObject({ promised: ballot(5, 2) });
  expect(core.campaign().last("prepare").ballot).toEqual(ballot(6, 1));
});

describe("a snapshot that does not advance the applied slot", () => {
  it("is ignored: nothing is applied twice, skipped or forgotten", () => {
    const core = new LoneCore().receive(2, accept(5, 2, 1, ["a", "b", "c"], 3));
    const before = core.core.status();
    const handle = { ...snapshotHandle(2), leaderBallot: ballot(99, 3) };
    core.input({ type: "snapshotInstalled", handle });
    expect(core.core.status()).toEqual(before);
    core.receive(2, accept(5, 2, 4, ["d"], 4));
    expect(core.chosen.map((entry) => entry.slot)).toEqual([1, 2, 3, 4]);
  });

  it("is not even asked for", () => {
    const core = new LoneCore().receive(2, accept(5, 2, 1, ["a", "b", "c"], 3)).receive(3, { type: "needsSnapshot", snapshotSlot: slot(3) });
    expect(core.snapshots).toEqual([]);
    core.receive(3, { type: "needsSnapshot", snapshotSlot: slot(4) });
    expect(core.snapshots).toMatchObject([{ slot: 4 }]);
  });
});
