import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { ConfigurationChange } from "../../src/paxos/membership.ts";
import type { ReportedEntry } from "../../src/paxos/messages.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { memberIncarnation, memberInfo } from "../../src/scenario/names.ts";
import { ballot, commands, LoneCore, members, NOTHING, snapshotHandle } from "./lone-core.ts";

const add = (member: number): ConfigurationChange => ({ type: "addLearner", member: memberInfo(member) });
const remove = (member: number): ConfigurationChange => ({ type: "remove", incarnation: memberIncarnation(member) });
const promote = (member: number, replaces: number | null = null): ConfigurationChange => ({
  type: "promote", incarnation: memberIncarnation(member), replaces: replaces === null ? null : memberIncarnation(replaces),
});

function configuration(configured: Configuration, round = 1, by = 1): Uint8Array {
  return encodeValue({ kind: "configuration", origin: ballot(round, by), configuration: configured });
}

function report(at: number, value: Uint8Array, { chosen = false, round = 1, by = 2 } = {}): ReportedEntry {
  return { slot: slot(at), ballot: ballot(round, by), chosen, value };
}

/** Member 1 serves in a cluster of 1, 2 and 3 with 4 as a learner that has caught up; only its barrier is chosen, in slot 1. */
function serving(): LoneCore {
  return new LoneCore({ configuration: members([1, 2, 3], [4]), configurationSlot: 0 }).serve().hears([2, 3, 4], 1);
}

/** Member 1 proposed in slot 2 that 4 takes the place of 3, and that is chosen by 1 and 2. */
function replacing(): LoneCore {
  return serving().change(promote(4, 3)).acknowledge(2);
}

const outcomes = (core: LoneCore) => core.changes.map((outcome) => (outcome.ok ? `done at ${outcome.slot}` : outcome.failure));

describe("a leader that changes the configuration", () => {
  it("asks the new voters for their promise together with the accept, and proposes nothing above before both are complete (rule 16)", () => {
    const core = serving().change(promote(4, 3)).propose(1, "a");
    expect(core.last("prepare", 4)).toMatchObject({ fromSlot: 3 });
    expect(core.last("prepare", 2)).toMatchObject({ fromSlot: 3 });
    core.promises([4]);
    expect(core.proposed(2)).toEqual(["1=barrier(1.1)", "2=members(1,2,4)"]);
    core.acknowledge(2);
    expect(core.proposed(2).slice(2)).toEqual(["3=no-op", "4=a"]);
  });

  it("proposes nothing above a chosen configuration without the promises of its voters", () => {
    const core = replacing().propose(1, "a");
    expect(core.core.status()).toMatchObject({ chosenThrough: 2, configurationSlot: 2 });
    // Member 3 votes no more: its promise says nothing about what may be chosen above.
    core.promises([3]);
    expect(core.proposed(2)).toHaveLength(2);
    core.promises([2]);
    expect(core.proposed(2).slice(2)).toEqual(["3=no-op", "4=a"]);
  });

  it("adopts what the new voters report above the configuration before it proposes anything of its own (rule 16, trace a)", () => {
    const core = replacing().propose(1, "a").promises([2], [report(3, commands("v"), { round: 0, by: 2 })]);
    expect(core.proposed(2).slice(2)).toEqual(["3=v", "4=no-op", "5=a"]);
  });

  it("asks again for promises that were lost", () => {
    const core = replacing();
    core.sent.length = 0;
    core.pass(100);
    expect(core.all("prepare", 4)).toHaveLength(1);
  });

  it("steps down when a late promise to its first prepare tells that another value was chosen where it proposed the configuration", () => {
    const core = new LoneCore({ size: 5 }).serve([2, 3]).change(remove(5), { force: true });
    const at = core.last("accept").ballot;
    const entries = [report(1, encodeValue({ kind: "barrier", ballot: at }), { chosen: true }), report(2, commands("z"), { chosen: true, round: 9, by: 5 })];
    core.sent.length = 0;
    core.receive(4, { type: "promise", ballot: at, fromSlot: slot(1), entries, nextSlot: null, chosenThrough: slot(2) });
    expect(core.core.leads).toBe(false);
    core.pass(100);
    expect(core.sent.filter(({ message }) => "chosenThrough" in message && message.chosenThrough >= 2 && "ballot" in message && message.ballot.round === at.round)).toEqual([]);
    expect(outcomes(core)).toEqual(["unknown"]);
  });

  it("begins anew when it hears of a later configuration that was chosen already: its promises are those of the wrong voters", () => {
    const core = replacing().propose(1, "a");
    // Some other leader went on from slot 2 and had 3 removed in slot 3; who governs slot 4 was never asked.
    core.promises([2], [report(3, configuration(members([1, 4], [], [3, 2]), 2, 2), { chosen: true })], 3);
    expect(core.core.status().configurationSlot).toBe(3);
    expect(core.core.leads).toBe(false);
    expect(core.proposed(4).filter((each) => Number.parseInt(each, 10) > 3)).toEqual([]);
    expect(core.last("preVote", 4)).toBeDefined();
  });

  it("answers no read while the new voters may know of more than it does", () => {
    const core = replacing();
    core.input({ type: "read", readId: 1 }).pass(80).hears([2, 3, 4]);
    expect(core.reads).toEqual([]);
    // Before it ever heard of this ballot member 2 had v chosen in slot 3, and acknowledged it.
    core.promises([2], [report(3, commands("v"), { round: 0, by: 2 })]).pass(80).hears([2, 4]);
    expect(core.reads).toEqual([]);
    core.acknowledge(4).hears([2, 4]);
    expect(core.reads).toEqual([{ readId: 1, ok: true, slot: 4 }]);
  });
});

