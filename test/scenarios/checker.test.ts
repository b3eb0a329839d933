import { describe, expect, it } from "vitest";
import { slot } from "../../src/paxos/ids.ts";
import type { LogRecord } from "../../src/paxos/records.ts";
import { Checker } from "../../src/scenario/checker.ts";
import { Disk } from "../../src/scenario/disk.ts";
import { scenarioConfiguration } from "../../src/scenario/names.ts";
import { ballot, commands } from "../paxos/lone-core.ts";

/** Slot 1 is decided as `a` at ballot 1.1, by the disks of 1 and 2. */
function decidedA(): Checker {
  const checker = new Checker(scenarioConfiguration(3));
  for (const member of [1, 2]) checker.durable(member, accepted("a", 1, 1));
  return checker;
}

function accepted(text: string, round: number, leader: number): LogRecord {
  return { type: "accepted", slot: slot(1), ballot: ballot(round, leader), value: commands(text) };
}

describe("the checker", () => {
  it("finds two values decided in one slot", () => {
    const checker = decidedA();
    checker.durable(2, accepted("b", 2, 3));
    expect(() => checker.durable(3, accepted("b", 2, 3))).toThrow("slot 1 was decided twice: a and b");
  });

  it("finds two values proposed in one slot at one ballot", () => {
    expect(() => decidedA().durable(3, accepted("b", 1, 1))).toThrow("two values were proposed in 1@1.1: a and b");
  });

  it("finds a member that applies what is not decided", () => {
    const entry = (at: number, text: string) => ({ slot: slot(at), value: commands(text), proposalId: null });
    decidedA().applied(3, entry(1, "a"));
    expect(() => decidedA().applied(3, entry(1, "b"))).toThrow("member 3 applied b in slot 1, but a is decided there");
    expect(() => decidedA().applied(3, entry(2, "c"))).toThrow("nothing is decided there");
  });

  it("finds a promise that falls, within a life and across a restart", () => {
    const checker = decidedA();
    checker.recorded(1, { type: "promised", ballot: ballot(5, 2) });
    expect(() => checker.recorded(1, accepted("a", 4, 3))).toThrow("below its promise 5.2");
    const disk = new Disk();
    disk.append([{ type: "promised", ballot: ballot(5, 2) }], 1);
    disk.sync();
    checker.leaves(1, { type: "promise", ballot: ballot(5, 2), fromSlot: slot(1), entries: [], nextSlot: null, chosenThrough: slot(0) }, disk);
    expect(() => checker.recovered(1, new Disk().recover())).toThrow("member 1 forgot its promise 5.2");
  });

  it("finds promises and acknowledgements that leave before they are durable", () => {
    const disk = new Disk();
    disk.append([{ type: "promised", ballot: ballot(5, 2) }], 1);
    const promise = { type: "promise", ballot: ballot(5, 2), fromSlot: slot(1), entries: [], nextSlot: null, chosenThrough: slot(0) } as const;
    expect(() => decidedA().leaves(1, promise, disk)).toThrow("before that was durable");
    const ack = { type: "accepted", ballot: ballot(1, 1), from: slot(1), through: slot(2) } as const;
    expect(() => decidedA().leaves(1, ack, disk)).toThrow("acknowledged slot 2 at 1.1 without holding it durably");
  });

  it("finds a promise that keeps an accepted slot to itself", () => {
    const disk = new Disk();
    disk.append([accepted("a", 1, 1), { type: "promised", ballot: ballot(5, 2) }], 1);
    disk.sync();
    const promise = { type: "promise", ballot: ballot(5, 2), fromSlot: slot(1), entries: [], nextSlot: null, chosenThrough: slot(0) } as const;
    expect(() => decidedA().leaves(1, promise, disk)).toThrow("kept slot 1 to itself");
  });

  it("finds two leaders of one ballot, also when they are two lives of one member", () => {
    const checker = decidedA();
    checker.won(1, 1, ballot(2, 1));
    expect(() => checker.won(1, 2, ballot(2, 1))).toThrow("both won ballot 2.1");
    expect(() => checker.won(2, 1, ballot(3, 1))).toThrow("which is not its own");
  });

  it("finds a leader that tells more to be chosen than is decided", () => {
    const heartbeat = { type: "heartbeat", ballot: ballot(1, 1), nonce: 1, chosenThrough: slot(2) } as const;
    expect(() => decidedA().leaves(1, heartbeat, new Disk())).toThrow("said chosen ≤ 2, decided is ≤ 1");
  });

  it("finds a proposal that failed for certain and is decided", () => {
    expect(() => decidedA().failedForCertain(["a"])).toThrow("a is decided, yet its proposal failed for certain");
  });
});
