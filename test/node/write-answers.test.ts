import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import type { Result } from "../../src/state/results.ts";
import { inSession, put, withKey } from "../state/helpers.ts";
import { WriteWorld } from "./write-world.ts";

const PLAIN = put("a", "");
const REPEATABLE = [
  ["an idempotency key", put("a", "", withKey("once"))],
  ["a session", put("a", "", inSession(1, 1))],
] as const;
const WRITTEN: Result = { type: "written", revision: 7 };
const LEADER = memberIncarnation(1);
const TIMEOUT_MS = 5_000;

/** Ways in which it becomes unknown whether the batch that was sent last is executed. */
const UNKNOWN_ENDS: readonly (readonly [string, boolean, (world: WriteWorld) => void])[] = [
  ["its leadership was lost with the proposal under way", true, (world) => world.router.failed(world.lastId, "unknown")],
  ["the link closed over which it was forwarded", false, (world) => world.router.linkClosed(LEADER)],
  ["the leader answered for too few writes", false, (world) => world.router.forwarded(LEADER, world.lastId, [])],
  ["the leader answered for too many writes", false, (world) => world.router.forwarded(LEADER, world.lastId, [WRITTEN, WRITTEN])],
];

/** Sends one write and lets its outcome become unknown. */
function withUnknownOutcome(command: Uint8Array, leads: boolean, end: (world: WriteWorld) => void) {
  const world = new WriteWorld({ timeoutMs: TIMEOUT_MS });
  world.leads = leads;
  const answers = world.submit(command);
  world.router.route();
  end(world);
  return { world, answers };
}

describe("a write that was certainly not executed", () => {
  it.each(["notLeader", "superseded"] as const)("waits and is sent again (%s)", (failure) => {
    const world = new WriteWorld();
    world.leads = true;
    const answers = world.submit(PLAIN);
    world.router.route();
    world.router.failed(world.lastId, failure);
    expect(answers).toEqual([]);
    expect(world.router.sizes).toEqual({ held: 1, waiting: 1 });
    world.leads = false;
    world.router.route();
    expect(world.sent.map(({ to }) => to)).toEqual([null, LEADER]);
    world.router.forwarded(LEADER, world.lastId, [WRITTEN]);
    expect(answers).toEqual([WRITTEN]);
  });

  it.each([["busy", "SYNOD_ERR_BUSY"], ["diskFull", "SYNOD_ERR_NO_SPACE"]] as const)("is answered so (%s)", (failure, code) => {
    const world = new WriteWorld();
    world.leads = true;
    const answers = world.submit(PLAIN);
    world.router.route();
    world.router.failed(world.lastId, failure);
    expect(answers).toEqual([code]);
    expect(world.ended).toEqual([{ outcome: failure, commands: 1, seconds: 0 }]);
    expect(world.router.sizes).toEqual({ held: 0, waiting: 0 });
  });
});

describe.each(UNKNOWN_ENDS)("a write of which nobody knows whether it is executed, as %s,", (_, leads, end) => {
  it.each([["a write", PLAIN], ["the opening of a session", encodeCommand({ type: "openSession" })]])(
    "is answered so and never sent again when nothing would tell a repetition: %s", (_, command) => {
      const { world, answers } = withUnknownOutcome(command, leads, end);
      expect(answers).toEqual(["SYNOD_ERR_OUTCOME_UNKNOWN"]);
      world.router.route();
      expect(world.sent).toHaveLength(1);
      expect(world.router.sizes).toEqual({ held: 0, waiting: 0 });
    });

  it.each(REPEATABLE)("is sent again and gets the result when it can be told by %s", (_, command) => {
    const { world, answers } = withUnknownOutcome(command, leads, end);
    expect(answers).toEqual([]);
    world.leads = false;
    world.router.route();
    expect(world.sent).toHaveLength(2);
    world.router.forwarded(LEADER, world.lastId, [WRITTEN]);
    expect(answers).toEqual([WRITTEN]);
  });

  it.each(REPEATABLE)("is never again said not to have been executed when it can be told by %s", (_, command) => {
    const lastWords: Record<string, (world: WriteWorld) => void> = {
      "no leader in time": (world) => {
        world.nowMs = TIMEOUT_MS;
        world.router.expire();
      },
      "this member stops": (world) => world.router.stop(),
      "the next leader is busy": (world) => {
        world.leads = true;
        world.router.route();
        world.router.failed(world.lastId, "busy");
      },
      "the next leader's disk is full": (world) => {
        world.leads = false;
        world.router.route();
        world.router.forwarded(LEADER, world.lastId, [new SynodError("SYNOD_ERR_NO_SPACE")]);
      },
    };
    for (const [what, happens] of Object.entries(lastWords)) {
      const { world, answers } = withUnknownOutcome(command, leads, end);
      happens(world);
      expect({ what, answers }).toEqual({ what, answers: ["SYNOD_ERR_OUTCOME_UNKNOWN"] });
    }
  });
});

