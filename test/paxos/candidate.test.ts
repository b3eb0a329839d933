import { expect, it } from "vitest";
import { slot } from "../../src/paxos/ids.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { ballot, LoneCore } from "./lone-core.ts";

const ELECTION_TIMEOUT_MS = 400;

function promisedTo3(): LoneCore {
  return new LoneCore().receive(3, { type: "prepare", ballot: ballot(1, 3), fromSlot: slot(1) });
}

it("knows whom it promised its vote, for as long as that member may be about to win", () => {
  const core = promisedTo3();
  expect(core.core.candidate).toBe(memberIncarnation(3));
  core.pass(ELECTION_TIMEOUT_MS / 2);
  expect(core.core.candidate).toBeNull();
});

it("knows of no candidate any more once it hears a leader, or sees the candidate's link close", () => {
  const led = promisedTo3().receive(3, { type: "heartbeat", ballot: ballot(1, 3), nonce: 1, chosenThrough: slot(0) });
  expect([led.core.candidate, led.core.leader]).toEqual([null, memberIncarnation(3)]);
  expect(promisedTo3().input({ type: "linkDown", peer: memberIncarnation(3) }).core.candidate).toBeNull();
});

it("is itself no candidate to send anything to, but says that it campaigns until it leads", () => {
  const core = new LoneCore().campaign();
  expect([core.core.candidate, core.core.campaigns, core.core.leads]).toEqual([null, true, false]);
  const { ballot: at, fromSlot } = core.last("prepare");
  core.receive(2, { type: "promise", ballot: at, fromSlot, entries: [], nextSlot: null, chosenThrough: slot(0) });
  expect([core.core.campaigns, core.core.leads]).toEqual([false, true]);
});