describe("a change", () => {
  it("is done when a quorum of the new voters durably knows all up to it chosen and something above it is (rule 16a)", () => {
    const core = replacing().promises([4]);
    core.hears([4], 2);
    expect(outcomes(core)).toEqual([]);
    core.acknowledge(3, [4]);
    expect(core.core.status()).toMatchObject({ chosenThrough: 3, configurationDone: true });
    expect(outcomes(core)).toEqual(["done at 2"]);
  });

  it("is not done by what the new voters hold without knowing it chosen, nor by what others know", () => {
    const core = replacing().promises([4]).acknowledge(3, [4]).hears([4], 1).hears([3], 3);
    expect(core.core.status()).toMatchObject({ chosenThrough: 3, configurationDone: false });
    expect(outcomes(core)).toEqual([]);
  });

  it("keeps the leader in touch with who leaves until it is done, and no longer", () => {
    const core = replacing().promises([4]).acknowledge(3, [4]);
    core.pass(80);
    expect(core.all("heartbeat", 3).at(-1)).toEqual(core.last("heartbeat"));
    core.hears([4], 2);
    core.sent.length = 0;
    core.pass(80);
    expect(core.all("heartbeat", 3)).toEqual([]);
    expect(core.all("heartbeat", 4)).toHaveLength(1);
  });

  it("is refused while an earlier one is not done, and asked again it waits for the one under way", () => {
    const core = replacing().change(remove(2)).change(promote(4, 3));
    expect(outcomes(core)).toEqual(["changePending"]);
    core.promises([4]).acknowledge(3, [4]).hears([4], 2);
    expect(outcomes(core)).toEqual(["changePending", "done at 2", "done at 2"]);
    core.change(promote(4, 3));
    expect(outcomes(core).at(-1)).toBe("done at 2");
    expect(core.core.status().lastSlot).toBe(3);
  });

  it("that was made before is answered at once, and not by a later change in the same turn that undoes it", () => {
    const core = serving();
    const request = (changeId: number, change: ConfigurationChange) => ({ changeId, change, force: false, plannedFrom: null });
    core.core.step({ type: "changeConfiguration", request: request(1, add(4)) });
    core.input({ type: "changeConfiguration", request: request(2, remove(4)) });
    expect(core.changes).toEqual([{ changeId: 1, ok: true, slot: 0 }]);
  });

  it("that an adopted configuration has, and the next adopted one has not, is not answered as done", () => {
    const reports = [report(1, configuration(members([1, 2, 3], [4]))), report(2, configuration(members([1, 2, 3], [], [4])))];
    const core = new LoneCore().campaign([2]).promises([2], reports).change(add(4));
    core.acknowledge(1).promises([2], reports.slice(1)).acknowledge(2).promises([2]).acknowledge(3).hears([2], 2);
    expect(core.core.status()).toMatchObject({ ready: true, configurationSlot: 2, configurationDone: true });
    expect(outcomes(core)).toEqual(["unknown"]);
  });

  it("is refused before the barrier is chosen, by who does not lead, and while leadership is handed over", () => {
    const core = new LoneCore().change(add(4)).lead().change(add(4));
    core.acknowledge(1).input({ type: "transferLeadership", target: memberIncarnation(2) }).change(add(4));
    expect(outcomes(core)).toEqual(["notLeader", "notReady", "notReady"]);
  });

  it("is refused when it was planned from another configuration", () => {
    const core = serving().change(remove(3), { plannedFrom: 7 });
    expect(outcomes(core)).toEqual(["stalePlan"]);
    expect(core.change(remove(3), { plannedFrom: 0 }).core.status().lastSlot).toBe(2);
  });

  it("promotes no learner that was not heard from or lags (rule 17)", () => {
    const unheard = new LoneCore({ configuration: members([1, 2, 3], [4]) }).serve().hears([2, 3], 1).change(promote(4));
    const core = serving();
    for (let id = 1; id <= 1_001; id++) core.propose(id, "x");
    core.acknowledge(1_002).change(promote(4), { force: true });
    expect([...outcomes(unheard), ...outcomes(core)]).toEqual(["learnerLags", "learnerLags"]);
    core.pass(80).hears([2, 4], 2).change(promote(4));
    expect(core.core.status().lastSlot).toBe(1_003);
  });

  it("promotes no learner whose accepts come back while it answers no heartbeat: how far it knows the log is not known", () => {
    const core = new LoneCore({ configuration: members([1, 2, 3], [4]) }).serve().hears([2, 3], 1).acknowledge(1, [4]).change(promote(4));
    expect(outcomes(core)).toEqual(["learnerLags"]);
    core.hears([4], 1).change(promote(4));
    expect(core.core.status().lastSlot).toBe(2);
  });

  it("removes nobody when too few of the others are alive, unless that is insisted upon, and then by a quorum of today's voters", () => {
    const core = new LoneCore().serve().hears([2], 1).change(remove(2));
    expect(outcomes(core)).toEqual(["noLiveQuorum"]);
    core.change(remove(2), { force: true });
    expect(core.core.status()).toMatchObject({ lastSlot: 2, chosenThrough: 1 });
    core.acknowledge(2);
    expect(core.core.status()).toMatchObject({ chosenThrough: 2, configurationSlot: 2 });
  });

  it("has an unknown outcome when leadership is lost before it is done", () => {
    const core = replacing().receive(2, { type: "reject", ballot: ballot(1, 1), promised: ballot(8, 2) });
    expect(outcomes(core)).toEqual(["unknown"]);
  });

  it("that removes the leader is made by another one: the leader hands over first", () => {
    const core = serving().acknowledge(1, [2]).change(remove(1));
    expect(outcomes(core)).toEqual(["notLeader"]);
    expect(core.last("transferLeadership", 2)).toBeDefined();
    expect(core.core.status().lastSlot).toBe(1);
  });

  it("that removes the leader and cannot be made moves nobody", () => {
    const core = new LoneCore({ configuration: members([1, 2, 3], [4]) }).serve().hears([2, 3], 1).change(promote(4, 1));
    expect(outcomes(core)).toEqual(["learnerLags"]);
    expect(core.all("transferLeadership")).toEqual([]);
    expect(core.core.status().role).toBe("leader");
  });

  it("that removes the leader is refused when nobody took over; each voter rests after it was asked, and longer the next time", () => {
    const core = serving().acknowledge(1, [2, 3]);
    /** What becomes of it after so long, and how often somebody was asked to take over by then. */
    const after = (ms: number): [string | undefined, number] => {
      core.passHeard(ms, [2, 3]).change(remove(1));
      return [outcomes(core).at(-1), core.events.filter(({ type }) => type === "transferStarted").length];
    };
    expect([after(0), after(400), after(400), after(400)]).toEqual([["notLeader", 1], ["notLeader", 2], ["noSuccessor", 2], ["noSuccessor", 2]]);
    expect(core.core.status()).toMatchObject({ role: "leader", lastSlot: 1 });
    expect([after(8_790), after(400), after(400), after(400)]).toEqual([["noSuccessor", 2], ["notLeader", 3], ["notLeader", 4], ["noSuccessor", 4]]);
    expect([after(18_000), after(2_000)]).toEqual([["noSuccessor", 4], ["notLeader", 5]]);
  });

  it("that removes the leader is made by itself when nobody took over and that is insisted upon", () => {
    const core = serving().acknowledge(1, [2, 3]).change(remove(1), { force: true });
    core.passHeard(400, [2, 3]).change(remove(1), { force: true });
    core.passHeard(400, [2, 3]).change(remove(1), { force: true });
    expect(core.proposed(2)).toEqual(["1=barrier(1.1)", "2=members(2,3; learning 4)"]);
  });

  it("bounds how many wait for it", () => {
    const core = replacing();
    for (let asked = 0; asked < 20; asked++) core.change(promote(4, 3));
    expect(outcomes(core)).toEqual(["changePending", "changePending", "changePending", "changePending", "changePending"]);
  });
});

