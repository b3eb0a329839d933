import fc from "fast-check";
import type { Ballot } from "../../src/paxos/ballot.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { incarnation, slot } from "../../src/paxos/ids.ts";
import type { Message, ReportedEntry } from "../../src/paxos/messages.ts";
import type { Value } from "../../src/paxos/value.ts";

export const anyNumber = fc.nat({ max: Number.MAX_SAFE_INTEGER });
export const anyIncarnation = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => incarnation(Buffer.from(bytes).toString("hex")));
export const anyBallot: fc.Arbitrary<Ballot> = fc.record({ round: anyNumber, incarnation: anyIncarnation });
export const anySlot = anyNumber.map(slot);
const anyBytes = fc.uint8Array({ maxLength: 40 });
const anyValues = fc.array(anyBytes, { maxLength: 5 });
const anyMember = fc.record({ incarnation: anyIncarnation, name: fc.string(), address: fc.string() });
const anyMembers = fc.array(anyMember, { maxLength: 9 });
export const anyConfiguration: fc.Arbitrary<Configuration> = fc.record({
  voters: anyMembers, learners: anyMembers, removed: fc.array(anyIncarnation, { maxLength: 64 }),
});
const anyReport: fc.Arbitrary<ReportedEntry> = fc.record({ slot: anySlot, ballot: anyBallot, chosen: fc.boolean(), value: anyBytes });

export const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.constant({ kind: "noop" as const }),
  fc.record({ kind: fc.constant("barrier" as const), ballot: anyBallot }),
  fc.record({ kind: fc.constant("commands" as const), origin: anyBallot, commands: anyValues }),
  fc.record({ kind: fc.constant("configuration" as const), origin: anyBallot, configuration: anyConfiguration }),
);

const type = <T extends Message["type"]>(name: T) => fc.constant(name);
const anyNextSlot = fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(slot));

export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ type: type("preVote"), nonce: anyNumber }),
  fc.record({ type: type("preVoteReply"), nonce: anyNumber, granted: fc.boolean(), promised: anyBallot, chosenThrough: anySlot }),
  fc.record({ type: type("prepare"), ballot: anyBallot, fromSlot: anySlot }),
  fc.record({
    type: type("promise"), ballot: anyBallot, fromSlot: anySlot, nextSlot: anyNextSlot, chosenThrough: anySlot, entries: fc.array(anyReport, { maxLength: 4 }),
  }),
  fc.record({ type: type("promiseNeedsSnapshot"), ballot: anyBallot, snapshotSlot: anySlot }),
  fc.record({ type: type("reject"), ballot: anyBallot, promised: anyBallot }),
  fc.record({ type: type("accept"), ballot: anyBallot, firstSlot: anySlot, values: anyValues, chosenThrough: anySlot }),
  fc.record({ type: type("accepted"), ballot: anyBallot, from: anySlot, through: anySlot }),
  fc.record({ type: type("acceptGap"), ballot: anyBallot, expected: anySlot }),
  fc.record({ type: type("heartbeat"), ballot: anyBallot, nonce: anyNumber, chosenThrough: anySlot }),
  fc.record({ type: type("heartbeatReply"), ballot: anyBallot, nonce: anyNumber, chosenThrough: anySlot, durableThrough: anySlot }),
  fc.record({ type: type("catchUp"), fromSlot: anySlot }),
  fc.record({ type: type("chosenEntries"), promised: anyBallot, fromSlot: anySlot, values: anyValues, chosenThrough: anySlot }),
  fc.record({ type: type("needsSnapshot"), snapshotSlot: anySlot }),
  fc.record({ type: type("readIndexRequest"), nonce: anyNumber }),
  fc.record({ type: type("readIndexReply"), ballot: anyBallot, nonce: anyNumber, slot: anySlot }),
  fc.record({ type: type("transferLeadership"), ballot: anyBallot, nonce: anyNumber }),
);
