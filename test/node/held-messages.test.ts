import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../src/codec/assert.ts";
import { HeldMessages } from "../../src/node/held-messages.ts";
import type { OutgoingMessage } from "../../src/paxos/messages.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";

/** A message that may leave once record `afterRecord` is durable. */
function after(afterRecord: number, nonce = 0): OutgoingMessage {
  return { to: memberIncarnation(2), message: { type: "preVote", nonce }, afterRecord };
}

describe("messages that wait for a record (rule 5)", () => {
  it("leave when it is durable, and not before", () => {
    const held = new HeldMessages();
    const message = after(3);
    expect(held.mustWait(message)).toBe(true);
    held.add(message);
    expect(held.release(2)).toEqual([]);
    expect(held.release(3)).toEqual([message]);
    expect(held.size).toBe(0);
    expect(held.release(4)).toEqual([]);
  });

  it("need not wait when nothing is to be durable, or it is already", () => {
    const held = new HeldMessages();
    expect(held.mustWait(after(0))).toBe(false);
    held.release(3);
    expect(held.mustWait(after(3))).toBe(false);
    expect(held.mustWait(after(4))).toBe(true);
  });

  it("leave once each, in their order, with the first sync that covers their record", () => {
    const rising = fc.array(fc.nat({ max: 3 }), { maxLength: 20, size: "max" }).map((steps) => {
      let sum = 0;
      return steps.map((step) => (sum += step));
    });
    fc.assert(fc.property(rising, rising, (records, syncs) => {
      const held = new HeldMessages();
      const messages = records.map((record, nonce) => after(record, nonce));
      for (const message of messages) held.add(message);
      let left = 0;
      for (const sync of syncs) {
        const covered = messages.filter(({ afterRecord }) => afterRecord <= sync).length;
        expect(held.release(sync)).toEqual(messages.slice(left, covered));
        expect(held.size).toBe(messages.length - covered);
        left = covered;
      }
    }));
  });

  it("must come in the order of their records", () => {
    const held = new HeldMessages();
    held.add(after(3));
    expect(() => held.add(after(2))).toThrow(InvariantError);
  });

  it("are not released for a record below one that is durable", () => {
    const held = new HeldMessages();
    held.release(3);
    expect(() => held.release(2)).toThrow(InvariantError);
  });
});