describe("a leader that adopted a configuration without itself", () => {
  it("has it chosen, tells so, asks a voter to take over and steps down", () => {
    const core = new LoneCore().campaign([2]).promises([2], [report(1, configuration(members([2, 3], [], [1])))]);
    expect(core.proposed(2)).toEqual(["1=members(2,3)"]);
    core.promises([3]).acknowledge(1);
    expect(core.core.status()).toMatchObject({ role: "removed", chosenThrough: 1, lastSlot: 1 });
    expect(core.all("heartbeat", 2).at(-1)).toMatchObject({ chosenThrough: 1 });
    expect(core.last("transferLeadership", 2)).toBeDefined();
  });

  it("leaves no proposal open that lies above: it may never apply that slot", () => {
    const core = new LoneCore().serve().propose(1, "a").propose(2, "b");
    core.receive(2, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values: [configuration(members([2, 3], [], [1]), 8, 2)], chosenThrough: slot(2) });
    expect(core.core.status().role).toBe("removed");
    expect(core.failed).toEqual([{ proposalId: 2, failure: "unknown" }, { proposalId: 1, failure: "superseded" }]);
  });

  it("does not campaign when a pre-vote is granted after the member left", () => {
    const core = new LoneCore().pass(500);
    const { nonce } = core.last("preVote");
    const values = [configuration(members([2, 3], [], [1]))];
    core.receive(2, { type: "chosenEntries", promised: ballot(1, 2), fromSlot: slot(1), values, chosenThrough: slot(1) });
    for (const from of [2, 3]) core.receive(from, { type: "preVoteReply", nonce, granted: true, promised: ballot(1, 2), chosenThrough: slot(1) });
    expect(core.core.status().role).toBe("removed");
    expect(core.all("prepare", 2)).toEqual([]);
  });

  it("never campaigns again, and tells those who vote now what is chosen for as long as it hears no leader (rule 18)", () => {
    const core = new LoneCore().campaign([2]).promises([2], [report(1, configuration(members([2, 3], [], [1])))]).acknowledge(1);
    core.sent.length = 0;
    core.pass(1_000);
    const told = { type: "chosenEntries", promised: core.core.status().ballot, fromSlot: 2, values: [], chosenThrough: 1 };
    expect(core.sent.map(({ message }) => message)).toEqual([told, told]);
    core.receive(2, { type: "catchUp", fromSlot: slot(1) });
    expect(core.last("chosenEntries", 2).values).toHaveLength(1);
  });

  it("tells them less and less often, but never less than once a minute, and anew when a link comes up", () => {
    const core = new LoneCore().campaign([2]).promises([2], [report(1, configuration(members([2, 3], [], [1])))]).acknowledge(1);
    const toldWithin = (ms: number): number => {
      const before = core.all("chosenEntries", 2).length;
      core.pass(ms);
      return core.all("chosenEntries", 2).length - before;
    };
    expect(toldWithin(120_000)).toBeLessThanOrEqual(9);
    expect([toldWithin(61_000), toldWithin(61_000)]).toEqual([1, 1]);
    core.input({ type: "linkUp", peer: memberIncarnation(3) });
    expect(toldWithin(1_000)).toBe(1);
    expect(toldWithin(10_000)).toBeLessThanOrEqual(4);
  });
});

