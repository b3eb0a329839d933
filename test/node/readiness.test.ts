import { describe, expect, it } from "vitest";
import { judgeReadiness } from "../../src/node/readiness.ts";
import type { CoreStatus } from "../../src/paxos/core.ts";
import { slot } from "../../src/paxos/ids.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { LoneCore } from "../paxos/lone-core.ts";

const FOLLOWER: CoreStatus = {
  ...new LoneCore().core.status(), role: "follower", leader: memberIncarnation(2), inContact: true, heardThrough: slot(5_000),
};
const LEADER: CoreStatus = { ...FOLLOWER, role: "leader", leader: memberIncarnation(1), ready: true };

describe("a member is ready", () => {
  it.each([
    ["as a follower that hears its leader", FOLLOWER, 5_000],
    ["as one that is a little behind", FOLLOWER, 4_000],
    ["as a leader that hears a quorum", LEADER, 5_000],
  ])("%s", (_, status, applied) => {
    expect(judgeReadiness(status, slot(applied))).toEqual({ ready: true, live: true, reason: "ok" });
  });
});

describe("a member is not ready, and lives on", () => {
  it.each([
    ["as a learner", { ...FOLLOWER, role: "learner" }, 5_000, /does not vote/],
    ["without a leader", { ...FOLLOWER, leader: null }, 5_000, /no leader/],
    ["as a candidate", { ...FOLLOWER, role: "candidate", leader: null }, 5_000, /no leader/],
    ["when its leader is silent", { ...FOLLOWER, inContact: false }, 5_000, /leader is not heard/],
    ["as a leader that hears no quorum", { ...LEADER, inContact: false }, 5_000, /no quorum/],
    ["as a leader that does not serve yet", { ...LEADER, ready: false }, 5_000, /does not serve yet/],
    ["far behind", FOLLOWER, 3_999, /1001 slots behind/],
  ] as const)("%s", (_, status, applied, reason) => {
    expect(judgeReadiness(status as CoreStatus, slot(applied))).toEqual({ ready: false, live: true, reason: expect.stringMatching(reason) });
  });
});