describe("a write that a peer forwarded", () => {
  it("goes back to it as unknown when it may have been executed, whether or not it can be told by a key", () => {
    const world = new WriteWorld();
    world.leads = true;
    const answers = [world.submit(PLAIN, true), world.submit(put("b", "", withKey("once")), true)];
    world.router.route();
    world.leads = false;
    world.router.failed(world.lastId, "unknown");
    world.router.route();
    expect(answers).toEqual([["SYNOD_ERR_OUTCOME_UNKNOWN"], ["SYNOD_ERR_OUTCOME_UNKNOWN"]]);
    expect(world.sent).toHaveLength(1);
  });
});

describe("a forwarded write", () => {
  it("is not touched by what others than its leader say, or when their links close", () => {
    const world = new WriteWorld();
    const answers = world.submit(PLAIN);
    world.router.route();
    world.router.forwarded(memberIncarnation(2), world.lastId, [WRITTEN]);
    world.router.linkClosed(memberIncarnation(2));
    expect(answers).toEqual([]);
    expect(world.router.sizes).toEqual({ held: 1, waiting: 0 });
    world.router.forwarded(LEADER, world.lastId, [WRITTEN]);
    expect(answers).toEqual([WRITTEN]);
  });

  it("is sent again alone when its leader refused only that one", () => {
    const world = new WriteWorld();
    const answers = ["a", "b", "c"].map((key) => world.submit(put(key, "")));
    world.router.route();
    world.router.forwarded(LEADER, world.lastId, [WRITTEN, new SynodError("SYNOD_ERR_NO_LEADER"), new SynodError("SYNOD_ERR_BUSY")]);
    expect(answers).toEqual([[WRITTEN], [], ["SYNOD_ERR_BUSY"]]);
    world.leader = memberIncarnation(2);
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "b", "c"], ["b"]]);
  });
});

describe("a write whose time is up", () => {
  it("was not executed when it never left", () => {
    const world = new WriteWorld({ timeoutMs: TIMEOUT_MS });
    world.leader = null;
    const early = world.submit(put("a", ""));
    world.nowMs = 1;
    const late = world.submit(put("b", ""));
    world.nowMs = TIMEOUT_MS - 1;
    world.router.expire();
    expect(early).toEqual([]);
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    expect([early, late]).toEqual([["SYNOD_ERR_NO_LEADER"], []]);
    world.leader = LEADER;
    world.router.route();
    expect(world.sentKeys).toEqual([["b"]]);
  });

  it.each([["proposed", true], ["forwarded", false]])("may have been executed when it was %s, and what comes later is not heard", (_, leads) => {
    const world = new WriteWorld({ timeoutMs: TIMEOUT_MS });
    world.leads = leads;
    const answers = world.submit(REPEATABLE[0][1]);
    world.router.route();
    world.nowMs = TIMEOUT_MS - 1;
    world.router.expire();
    expect(answers).toEqual([]);
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    expect(answers).toEqual(["SYNOD_ERR_OUTCOME_UNKNOWN"]);
    world.router.applied(world.lastId, [{ type: "timeAdvanced" }, WRITTEN]);
    world.router.forwarded(LEADER, world.lastId, [WRITTEN]);
    world.router.failed(world.lastId, "notLeader");
    world.router.linkClosed(LEADER);
    world.router.route();
    expect(answers).toHaveLength(1);
    expect(world.sent).toHaveLength(1);
    expect(world.router.sizes).toEqual({ held: 0, waiting: 0 });
  });
});

describe("a member that stops", () => {
  it("answers what waits as not executed, and what is under way as unknown", () => {
    const world = new WriteWorld({ turnBytes: 1 });
    const underWay = world.submit(put("a", ""));
    const waiting = world.submit(put("b", ""));
    world.router.route();
    world.router.stop();
    expect({ underWay, waiting }).toEqual({ underWay: ["SYNOD_ERR_OUTCOME_UNKNOWN"], waiting: ["SYNOD_ERR_STOPPING"] });
    expect(world.router.sizes).toEqual({ held: 0, waiting: 0 });
  });
});