describe("a candidate", () => {
  const found = configuration(members([1, 2, 3, 4]));

  it("asks the voters of a configuration that it is told is chosen, and counts a quorum of them", () => {
    const core = new LoneCore().campaign([2]).promises([2], [report(1, found, { chosen: true })], 1);
    expect(core.core.status().role).toBe("candidate");
    expect(core.last("prepare", 4)).toMatchObject({ fromSlot: 1 });
    core.promises([4]);
    expect(core.proposed(2)).toEqual(["2=barrier(1.1)"]);
  });

  it("gives up when it is told that it was removed", () => {
    const core = new LoneCore().campaign([2]).promises([2], [report(1, configuration(members([2, 3], [], [1])), { chosen: true })], 1);
    expect(core.core.status().role).toBe("removed");
    expect(core.events).toContainEqual(expect.objectContaining({ type: "electionLost", reason: "removed" }));
  });

  it("adopts no further than the first configuration that is not chosen, and has its barrier chosen under the last one", () => {
    const reports = [report(1, commands("a")), report(2, found), report(3, commands("b")), report(4, configuration(members([1, 3, 4], [], [2])))];
    const core = new LoneCore().campaign([2]).promises([2], reports);
    expect(core.proposed(2)).toEqual(["1=a", "2=members(1,2,3,4)"]);
    core.acknowledge(2).promises([2, 4], reports.slice(2));
    expect(core.proposed(2).slice(2)).toEqual(["3=b", "4=members(1,3,4)"]);
    core.acknowledge(4, [2, 4]).promises([4]);
    expect(core.proposed(4).at(-1)).toBe("5=barrier(1.1)");
    expect(core.core.status().ready).toBe(false);
    core.acknowledge(5, [4]);
    expect(core.core.status().ready).toBe(true);
  });
});

