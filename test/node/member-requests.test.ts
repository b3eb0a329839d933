import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { type MemberAnswer, type MemberRequest, type MemberRequestPort, MemberRequests, type MembersView } from "../../src/node/member-requests.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { type Incarnation, slot } from "../../src/paxos/ids.ts";
import type { ChangeFailure, ChangeRequest } from "../../src/paxos/interface.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";

const [A, B, C] = [1, 2, 3].map((number) => memberIncarnation(number)) as [Incarnation, Incarnation, Incarnation];
const CONFIGURATION: Configuration = { voters: [{ incarnation: A, name: "a", address: "h:1" }], learners: [], removed: [] };
const VIEW: MembersView = { configuration: CONFIGURATION, configurationSlot: slot(7), done: true, chosenThrough: slot(9), progress: [] };
const REMOVE_C: MemberRequest = { type: "change", change: { type: "remove", incarnation: C }, plannedFrom: null, force: false };
const MEMBERS: MemberRequest = { type: "members" };

/** A member around the requests: what a test sets is what is so, and what is asked for is noted. */
class World implements MemberRequestPort {
  readonly requests = new MemberRequests(this, 100);
  time = 0;
  isLeader = false;
  hasLeft = false;
  leader: Incarnation | null = null;
  linkTakes = true;
  transferRefusal: SynodError | null = null;
  readonly asked: { readonly leader: Incarnation; readonly id: number; readonly request: MemberRequest }[] = [];
  readonly changes: ChangeRequest[] = [];
  readonly transfers: Incarnation[] = [];

  nowMs = (): number => this.time;
  leads = (): boolean => this.isLeader;
  left = (): boolean => this.hasLeft;
  linkedLeader = (): Incarnation | null => this.leader;
  view = (): MembersView => VIEW;
  change = (request: ChangeRequest): void => void this.changes.push(request);

  ask(leader: Incarnation, id: number, request: MemberRequest): boolean {
    if (this.linkTakes) this.asked.push({ leader, id, request });
    return this.linkTakes;
  }

  transfer(target: Incarnation): SynodError | null {
    this.transfers.push(target);
    return this.transferRefusal;
  }

  /** Submits, and collects the answers that come. */
  submit(request: MemberRequest): MemberAnswer[] {
    const answers: MemberAnswer[] = [];
    this.requests.submit(request, (answer) => answers.push(answer));
    return answers;
  }

  take(from: Incarnation, id: number, request: MemberRequest): MemberAnswer[] {
    const answers: MemberAnswer[] = [];
    this.requests.take(from, id, request, (answer) => answers.push(answer));
    return answers;
  }

  /** Lets so much time pass, in steps as a member's timer makes. */
  pass(ms: number): void {
    for (const endMs = this.time + ms; this.time < endMs;) {
      this.time += 50;
      this.requests.tick();
    }
  }

  get lastAsked(): { readonly leader: Incarnation; readonly id: number } {
    const last = this.asked.at(-1);
    if (last === undefined) throw new Error("nobody was asked");
    return last;
  }

  /** The core answers the change that it was asked for last. */
  core(failure: ChangeFailure | null): void {
    const changeId = this.changes.at(-1)?.changeId ?? -1;
    this.requests.changed(failure === null ? { changeId, ok: true, slot: slot(7) } : { changeId, ok: false, failure });
  }

  answer(answer: MemberAnswer): void {
    this.requests.answered(this.lastAsked.leader, this.lastAsked.id, answer);
  }
}

function codes(answers: readonly MemberAnswer[]): string[] {
  return answers.map((answer) => (answer instanceof SynodError ? answer.code : "view"));
}