describe("the time that a write may take", () => {
  it("is its own, whatever else is in its batch", () => {
    const world = new WriteWorld({ timeoutMs: TIMEOUT_MS });
    world.leader = null;
    const old = world.submit(PLAIN);
    world.nowMs = TIMEOUT_MS - 100;
    const fresh = world.submit(PLAIN);
    world.leader = LEADER;
    world.router.route();
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    expect({ old, fresh }).toEqual({ old: ["SYNOD_ERR_OUTCOME_UNKNOWN"], fresh: [] });
    world.router.forwarded(LEADER, world.lastId, [WRITTEN, WRITTEN]);
    expect({ old, fresh }).toEqual({ old: ["SYNOD_ERR_OUTCOME_UNKNOWN"], fresh: [WRITTEN] });
    expect(world.router.sizes).toEqual({ held: 0, waiting: 0 });
  });

  it("is kept also for an older write that came back behind a newer one", () => {
    const world = new WriteWorld({ timeoutMs: TIMEOUT_MS });
    const old = world.submit(PLAIN);
    world.router.route();
    world.nowMs = 3_000;
    world.submit(PLAIN);
    world.router.forwarded(LEADER, world.lastId, [new SynodError("SYNOD_ERR_NO_LEADER")]);
    world.leader = memberIncarnation(2);
    world.router.route();
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    expect(old).toEqual(["SYNOD_ERR_OUTCOME_UNKNOWN"]);
  });

  it.each([[true, "SYNOD_ERR_BUSY"], [false, "SYNOD_ERR_NO_LEADER"]] as const)("ends with the reason (there is a leader: %s)", (leads, code) => {
    const world = new WriteWorld({ timeoutMs: TIMEOUT_MS });
    Object.assign(world, { leads, leader: null, roomBytes: 0 });
    const answers = world.submit(PLAIN);
    world.router.route();
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    expect(answers).toEqual([code]);
  });

  it("is a little shorter for a peer's write that was not proposed, so that the peer hears of it in time", () => {
    const world = new WriteWorld({ timeoutMs: TIMEOUT_MS });
    Object.assign(world, { leads: true, roomBytes: 0 });
    const [own, peers] = [world.submit(PLAIN), world.submit(PLAIN, true)];
    world.nowMs = TIMEOUT_MS - 500;
    world.router.expire();
    expect({ own, peers }).toEqual({ own: [], peers: ["SYNOD_ERR_BUSY"] });
  });
});

describe("writes that come back", () => {
  it.each(["SYNOD_ERR_NO_LEADER", "SYNOD_ERR_STOPPING", "SYNOD_ERR_FENCED", "SYNOD_ERR_DIVERGED"] as const)(
    "go to the next leader when the last one did not serve (%s)", (code) => {
      const world = new WriteWorld();
      const answers = world.submit(PLAIN);
      world.router.route();
      world.router.forwarded(LEADER, world.lastId, [new SynodError(code)]);
      world.leader = memberIncarnation(2);
      world.router.route();
      world.router.forwarded(memberIncarnation(2), world.lastId, [WRITTEN]);
      expect(answers).toEqual([WRITTEN]);
    });

  it("are sent again in the order in which they came, before newer ones", () => {
    const world = new WriteWorld({ batchCommands: 1 });
    world.leads = true;
    for (const key of ["a", "b", "c"]) world.submit(put(key, ""));
    world.router.route();
    for (const { id } of world.sent.splice(0)) world.router.failed(id, "superseded");
    world.submit(put("d", ""));
    world.router.route();
    expect(world.sentKeys).toEqual([["a"], ["b"], ["c"], ["d"]]);
  });

  it("keep their order when the link took none of them", () => {
    const world = new WriteWorld({ batchCommands: 1 });
    world.linkTakesMore = false;
    for (const key of ["a", "b", "c"]) world.submit(put(key, ""));
    expect(world.router.route()).toBe(false);
    world.linkTakesMore = true;
    world.router.route();
    expect(world.sentKeys).toEqual([["a"], ["b"], ["c"]]);
  });
});

it("an answer to what an earlier life of the member forwarded fits no batch of this life", () => {
  const [earlier, later] = [new WriteWorld({}, 1_000), new WriteWorld({}, 777_000)];
  earlier.submit(put("earlier", ""));
  earlier.router.route();
  const answers = later.submit(put("later", ""));
  later.router.route();
  later.router.forwarded(LEADER, earlier.lastId, [WRITTEN]);
  expect(answers).toEqual([]);
});

describe("writes between two leaders", () => {
  const CANDIDATE = memberIncarnation(2);

  it("go ahead to the candidate that may lead soon", () => {
    const world = new WriteWorld();
    Object.assign(world, { leader: null, candidate: CANDIDATE });
    world.submit(PLAIN);
    world.router.route();
    expect(world.sent.map(({ to }) => to)).toEqual([CANDIDATE]);
  });

  it("go to the candidate once the old leader said that it leads no more, and to neither again while both refuse", () => {
    const world = new WriteWorld();
    world.candidate = CANDIDATE;
    world.submit(PLAIN);
    world.router.route();
    world.router.forwarded(LEADER, world.lastId, [new SynodError("SYNOD_ERR_NO_LEADER")]);
    world.router.route();
    world.router.forwarded(CANDIDATE, world.lastId, [new SynodError("SYNOD_ERR_NO_LEADER")]);
    world.router.route();
    expect(world.sent.map(({ to }) => to)).toEqual([LEADER, CANDIDATE]);
  });

  it("wait at the candidate, and are proposed when it wins", () => {
    const world = new WriteWorld();
    Object.assign(world, { leader: null, campaigns: true });
    const answers = world.submit(PLAIN, true);
    world.router.route();
    expect({ answers, sent: world.sent }).toEqual({ answers: [], sent: [] });
    Object.assign(world, { campaigns: false, leads: true });
    world.router.route();
    expect(world.sent).toHaveLength(1);
  });

  it("are given back by a candidate that did not win", () => {
    const world = new WriteWorld();
    Object.assign(world, { leader: null, campaigns: true });
    const answers = world.submit(PLAIN, true);
    world.router.route();
    world.campaigns = false;
    world.router.route();
    expect(answers).toEqual(["SYNOD_ERR_NO_LEADER"]);
  });
});
