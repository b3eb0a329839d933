import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { PromiseReply, ReportedEntry } from "../../src/paxos/messages.ts";
import { valueName } from "../../src/scenario/names.ts";
import { ballot, commands, LoneCore, NOTHING, snapshotHandle } from "./lone-core.ts";

function promise(core: LoneCore, entries: readonly ReportedEntry[], extra: Partial<PromiseReply> = {}): PromiseReply {
  const { ballot: at, fromSlot } = core.last("prepare");
  return { type: "promise", ballot: at, fromSlot, entries, nextSlot: null, chosenThrough: slot(0), ...extra };
}

function report(at: number, round: number, text: string, chosen = false): ReportedEntry {
  return { slot: slot(at), ballot: ballot(round, 2), chosen, value: commands(text) };
}

/** What the leader proposes, as `slot=value`. */
function proposed(core: LoneCore): string[] {
  return core.all("accept", 2).flatMap((message) => message.values.map((value, index) => `${message.firstSlot + index}=${valueName(value)}`));
}

describe("phase 1", () => {
  it("adopts what one acceptor alone holds, fills the gaps below with no-ops, puts the barrier above, and only then serves", () => {
    const core = new LoneCore();
    const known = Array.from({ length: 135 }, (_, index) => commands(`c${index + 1}`));
    core.receive(2, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values: known, chosenThrough: slot(135) });
    core.campaign();
    expect(core.last("prepare").fromSlot).toBe(136);
    core.receive(2, promise(core, [report(138, 1, "c138"), report(140, 1, "c140")]));
    expect(proposed(core)).toEqual(["136=no-op", "137=no-op", "138=c138", "139=no-op", "140=c140", "141=barrier(1.1)"]);
    const { ballot: at } = core.last("accept");
    core.input({ type: "read", readId: 1 }).propose(1, "later");
    // Re-choosing slot 138 is not enough: slot 140 was acknowledged by the old leader.
    core.receive(2, { type: "accepted", ballot: at, from: slot(136), through: slot(140) });
    core.receive(2, { type: "heartbeatReply", ballot: at, nonce: core.last("heartbeat").nonce, chosenThrough: slot(0), durableThrough: slot(0) });
    expect(core.core.status()).toMatchObject({ ready: false, chosenThrough: 140, lastSlot: 142 });
    expect(core.reads).toEqual([]);
    expect(core.chosen.at(-1)).toMatchObject({ slot: 140 });
    core.receive(2, { type: "accepted", ballot: at, from: slot(136), through: slot(141) });
    core.receive(2, { type: "heartbeatReply", ballot: at, nonce: core.last("heartbeat").nonce, chosenThrough: slot(0), durableThrough: slot(0) });
    expect(core.core.status()).toMatchObject({ ready: true });
    expect(core.reads).toEqual([{ readId: 1, ok: true, slot: 141 }]);
  });

  it("adopts per slot the value of the highest ballot, whoever reports first", () => {
    for (const order of [[2, 3], [3, 2]] as const) {
      const core = new LoneCore({ size: 5 }).campaign([2, 3]);
      const reports = { 2: [report(1, 5, "high"), report(2, 1, "low")], 3: [report(1, 1, "low"), report(2, 5, "high")] };
      for (const from of order) core.receive(from, promise(core, reports[from]));
      expect(proposed(core)).toEqual(["1=high", "2=high", "3=barrier(1.1)"]);
    }
  });

  it("prefers a reported value of a higher ballot to what it accepted itself, and its own to one of a lower ballot", () => {
    const entries = [1, 2].map((at) => ({ slot: slot(at), ballot: ballot(5, 3), value: commands(`own${at}`), learned: false }));
    const core = new LoneCore({ recovered: { ...NOTHING, promised: ballot(7, 3), entries } }).campaign();
    core.receive(2, promise(core, [report(1, 6, "higher"), report(2, 4, "lower")]));
    expect(proposed(core)).toEqual(["1=higher", "2=own2", "3=barrier(8.1)"]);
  });

  it("takes a value that is reported as chosen for chosen", () => {
    const core = new LoneCore().campaign();
    core.receive(2, promise(core, [report(1, 9, "a", true), report(2, 1, "b")]));
    expect(core.chosen.map(({ slot: at, value }) => `${at}=${valueName(value)}`)).toEqual(["1=a"]);
    expect(proposed(core)).toEqual(["2=b", "3=barrier(1.1)"]);
  });

  it("counts a promise for exactly its ballot, and each member once", () => {
    const core = new LoneCore({ size: 5 }).campaign([2, 3]);
    const mine = promise(core, []);
    core.receive(2, { ...mine, ballot: ballot(mine.ballot.round - 1, 1) });
    core.receive(3, { ...mine, ballot: ballot(mine.ballot.round + 1, 1) });
    for (let copies = 0; copies < 3; copies++) core.receive(2, mine);
    expect(core.core.status().role).toBe("candidate");
    core.receive(3, mine);
    expect(core.core.status().role).toBe("leader");
  });

  it("does not count a promise whose report begins above what was asked for", () => {
    const core = new LoneCore().campaign();
    const asked = promise(core, []);
    core.receive(2, { ...asked, fromSlot: slot(2) });
    expect(core.core.status().role).toBe("candidate");
    core.receive(2, asked);
    expect(core.core.status().role).toBe("leader");
  });

  it("does not count a promise whose report goes on, and asks for the next part", () => {
    const core = new LoneCore().campaign();
    core.receive(2, promise(core, [report(1, 1, "a")], { nextSlot: slot(2) }));
    expect(core.core.status().role).toBe("candidate");
    expect(core.last("prepare", 2).fromSlot).toBe(2);
    core.receive(2, promise(core, [report(2, 1, "b")]));
    expect(proposed(core)).toEqual(["1=a", "2=b", "3=barrier(1.1)"]);
  });

  it("does not count an acceptor that cut what was asked for, until its snapshot is installed and it is asked again", () => {
    const core = new LoneCore().campaign();
    const { ballot: at } = core.last("prepare");
    core.receive(2, { type: "promiseNeedsSnapshot", ballot: at, snapshotSlot: slot(101) });
    expect(core.core.status().role).toBe("candidate");
    expect(core.snapshots).toHaveLength(1);
    core.input({ type: "snapshotInstalled", handle: snapshotHandle(101) });
    expect(core.core.status().role).toBe("candidate");
    expect(core.last("prepare", 2).fromSlot).toBe(102);
    core.receive(2, promise(core, []));
    expect(proposed(core)).toEqual(["102=barrier(1.1)"]);
  });

  it("sends no prepare and counts no own promise before the ballot is durable as its own", () => {
    const core = new LoneCore();
    core.fastDisk = false;
    core.campaign();
    const campaignRecord = core.records.findIndex((record) => record.type === "campaign") + 1;
    expect(campaignRecord).toBeGreaterThan(0);
    for (const { message, afterRecord } of core.sent) if (message.type === "prepare") expect(afterRecord).toBeGreaterThanOrEqual(campaignRecord);
    core.receive(2, promise(core, []));
    expect(core.core.status().role).toBe("candidate");
    core.sync();
    expect(core.core.status().role).toBe("leader");
  });

  it("never campaigns again at a ballot that it used, after a restart or a lost election", () => {
    const core = new LoneCore().campaign();
    expect(core.last("prepare").ballot.round).toBe(1);
    core.receive(2, { type: "reject", ballot: ballot(1, 1), promised: ballot(6, 2) });
    core.campaign();
    expect(core.last("prepare").ballot.round).toBe(7);
    const recovered = { promised: ballot(4, 3), ownRound: 9, snapshot: null, entries: [], chosenThrough: slot(0) };
    expect(new LoneCore({ recovered }).campaign().last("prepare").ballot).toEqual(ballot(10, 1));
  });
});