describe("a leader's own request", () => {
  it("for the members is answered at once", () => {
    const world = new World();
    world.isLeader = true;
    expect(world.submit(MEMBERS)).toEqual([VIEW]);
    expect(world.requests.held).toBe(0);
  });

  it("for a change is asked of the core once, as it was made, and answered when the core does", () => {
    const world = new World();
    world.isLeader = true;
    const request: MemberRequest = { type: "change", change: { type: "remove", incarnation: C }, plannedFrom: slot(5), force: true };
    const answers = world.submit(request);
    world.pass(5_000);
    expect(world.changes).toEqual([{ changeId: expect.any(Number) as number, change: { type: "remove", incarnation: C }, plannedFrom: 5, force: true }]);
    expect(answers).toEqual([]);
    world.core(null);
    expect(answers).toEqual([VIEW]);
  });

  it("for a transfer is answered with what becomes of it", () => {
    const world = new World();
    world.isLeader = true;
    expect(codes(world.submit({ type: "transfer", target: B }))).toEqual(["view"]);
    world.transferRefusal = new SynodError("SYNOD_ERR_NO_SUCH_MEMBER");
    expect(codes(world.submit({ type: "transfer", target: C }))).toEqual(["SYNOD_ERR_NO_SUCH_MEMBER"]);
    expect(world.transfers).toEqual([B, C]);
  });

  it.each<[ChangeFailure, string]>([
    ["changePending", "SYNOD_ERR_CHANGE_PENDING"], ["stalePlan", "SYNOD_ERR_STALE_CONFIGURATION"], ["learnerLags", "SYNOD_ERR_LEARNER_LAGS"],
    ["noLiveQuorum", "SYNOD_ERR_NO_LIVE_QUORUM"], ["unknownMember", "SYNOD_ERR_NO_SUCH_MEMBER"], ["removedMember", "SYNOD_ERR_MEMBER_REMOVED"],
    ["nameTaken", "SYNOD_ERR_NAME_TAKEN"], ["tooManyMembers", "SYNOD_ERR_TOO_MANY_MEMBERS"], ["lastVoter", "SYNOD_ERR_LAST_VOTER"],
    ["noSuccessor", "SYNOD_ERR_NO_SUCCESSOR"],
  ])("that the core refuses as %s ends with %s, and is not made again", (failure, code) => {
    const world = new World();
    world.isLeader = true;
    const answers = world.submit(REMOVE_C);
    world.core(failure);
    world.pass(20_000);
    expect(codes(answers)).toEqual([code]);
    expect(world.changes).toHaveLength(1);
  });
});

