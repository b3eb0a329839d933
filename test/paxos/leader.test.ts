import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { ballot, commands, LoneCore, snapshotHandle } from "./lone-core.ts";

describe("a leader", () => {
  it("counts its own vote only when its own record is durable", () => {
    const core = new LoneCore().serve();
    core.fastDisk = false;
    core.propose(1, "a").acknowledge(2);
    expect(core.core.status().chosenThrough).toBe(1);
    core.sync();
    expect(core.core.status().chosenThrough).toBe(2);
  });

  it("counts acknowledgements of its own ballot only, and only for the range that they name", () => {
    const core = new LoneCore().serve().propose(1, "a").propose(2, "b");
    const { ballot: mine } = core.last("accept");
    core.receive(2, { type: "accepted", ballot: ballot(mine.round, 2), from: slot(1), through: slot(3) });
    core.receive(2, { type: "accepted", ballot: ballot(mine.round - 1, 1), from: slot(1), through: slot(3) });
    core.receive(2, { type: "accepted", ballot: mine, from: slot(3), through: slot(3) });
    expect(core.core.status().chosenThrough).toBe(1);
    core.receive(3, { type: "accepted", ballot: mine, from: slot(1), through: slot(2) });
    expect(core.core.status().chosenThrough).toBe(2);
  });

  it("begins anew where a follower's gap begins, once for all accepts behind it, and again when the gap is another", () => {
    const core = new LoneCore({ limits: { maxMessageBytes: 1 } }).serve();
    for (let id = 1; id <= 3; id++) core.propose(id, "x");
    const { ballot: at } = core.last("accept");
    core.sent.length = 0;
    for (let copies = 0; copies < 3; copies++) core.receive(2, { type: "acceptGap", ballot: at, expected: slot(2) });
    expect(core.all("accept", 2).map((message) => message.firstSlot)).toEqual([2, 3, 4]);
    core.receive(2, { type: "acceptGap", ballot: at, expected: slot(3) });
    expect(core.all("accept", 2).map((message) => message.firstSlot)).toEqual([2, 3, 4, 3, 4]);
  });

  it("steps down when it learns that another value than its own was chosen in a slot of its ballot", () => {
    const core = new LoneCore().serve().propose(1, "a");
    core.receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values: [commands("z", 9, 3)], chosenThrough: slot(2) });
    expect(core.core.leads).toBe(false);
    expect(core.events).toContainEqual(expect.objectContaining({ type: "steppedDown", reason: "higherBallot" }));
    expect(core.failed).toEqual([{ proposalId: 1, failure: "superseded" }]);
  });

  it("steps down when it learns of a chosen slot that it has not proposed", () => {
    const core = new LoneCore().serve();
    core.receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values: [commands("z", 9, 3)], chosenThrough: slot(2) });
    expect(core.core.leads).toBe(false);
  });

  it("goes on when it learns that its own value was chosen", () => {
    const core = new LoneCore().serve().propose(1, "a");
    const { values } = core.last("accept");
    core.receive(3, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(2), values, chosenThrough: slot(2) });
    expect(core.core.leads).toBe(true);
    expect(core.chosen.at(-1)).toMatchObject({ slot: 2, proposalId: 1 });
  });

  it("begins a new ballot behind a snapshot that covers slots of its own, and says nothing more in the old one", () => {
    const core = new LoneCore().serve().propose(1, "a");
    core.sent.length = 0;
    core.input({ type: "snapshotInstalled", handle: snapshotHandle(4) });
    expect(core.core.leads).toBe(false);
    expect(core.sent.map(({ message }) => message.type)).toEqual(["preVote", "preVote"]);
  });

  it("asks for pre-votes at once when a member refuses it for a higher promise, and campaigns above that", () => {
    const core = new LoneCore().serve();
    core.receive(3, { type: "reject", ballot: ballot(1, 1), promised: ballot(8, 3) });
    expect(core.core.leads).toBe(false);
    core.receive(2, { type: "preVoteReply", nonce: core.last("preVote").nonce, granted: true, promised: ballot(1, 1), chosenThrough: slot(0) });
    expect(core.last("prepare").ballot).toEqual(ballot(9, 1));
  });

  it("does not contest the ballot of a member that it asked to take over", () => {
    const core = new LoneCore().serve().propose(1, "a");
    core.input({ type: "transferLeadership", target: memberIncarnation(3) });
    core.sent.length = 0;
    core.receive(3, { type: "reject", ballot: ballot(1, 1), promised: ballot(2, 3) });
    expect(core.core.leads).toBe(false);
    expect(core.sent).toEqual([]);
    expect(core.events).toContainEqual(expect.objectContaining({ type: "steppedDown", reason: "transferred" }));
  });

  it("steps down when it heard no quorum for an election timeout, and not while it hears one", () => {
    const core = new LoneCore().serve().passHeard(2_000);
    expect(core.core.leads).toBe(true);
    core.pass(420);
    expect(core.core.leads).toBe(false);
    expect(core.events).toContainEqual(expect.objectContaining({ type: "steppedDown", reason: "quorumLost" }));
  });

  it("steps down when its disk completes nothing for a second though its peers answer, and probes the disk when idle", () => {
    const core = new LoneCore().serve();
    core.fastDisk = false;
    core.passHeard(900);
    expect(core.records).toContainEqual({ type: "probe" });
    core.sync().passHeard(900);
    expect(core.core.leads).toBe(true);
    core.passHeard(1_200);
    expect(core.core.leads).toBe(false);
    expect(core.events).toContainEqual(expect.objectContaining({ type: "steppedDown", reason: "diskStalled" }));
  });
});

