import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { slot } from "../../src/paxos/ids.ts";
import { writeMessage } from "../../src/paxos/message-codec.ts";
import type { RecoveredEntry } from "../../src/paxos/records.ts";
import { ballot, commands, LoneCore, NOTHING } from "./lone-core.ts";

const KILOBYTE = "k".repeat(1_024);

describe("unchosen bytes", () => {
  it("are bounded: beyond the bound a proposal is refused as busy before it is proposed", () => {
    const core = new LoneCore({ limits: { maxUnchosenBytes: 3_500 } }).serve();
    for (let id = 1; id <= 5; id++) core.propose(id, KILOBYTE);
    expect(core.failed).toEqual([{ proposalId: 4, failure: "busy" }, { proposalId: 5, failure: "busy" }]);
    expect(core.core.status()).toMatchObject({ lastSlot: 4 });
  });

  it("make room again as slots are chosen", () => {
    const core = new LoneCore({ limits: { maxUnchosenBytes: 3_500 } }).serve();
    for (let id = 1; id <= 4; id++) core.propose(id, KILOBYTE);
    core.acknowledge(4).propose(6, KILOBYTE);
    expect(core.failed).toEqual([{ proposalId: 4, failure: "busy" }]);
    expect(core.core.status().unchosenBytes).toBeGreaterThan(1_024);
  });

  it("count what waits for the barrier too", () => {
    const core = new LoneCore({ limits: { maxUnchosenBytes: 2_500 } }).lead();
    for (let id = 1; id <= 3; id++) core.propose(id, KILOBYTE);
    expect(core.failed).toEqual([{ proposalId: 3, failure: "busy" }]);
  });

  it("never keep a single large proposal from an idle leader", () => {
    const core = new LoneCore({ limits: { maxUnchosenBytes: 10 } }).serve().propose(1, KILOBYTE).acknowledge(2);
    expect(core.chosen.at(-1)).toMatchObject({ slot: 2, proposalId: 1 });
  });
});

describe("messages", () => {
  it("hold no more values than the bound allows, and under way to one peer is no more than its bound", () => {
    const core = new LoneCore({ limits: { maxMessageBytes: 2_500, maxInflightBytes: 4_000 } }).serve();
    core.sent.length = 0;
    for (let id = 1; id <= 20; id++) core.core.step({ type: "propose", proposalId: id, commands: [new Uint8Array(1_000)] });
    core.settle();
    expect(core.all("accept", 2).map((message) => message.values.length)).toEqual([2, 2]);
    core.acknowledge(3);
    expect(core.all("accept", 2).map((message) => message.firstSlot)).toEqual([2, 4, 6]);
    expect(core.all("accept", 3)).toHaveLength(2);
  });

  it("answer a prepare in parts within the bound, however much is accepted, and the promise counts with the last part only", () => {
    const SLOTS = 1_000;
    const limits = { maxMessageBytes: 64 * 1_024 };
    const entries: RecoveredEntry[] = Array.from({ length: SLOTS }, (_, index) => {
      return { slot: slot(index + 1), ballot: ballot(1, 2), value: commands(KILOBYTE), learned: false };
    });
    const acceptor = new LoneCore({ limits, recovered: { ...NOTHING, promised: ballot(1, 2), entries } });
    // A candidate that knows nothing asks the acceptor part by part.
    const candidate = new LoneCore({ limits }).campaign();
    for (let parts = 0; candidate.core.status().role === "candidate"; parts++) {
      expect(parts).toBeLessThan(30);
      const prepare = candidate.last("prepare", 2);
      acceptor.receive(3, { ...prepare, ballot: ballot(7, 3) });
      const promise = acceptor.last("promise", 3);
      expect(writeMessage(new ByteWriter(), promise).length).toBeLessThan(limits.maxMessageBytes * 1.1);
      candidate.receive(2, { ...promise, ballot: prepare.ballot });
    }
    expect(acceptor.all("promise").length).toBeGreaterThan(10);
    expect(candidate.core.status()).toMatchObject({ role: "leader", lastSlot: SLOTS + 1 });
  });

  it("answer a catch-up in parts, and each next part is asked for at once", () => {
    const core = new LoneCore({ limits: { maxMessageBytes: 2_500 } });
    core.receive(2, { type: "heartbeat", ballot: ballot(1, 2), nonce: 1, chosenThrough: slot(9) }).pass(50);
    expect(core.last("catchUp")).toEqual({ type: "catchUp", fromSlot: 1 });
    const values = [commands("a"), commands("b")];
    core.receive(2, { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: slot(1), values, chosenThrough: slot(9) });
    expect(core.last("catchUp")).toEqual({ type: "catchUp", fromSlot: 3 });
    core.receive(3, { type: "catchUp", fromSlot: slot(1) });
    expect(core.last("chosenEntries")).toMatchObject({ fromSlot: 1, values });
  });
});