describe("a request on a member that does not lead", () => {
  it("waits for a leader to be known, and goes to that one once", () => {
    const world = new World();
    const answers = world.submit(REMOVE_C);
    world.pass(500);
    expect(world.asked).toEqual([]);
    world.leader = B;
    world.pass(500);
    expect(world.asked).toEqual([{ leader: B, id: expect.any(Number) as number, request: REMOVE_C }]);
    world.answer(VIEW);
    expect(answers).toEqual([VIEW]);
    world.pass(20_000);
    expect(world.asked).toHaveLength(1);
  });

  it("is served here when this member comes to lead", () => {
    const world = new World();
    const answers = world.submit(REMOVE_C);
    world.isLeader = true;
    world.pass(50);
    world.core(null);
    expect(answers).toEqual([VIEW]);
    expect(world.asked).toEqual([]);
  });

  it("is sent again when the link did not take it", () => {
    const world = new World();
    world.leader = B;
    world.linkTakes = false;
    const answers = world.submit(REMOVE_C);
    world.linkTakes = true;
    world.pass(50);
    world.answer(VIEW);
    expect(answers).toEqual([VIEW]);
  });

  it("is asked of the next leader when the one that was asked does not lead any more, or stops", () => {
    const world = new World();
    world.leader = B;
    const answers = world.submit(REMOVE_C);
    for (const [code, next] of [["SYNOD_ERR_NO_LEADER", C], ["SYNOD_ERR_STOPPING", A]] as const) {
      world.leader = next;
      world.answer(new SynodError(code));
      expect(world.lastAsked.leader).not.toBe(next);
      world.pass(50);
      expect(world.lastAsked.leader).toBe(next);
    }
    world.answer(VIEW);
    expect(answers).toEqual([VIEW]);
  });

  it("ends with the leader's refusal", () => {
    const world = new World();
    world.leader = B;
    const answers = world.submit(REMOVE_C);
    world.answer(new SynodError("SYNOD_ERR_LAST_VOTER"));
    world.pass(20_000);
    expect(codes(answers)).toEqual(["SYNOD_ERR_LAST_VOTER"]);
  });

  it("is asked again after the link to the leader closed, and of none else for another link", () => {
    const world = new World();
    world.leader = B;
    const answers = world.submit(REMOVE_C);
    world.requests.linkClosed(C);
    world.pass(500);
    expect(world.asked).toHaveLength(1);
    world.requests.linkClosed(B);
    world.leader = C;
    world.pass(50);
    expect(world.asked.map(({ leader }) => leader)).toEqual([B, C]);
    world.answer(VIEW);
    expect(answers).toEqual([VIEW]);
  });

  it("is asked again when there is no answer for a second", () => {
    const world = new World();
    world.leader = B;
    world.submit(REMOVE_C);
    world.pass(950);
    expect(world.asked).toHaveLength(1);
    world.pass(50);
    expect(world.asked.map(({ leader }) => leader)).toEqual([B, B]);
    expect(new Set(world.asked.map(({ id }) => id)).size).toBe(1);
  });

  it("takes an answer only from the member that was asked last, and one answer only", () => {
    const world = new World();
    world.leader = B;
    const answers = world.submit(REMOVE_C);
    const { id } = world.lastAsked;
    world.requests.answered(C, id, VIEW);
    world.requests.answered(B, id + 1, VIEW);
    expect(answers).toEqual([]);
    world.answer(VIEW);
    world.answer(VIEW);
    expect(answers).toEqual([VIEW]);
  });

  it("gives a change that nobody could be asked for ten seconds and says then that there is no leader", () => {
    const world = new World();
    const answers = world.submit(REMOVE_C);
    world.pass(10_000);
    expect(codes(answers)).toEqual(["SYNOD_ERR_NO_LEADER"]);
  });

  it("gives a change ten seconds and says then that it may yet be done", () => {
    const world = new World();
    world.leader = B;
    const answers = world.submit(REMOVE_C);
    world.pass(9_950);
    expect(answers).toEqual([]);
    world.pass(50);
    expect(codes(answers)).toEqual(["SYNOD_ERR_CHANGE_UNKNOWN"]);
    expect(world.requests.held).toBe(0);
  });

  it("gives a look at the members one second, as the asked member can show what it knows itself", () => {
    const world = new World();
    const answers = world.submit(MEMBERS);
    world.pass(950);
    expect(answers).toEqual([]);
    world.pass(50);
    expect(codes(answers)).toEqual(["SYNOD_ERR_NO_LEADER"]);
  });
});

describe("a leader that loses its leadership over a change", () => {
  it.each<ChangeFailure>(["notLeader", "notReady", "unknown"])("asks the next one when the core says %s", (failure) => {
    const world = new World();
    world.isLeader = true;
    const answers = world.submit(REMOVE_C);
    world.isLeader = false;
    world.core(failure);
    world.leader = B;
    world.pass(100);
    expect(world.asked).toEqual([{ leader: B, id: expect.any(Number) as number, request: REMOVE_C }]);
    world.answer(VIEW);
    expect(answers).toEqual([VIEW]);
  });

  it("asks its own core again when it leads again", () => {
    const world = new World();
    world.isLeader = true;
    const answers = world.submit(REMOVE_C);
    world.core("unknown");
    world.pass(100);
    expect(new Set(world.changes.map(({ changeId }) => changeId)).size).toBe(2);
    world.core(null);
    expect(answers).toEqual([VIEW]);
  });
});