describe("a linearizable read", () => {
  it("is answered by a round that began after it, not by answers to an earlier heartbeat", () => {
    const core = new LoneCore().serve();
    const early = core.last("heartbeat");
    core.input({ type: "read", readId: 1 });
    const { nonce } = core.last("heartbeat");
    expect(nonce).toBeGreaterThan(early.nonce);
    core.receive(2, { type: "heartbeatReply", ballot: early.ballot, nonce: early.nonce, chosenThrough: slot(1), durableThrough: slot(1) });
    expect(core.reads).toEqual([]);
    core.receive(2, { type: "heartbeatReply", ballot: early.ballot, nonce, chosenThrough: slot(1), durableThrough: slot(1) });
    expect(core.reads).toEqual([{ readId: 1, ok: true, slot: 1 }]);
  });

  it("shares the next round when one is under way", () => {
    const core = new LoneCore().serve().input({ type: "read", readId: 1 });
    const first = core.last("heartbeat");
    core.input({ type: "read", readId: 2 }).input({ type: "read", readId: 3 });
    core.receive(2, { type: "heartbeatReply", ballot: first.ballot, nonce: first.nonce, chosenThrough: slot(1), durableThrough: slot(1) });
    expect(core.reads.map((read) => read.readId)).toEqual([1]);
    core.receive(2, { type: "heartbeatReply", ballot: first.ballot, nonce: core.last("heartbeat").nonce, chosenThrough: slot(1), durableThrough: slot(1) });
    expect(core.reads.map((read) => read.readId)).toEqual([1, 2, 3]);
  });

  it("is refused when the leadership ends before a quorum answered", () => {
    const core = new LoneCore().serve().input({ type: "read", readId: 1 });
    core.receive(3, { type: "prepare", ballot: ballot(5, 3), fromSlot: slot(2) });
    expect(core.reads).toEqual([{ readId: 1, ok: false }]);
  });

  it("at a follower is asked of the leader with a fresh nonce for every attempt, and a late answer to an earlier one is void", () => {
    const core = new LoneCore().receive(2, { type: "heartbeat", ballot: ballot(1, 2), nonce: 1, chosenThrough: slot(0) });
    core.input({ type: "read", readId: 1 });
    const { nonce: first } = core.last("readIndexRequest");
    core.pass(210);
    const { nonce: second } = core.last("readIndexRequest");
    expect(second).toBeGreaterThan(first);
    core.receive(2, { type: "readIndexReply", ballot: ballot(1, 2), nonce: first, slot: slot(4) });
    expect(core.reads).toEqual([]);
    core.receive(2, { type: "readIndexReply", ballot: ballot(1, 2), nonce: second, slot: slot(5) });
    expect(core.reads).toEqual([{ readId: 1, ok: true, slot: 5 }]);
  });
});

