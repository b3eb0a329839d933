import { describe, expect, it } from "vitest";
import { slot } from "../../src/paxos/ids.ts";
import { DEFAULT_TIMINGS } from "../../src/paxos/interface.ts";
import { ballot, LoneCore } from "./lone-core.ts";

const { electionTimeoutMs } = DEFAULT_TIMINGS;
const heartbeat = (nonce: number, chosenThrough = 0) => ({ type: "heartbeat", ballot: ballot(1, 2), nonce, chosenThrough: slot(chosenThrough) } as const);

describe("contact with a quorum", () => {
  it("is what a member has that heard its leader within one election timeout", () => {
    const lone = new LoneCore().pass(10);
    expect(lone.core.status().inContact).toBe(false);
    lone.receive(2, heartbeat(1));
    expect(lone.core.status()).toMatchObject({ inContact: true });
    lone.pass(electionTimeoutMs - 10);
    expect(lone.core.status().inContact).toBe(true);
    lone.pass(10);
    // It is still followed, as the timeout of each member is drawn longer.
    expect(lone.core.status()).toMatchObject({ inContact: false, role: "follower" });
    lone.receive(2, heartbeat(2));
    expect(lone.core.status().inContact).toBe(true);
  });

  it("is what a leader has for as long as a quorum answers it", () => {
    const lone = new LoneCore({ size: 1 });
    lone.pass(2 * electionTimeoutMs);
    expect(lone.core.status()).toMatchObject({ role: "leader", inContact: true });
  });

  it("tells how far the log is chosen elsewhere", () => {
    const lone = new LoneCore();
    lone.receive(2, heartbeat(1, 7));
    expect(lone.core.status()).toMatchObject({ chosenThrough: 0, heardThrough: 7 });
  });
});
