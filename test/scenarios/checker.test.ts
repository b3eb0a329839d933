import { describe, expect, it } from "vitest";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { LogRecord } from "../../src/paxos/records.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { Checker } from "../../src/scenario/checker.ts";
import { Disk } from "../../src/scenario/disk.ts";
import { memberIncarnation, memberInfo, scenarioConfiguration } from "../../src/scenario/names.ts";
import { ballot, commands, members } from "../paxos/lone-core.ts";

/** Slot 1 is decided as `a` at ballot 1.1, by the disks of 1 and 2. */
function decidedA(): Checker {
  const checker = new Checker(scenarioConfiguration(3));
  for (const member of [1, 2]) checker.durable(member, accepted("a", 1, 1));
  return checker;
}

function accepted(text: string, round: number, leader: number, at = 1): LogRecord {
  return { type: "accepted", slot: slot(at), ballot: ballot(round, leader), value: commands(text) };
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

  it("decides a slot by the voters that the entries below it set, and by no others", () => {
    const checker = new Checker(members([1, 2, 3]));
    const entry = configured(1, members([3, 4, 5]));
    for (const member of [4, 5]) checker.durable(member, accepted("a", 1, 1, 2));
    for (const member of [1, 2]) checker.durable(member, entry);
    expect(checker.decidedThrough).toBe(2);
    for (const member of [1, 2]) checker.durable(member, accepted("b", 1, 1, 3));
    expect(checker.decidedThrough).toBe(2);
    expect(checker.configurations.map(({ slot: at }) => at)).toEqual([0, 1]);
  });

  it("finds a leader that proposes without the promises of those who govern the slot", () => {
    const checker = promisedBy([2], 2);
    expect(() => checker.recorded(1, accepted("b", 2, 1))).not.toThrow();
    expect(() => promisedBy([], 2).recorded(1, accepted("b", 2, 1))).toThrow("without the promises of members(1,2,3)");
    expect(() => promisedBy([4], 2).recorded(1, accepted("b", 2, 1))).toThrow("without the promises of members(1,2,3)");
  });

  it("finds a leader that proposes above a configuration of its own that is not decided, or that nobody entered", () => {
    const checker = promisedBy([2], 1);
    const entry = configured(1, members([1, 4], [], [2, 3]));
    checker.recorded(1, entry);
    expect(() => checker.recorded(1, accepted("b", 1, 1, 2))).toThrow("above the configuration in slot 1, which is not decided");
    for (const member of [1, 2]) checker.durable(member, entry);
    expect(() => checker.recorded(1, accepted("b", 1, 1, 2))).toThrow("without the promises of members(1,4)");
    promise(checker, 4, 1);
    expect(() => checker.recorded(1, accepted("b", 1, 1, 2))).not.toThrow();
  });

  it("finds a campaign of a member that knows that it left, in this life or from its disk", () => {
    const checker = new Checker(members([1, 2, 3]));
    const entry = configured(1, members([1, 2], [], [3]));
    for (const member of [1, 2]) checker.durable(member, entry);
    const campaign: LogRecord = { type: "campaign", ballot: ballot(2, 3) };
    expect(() => checker.recorded(3, campaign)).not.toThrow();
    checker.recorded(3, { type: "chosen", through: slot(1) });
    expect(() => checker.recorded(3, { type: "campaign", ballot: ballot(3, 3) })).toThrow("member 3 campaigns at 3.3 and knows that it left");
    const disk = new Disk();
    disk.append([entry, { type: "chosen", through: slot(1) }], 1);
    disk.sync();
    const restarted = new Checker(members([1, 2, 3]));
    for (const member of [1, 2]) restarted.durable(member, entry);
    restarted.recovered(3, disk.recover());
    expect(() => restarted.recorded(3, campaign)).toThrow("member 3 campaigns at 2.3 and knows that it left");
  });

  it("lets a leader of a lower ballot go on that cannot know of the configuration above which it proposes", () => {
    const checker = promisedBy([2], 1);
    checker.recorded(1, accepted("a", 1, 1));
    const entry = { ...configured(1, members([3, 4])), ballot: ballot(2, 3) } as LogRecord;
    for (const member of [2, 3]) checker.durable(member, entry);
    expect(() => checker.recorded(1, accepted("b", 1, 1, 2))).not.toThrow();
  });

  it("finds a change that is called done and is not held by those whom it set, durably and known to be chosen (rule 16a)", () => {
    const checker = new Checker(members([1, 2, 3]));
    const entry = configured(1, members([1, 4, 5]));
    const disks = new Map([1, 2, 3, 4, 5].map((member) => [member, new Disk()]));
    const diskOf = (member: number): Disk => disks.get(member) as Disk;
    const keep = (member: number, ...records: LogRecord[]): void => {
      diskOf(member).append(records, diskOf(member).durable + 1);
      for (const record of diskOf(member).sync()) checker.durable(member, record);
    };
    expect(() => checker.done(1, 1, diskOf)).toThrow("no configuration is decided there");
    for (const member of [1, 2, 4]) keep(member, entry);
    expect(() => checker.done(1, 1, diskOf)).toThrow("nothing above is decided");
    for (const member of [1, 4]) keep(member, accepted("a", 1, 1, 2));
    for (const member of [1, 2, 3]) keep(member, { type: "chosen", through: slot(1) });
    expect(() => checker.done(1, 1, diskOf)).toThrow("too few of members(1,4,5) hold what lies below and know it chosen");
    const change = { type: "promote", incarnation: memberIncarnation(4), replaces: memberIncarnation(2) } as const;
    expect(() => checker.changed(change, 1, diskOf)).toThrow("answered as done at slot 1, but too few of members(1,4,5) hold what lies below");
    keep(4, { type: "chosen", through: slot(1) });
    expect(() => checker.done(1, 1, diskOf)).not.toThrow();
    expect(() => checker.changed(change, 1, diskOf)).not.toThrow();
    expect(checker.doneSlot).toBe(1);
  });

  it("finds a change that is answered as done by a configuration without it", () => {
    const checker = new Checker(members([1, 2, 3], [4]));
    const diskOf = (): Disk => new Disk();
    for (const member of [1, 2]) checker.durable(member, accepted("a", 1, 1));
    expect(() => checker.changed({ type: "promote", incarnation: memberIncarnation(4), replaces: null }, 0, diskOf)).toThrow("the configuration there is without it");
    expect(() => checker.changed({ type: "remove", incarnation: memberIncarnation(4) }, 0, diskOf)).toThrow("the configuration there is without it");
    expect(() => checker.changed({ type: "addLearner", member: memberInfo(4) }, 7, diskOf)).toThrow("the configuration there is without it");
    expect(() => checker.changed({ type: "addLearner", member: memberInfo(4) }, 0, diskOf)).not.toThrow();
  });
});

function configured(at: number, configuration: Configuration): LogRecord {
  return { type: "accepted", slot: slot(at), ballot: ballot(1, 1), value: encodeValue({ kind: "configuration", origin: ballot(1, 1), configuration }) };
}

function promise(checker: Checker, member: number, round: number): void {
  const disk = new Disk();
  disk.append([{ type: "promised", ballot: ballot(round, 1) }], 1);
  disk.sync();
  checker.leaves(member, { type: "promise", ballot: ballot(round, 1), fromSlot: slot(1), entries: [], nextSlot: null, chosenThrough: slot(0) }, disk);
}

/** Nothing is decided among 1, 2 and 3; these members promised the ballot of `round` and member 1. */
function promisedBy(promising: readonly number[], round: number): Checker {
  const checker = new Checker(members([1, 2, 3]));
  for (const member of promising) promise(checker, member, round);
  return checker;
}