describe("a member without a vote", () => {
  const learner = () => new LoneCore({ configuration: members([2, 3], [1]), configurationSlot: 4 });

  it("never asks for pre-votes or promises", () => {
    const core = learner().pass(3_000).input({ type: "campaign" });
    expect(core.core.status().role).toBe("learner");
    expect([...core.all("preVote"), ...core.all("prepare")]).toEqual([]);
  });

  it("asks the voters what is chosen when it hears no leader: it may have left, or be a voter by now", () => {
    const core = learner().pass(1_000);
    expect(core.last("catchUp", 2)).toEqual(core.last("catchUp", 3));
    const values = ["a", "b", "c", "d"].map((text) => commands(text));
    core.receive(2, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values: [...values, configuration(members([1], [], [2, 3]))], chosenThrough: slot(5) });
    expect(core.core.status().role).toBe("follower");
    expect(core.pass(1_000).core.status().role).toBe("leader");
  });

  it("takes the place of the only voter although it missed the leader's last words", () => {
    const core = new LoneCore({ configuration: members([2], [1]), configurationSlot: 1 });
    core.receive(2, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values: [configuration(members([2], [1]))], chosenThrough: slot(1) });
    core.pass(1_000);
    expect(core.last("catchUp", 2)).toMatchObject({ fromSlot: 2 });
    core.receive(2, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values: [configuration(members([1], [], [2]))], chosenThrough: slot(2) });
    expect(core.pass(1_000).core.status()).toMatchObject({ role: "leader", ready: true });
  });
});