describe("a member that was removed", () => {
  it("still gets the answer of the leader that it asked before", () => {
    const world = new World();
    world.leader = B;
    const answers = world.submit(REMOVE_C);
    world.hasLeft = true;
    world.leader = null;
    world.pass(950);
    world.answer(VIEW);
    expect(answers).toEqual([VIEW]);
  });

  it("says without delay that it does not hear what became of a change", () => {
    const world = new World();
    world.leader = B;
    const answers = world.submit(REMOVE_C);
    world.hasLeft = true;
    world.leader = null;
    world.requests.linkClosed(B);
    world.pass(50);
    expect(answers).toMatchObject([{ code: "SYNOD_ERR_CHANGE_UNKNOWN", message: expect.stringContaining("has left the cluster") as string }]);
  });

  it("refuses what is new at once", () => {
    const world = new World();
    world.hasLeft = true;
    expect([codes(world.submit(REMOVE_C)), codes(world.submit(MEMBERS))]).toEqual([["SYNOD_ERR_LEFT"], ["SYNOD_ERR_LEFT"]]);
    expect(world.requests.held).toBe(0);
  });
});

describe("a peer's request", () => {
  it("that is repeated while it is under way is asked of the core once, and answered once", () => {
    const world = new World();
    world.isLeader = true;
    const answers = world.take(B, 1, REMOVE_C);
    expect(world.take(B, 1, REMOVE_C)).toEqual([]);
    expect(world.changes).toHaveLength(1);
    world.core(null);
    expect(answers).toEqual([VIEW]);
  });

  it("that was answered is asked of the core again when it comes again, as its answer was lost", () => {
    const world = new World();
    world.isLeader = true;
    world.take(B, 1, REMOVE_C);
    world.core(null);
    const again = world.take(B, 1, REMOVE_C);
    world.core(null);
    expect(again).toEqual([VIEW]);
    expect(world.changes).toHaveLength(2);
  });

  it("is another one for each peer, though they number alike", () => {
    const world = new World();
    world.isLeader = true;
    world.take(B, 1, REMOVE_C);
    world.take(C, 1, REMOVE_C);
    expect(world.changes).toHaveLength(2);
  });

  it("is told that this member does not lead", () => {
    const world = new World();
    expect(codes(world.take(B, 1, REMOVE_C))).toEqual(["SYNOD_ERR_NO_LEADER"]);
    expect(codes(world.take(B, 2, MEMBERS))).toEqual(["SYNOD_ERR_NO_LEADER"]);
    expect(world.changes).toEqual([]);
  });
});

describe("bounds", () => {
  it("64 requests of clients are held, and the next is refused until one has ended", () => {
    const world = new World();
    world.leader = B;
    for (let count = 0; count < 64; count++) expect(world.submit(REMOVE_C)).toEqual([]);
    expect(codes(world.submit(REMOVE_C))).toEqual(["SYNOD_ERR_BUSY"]);
    world.answer(VIEW);
    expect(world.submit(REMOVE_C)).toEqual([]);
    expect(world.requests.held).toBe(64);
  });

  it("64 requests of peers are held, beside those of clients", () => {
    const world = new World();
    world.isLeader = true;
    world.submit(REMOVE_C);
    for (let id = 0; id < 64; id++) expect(world.take(B, id, REMOVE_C)).toEqual([]);
    expect(codes(world.take(B, 64, REMOVE_C))).toEqual(["SYNOD_ERR_BUSY"]);
    world.core(null);
    expect(world.take(B, 65, REMOVE_C)).toEqual([]);
  });
});

it("a member that stops answers all: a change may yet be done, and a look was not made", () => {
  const world = new World();
  const unasked = world.submit(REMOVE_C);
  world.leader = B;
  const change = world.submit(REMOVE_C);
  const look = world.submit(MEMBERS);
  world.requests.stop();
  expect([unasked, change, look].map(codes)).toEqual([["SYNOD_ERR_STOPPING"], ["SYNOD_ERR_CHANGE_UNKNOWN"], ["SYNOD_ERR_STOPPING"]]);
  expect(world.requests.held).toBe(0);
});