describe("a transfer of leadership", () => {
  const transfer = { type: "transferLeadership", target: memberIncarnation(2) } as const;

  it("waits until the target holds everything, and queues proposals meanwhile", () => {
    const core = new LoneCore().serve().propose(1, "a").input(transfer).propose(2, "b");
    expect(core.all("transferLeadership")).toEqual([]);
    core.acknowledge(2);
    expect(core.all("transferLeadership", 2)).toMatchObject([{ ballot: ballot(1, 1) }]);
    expect(core.core.status().lastSlot).toBe(2);
  });

  it("does not wait until the leader serves: it may never, and the target can", () => {
    const core = new LoneCore({ size: 5 }).lead([2, 3]).input(transfer).acknowledge(1, [2]);
    expect(core.core.status().ready).toBe(false);
    expect(core.all("transferLeadership", 2)).toHaveLength(1);
  });

  it("that fails lets the queued proposals go on", () => {
    const core = new LoneCore().serve().input(transfer).propose(1, "a").passHeard(390);
    expect(core.core.status().lastSlot).toBe(1);
    core.passHeard(20).acknowledge(2);
    expect(core.chosen.at(-1)).toMatchObject({ proposalId: 1 });
  });

  it("bounds what it queues", () => {
    const core = new LoneCore({ limits: { maxUnchosenBytes: 10 } }).serve().input(transfer).propose(1, "12345678").propose(2, "12345678");
    expect(core.failed).toEqual([{ proposalId: 2, failure: "busy" }]);
  });

  it("to the most caught-up voter passes over who was not heard lately", () => {
    const toAny = { type: "transferLeadership", target: null } as const;
    const core = new LoneCore({ size: 5 }).serve([2, 3]).pass(390).hears([3, 4], 0).pass(20).input(toAny);
    expect(core.events.filter(({ type }) => type === "transferStarted")).toMatchObject([{ to: memberIncarnation(3) }]);
  });

  it("to the most caught-up voter passes over one whose link is down, as it could not be asked", () => {
    const toAny = { type: "transferLeadership", target: null } as const;
    const core = new LoneCore({ size: 5 }).serve([2, 3]).propose(1, "a").acknowledge(2, [2]).input({ type: "linkDown", peer: memberIncarnation(2) }).input(toAny);
    expect(core.events.filter(({ type }) => type === "transferStarted")).toMatchObject([{ to: memberIncarnation(3) }]);
  });
});

describe("a member that is asked to take over", () => {
  const heartbeat = (round = 4) => ({ type: "heartbeat", ballot: ballot(round, 2), nonce: 1, chosenThrough: slot(0) } as const);
  const request = (round = 4, of = 2) => ({ type: "transferLeadership", ballot: ballot(round, of), nonce: 1 } as const);
  const follow = (size = 5): LoneCore => new LoneCore({ size }).receive(2, heartbeat());
  const asked = (): LoneCore => follow().receive(2, request());
  /** The member refuses its pre-vote, as it hears a leader. */
  const refuse = (core: LoneCore, from: number, promised = ballot(4, 2)): LoneCore =>
    core.receive(from, { type: "preVoteReply", nonce: core.last("preVote").nonce, granted: false, promised, chosenThrough: slot(0) });

  it("does it only for the leader that it follows, in its ballot", () => {
    expect(follow().receive(3, request()).all("preVote")).toEqual([]);
    expect(follow().receive(2, request(3)).all("preVote")).toEqual([]);
    expect(follow().receive(2, request()).all("preVote", 3)).toHaveLength(1);
  });

  it("campaigns once a quorum has answered, though all of them hear the leader", () => {
    const core = refuse(asked(), 2);
    expect(core.all("prepare")).toEqual([]);
    expect(refuse(core, 3).last("prepare").ballot).toEqual(ballot(5, 1));
  });

  it("leaves its leader alone when no quorum answers, and follows it", () => {
    const core = refuse(asked(), 2);
    for (let heard = 0; heard < 10; heard++) core.pass(80).receive(2, heartbeat());
    expect(core.core.status()).toMatchObject({ role: "follower", leader: memberIncarnation(2), ballot: ballot(4, 2) });
    expect(core.all("preVote", 3)).toHaveLength(1);
    expect(refuse(core, 3).all("prepare")).toEqual([]);
  });

  it("goes on asking while the leader's heartbeats come", () => {
    expect(refuse(refuse(asked(), 2).pass(80).receive(2, heartbeat()), 3).all("prepare", 2)).toHaveLength(1);
  });

  it("does not count who promised somebody else, and gives up when it does so itself", () => {
    expect(refuse(refuse(asked(), 2), 3, ballot(5, 4)).all("prepare")).toEqual([]);
    const core = asked().receive(4, { type: "prepare", ballot: ballot(5, 4), fromSlot: slot(1) });
    expect(refuse(refuse(core, 2), 3).all("prepare")).toEqual([]);
  });

  it("does nothing while its disk answers nothing", () => {
    const core = follow();
    core.fastDisk = false;
    core.receive(2, heartbeat(5));
    for (let heard = 0; heard < 13; heard++) core.pass(80).receive(2, heartbeat(5));
    expect(core.receive(2, request(5)).all("preVote")).toEqual([]);
    expect(core.sync().receive(2, request(5)).all("preVote", 3)).toHaveLength(1);
  });

  it("campaigns once, however often the request arrives", () => {
    const core = refuse(follow(3).receive(2, request()), 3).pass(2_000).receive(2, request());
    expect(core.all("prepare", 3)).toHaveLength(1);
  });
});