describe("a member that joined later and starts with an older snapshot than its document", () => {
  it("goes by the document, which names it, until it has caught up", () => {
    const snapshot = { ...snapshotHandle(2), configuration: members([2, 3]), configurationSlot: slot(1) };
    const core = new LoneCore({ configuration: members([2, 3], [1]), configurationSlot: 4, recovered: { ...NOTHING, snapshot, chosenThrough: slot(2) } });
    expect(core.core.status()).toMatchObject({ role: "learner", configurationSlot: 4 });
  });
});

describe("a member that installs a snapshot with a change of the members", () => {
  const throughTheChange = { ...snapshotHandle(3), configuration: members([1, 2, 4], [], [3]), configurationSlot: slot(2), promised: ballot(5, 2) };

  it("promises what the snapshot's giver had promised, so that it refuses late leaders of the old voters and campaigns above the change's ballot (rule 16)", () => {
    const core = new LoneCore().input({ type: "snapshotInstalled", handle: throughTheChange });
    expect(core.core.status()).toMatchObject({ configurationSlot: 2, ballot: ballot(5, 2) });
    expect(core.records[0]).toEqual({ type: "promised", ballot: ballot(5, 2) });
    core.receive(3, { type: "accept", ballot: ballot(3, 3), firstSlot: slot(4), values: [commands("w")], chosenThrough: slot(3) });
    expect(core.all("accepted")).toEqual([]);
    expect(core.last("reject", 3)).toMatchObject({ promised: ballot(5, 2) });
    expect(core.campaign().last("prepare", 4).ballot).toEqual(ballot(6, 1));
  });

  it("gives up an election below the ballot at which the change was chosen", () => {
    const core = new LoneCore().campaign().input({ type: "snapshotInstalled", handle: throughTheChange });
    expect(core.events).toContainEqual(expect.objectContaining({ type: "electionLost", reason: "higherBallot" }));
    expect(core.core.campaigns).toBe(false);
  });
});

describe("an acceptor that left", () => {
  const removed = configuration(members([2, 3], [], [1]));
  const left = () => new LoneCore().receive(2, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values: [commands("a"), removed], chosenThrough: slot(2) });

  it("still votes for what lies below the entry that removed it, and answers phase 1 (rule 18)", () => {
    const core = left();
    core.receive(3, { type: "accept", ballot: ballot(5, 3), firstSlot: slot(1), values: [commands("a"), removed], chosenThrough: slot(0) });
    expect(core.last("accepted", 3)).toMatchObject({ from: 1, through: 2 });
    core.receive(3, { type: "prepare", ballot: ballot(6, 3), fromSlot: slot(1) });
    expect(core.last("promise", 3).entries.map(({ slot: at, chosen }) => [at, chosen])).toEqual([[1, true], [2, true]]);
  });

  it("votes for nothing above and says what it knows instead", () => {
    const core = left().receive(3, { type: "accept", ballot: ballot(5, 3), firstSlot: slot(3), values: [commands("b")], chosenThrough: slot(2) });
    expect(core.all("accepted")).toEqual([]);
    expect(core.last("chosenEntries", 3)).toMatchObject({ chosenThrough: 2 });
  });

  it("never refuses a member that it does not know yet", () => {
    const core = new LoneCore({ configuration: members([1, 2, 3]) });
    core.receive(4, { type: "preVote", nonce: 7 });
    expect(core.last("preVoteReply", 4)).toMatchObject({ granted: true });
    core.receive(4, { type: "prepare", ballot: ballot(2, 4), fromSlot: slot(1) });
    expect(core.last("promise", 4)).toMatchObject({ ballot: ballot(2, 4) });
  });
});