describe("a pre-vote", () => {
  const ask = { type: "preVote", nonce: 1 } as const;

  it("is refused by a leader, and by a follower that heard one within an election timeout", () => {
    expect(new LoneCore().serve().receive(3, ask).last("preVoteReply").granted).toBe(false);
    const follower = new LoneCore().receive(2, { type: "heartbeat", ballot: ballot(4, 2), nonce: 1, chosenThrough: slot(0) });
    expect(follower.pass(390).receive(3, ask).last("preVoteReply").granted).toBe(false);
    expect(follower.pass(20).receive(3, ask).last("preVoteReply").granted).toBe(true);
  });

  it("is granted to the leader itself, and to anybody by a follower that saw the leader's link close", () => {
    const follower = new LoneCore().receive(2, { type: "heartbeat", ballot: ballot(4, 2), nonce: 1, chosenThrough: slot(0) });
    expect(follower.receive(2, ask).last("preVoteReply").granted).toBe(true);
    follower.input({ type: "linkDown", peer: memberIncarnation(3) }).receive(3, ask);
    expect(follower.last("preVoteReply").granted).toBe(false);
    follower.input({ type: "linkDown", peer: memberIncarnation(2) }).receive(3, ask);
    expect(follower.last("preVoteReply").granted).toBe(true);
  });

  it("is granted to who has room by a follower whose leader's disk is full, as long as the link to the leader stays", () => {
    const disk = (of: number, full: boolean) => ({ type: "peerDisk", peer: memberIncarnation(of), full } as const);
    const follower = new LoneCore().receive(2, { type: "heartbeat", ballot: ballot(4, 2), nonce: 1, chosenThrough: slot(0) });
    const isGranted = (): boolean => follower.receive(3, ask).last("preVoteReply").granted;
    follower.input(disk(2, true));
    expect(isGranted()).toBe(true);
    follower.input(disk(3, true));
    expect(isGranted()).toBe(false);
    follower.input(disk(3, false)).input(disk(2, false));
    expect(isGranted()).toBe(false);
    follower.input(disk(2, true)).input({ type: "linkDown", peer: memberIncarnation(2) });
    follower.receive(2, { type: "heartbeat", ballot: ballot(4, 2), nonce: 2, chosenThrough: slot(0) });
    expect(isGranted()).toBe(false);
  });

  it("raises no ballot and writes no record", () => {
    const core = new LoneCore().receive(3, ask).input({ type: "campaign" }).pass(2_000);
    expect(core.core.status().ballot.round).toBe(0);
    expect(core.records).toEqual([]);
  });
});

describe("a member whose disk failed", () => {
  it("neither votes, proposes nor answers reads any more", () => {
    const core = new LoneCore().serve().propose(1, "a").input({ type: "syncFailed" });
    core.sent.length = 0;
    core.receive(2, { type: "prepare", ballot: ballot(9, 2), fromSlot: slot(1) }).propose(2, "b").input({ type: "read", readId: 1 }).pass(2_000);
    expect(core.sent).toEqual([]);
    expect(core.core.status().role).toBe("fenced");
    expect(core.failed).toContainEqual({ proposalId: 2, failure: "notLeader" });
    expect(core.reads).toEqual([{ readId: 1, ok: false }]);
  });
});
