import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { DecodeError } from "../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { ERRORS, type ErrorCode } from "../../src/errors/table.ts";
import { decodePeerMessage, encodePeerMessage, laneOf, type PeerMessage } from "../../src/node/peer-messages.ts";
import type { MemberAnswer, MemberRequest } from "../../src/node/member-requests.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { ConfigurationChange } from "../../src/paxos/membership.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import type { Result } from "../../src/state/results.ts";
import { anyBallot, anyConfiguration, anyIncarnation, anyMessage, anyNumber, anySlot } from "../paxos/arbitraries.ts";

const KINDS = 10;
const anyBytes = fc.uint8Array({ maxLength: 40 });
const anyChecksum = fc.nat({ max: 0xffffffff });
const anyCode = fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[]));
const anyHandle = fc.record({
  slot: anySlot, configuration: anyConfiguration, configurationSlot: anySlot, leaderBallot: anyBallot, promised: anyBallot, cluster: fc.string(), checksum: anyChecksum,
});
const anyOutcome: fc.Arbitrary<Result | SynodError> = fc.oneof(
  fc.record({ type: fc.constant("written" as const), revision: anyNumber }),
  fc.record({ type: fc.constant("refused" as const), code: anyCode, revision: anyNumber }),
  fc.constant({ type: "sessionClosed" as const }),
  fc.tuple(anyCode, fc.string()).map(([code, message]) => new SynodError(code, message)),
);

const anyMember = fc.record({ incarnation: anyIncarnation, name: fc.string(), address: fc.string() });
const anyChange: fc.Arbitrary<ConfigurationChange> = fc.oneof(
  fc.record({ type: fc.constant("addLearner" as const), member: anyMember }),
  fc.record({ type: fc.constant("promote" as const), incarnation: anyIncarnation, replaces: fc.option(anyIncarnation) }),
  fc.record({ type: fc.constant("remove" as const), incarnation: anyIncarnation }),
);
const anyPlan = fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER - 1 }).map(slot));
const anyMemberRequest: fc.Arbitrary<MemberRequest> = fc.oneof(
  fc.constant({ type: "members" as const }),
  fc.record({ type: fc.constant("transfer" as const), target: anyIncarnation }),
  fc.record({ type: fc.constant("change" as const), change: anyChange, plannedFrom: anyPlan, force: fc.boolean() }),
);
const anyProgress = fc.record({ incarnation: anyIncarnation, chosenThrough: anySlot, heardAgoMs: fc.option(fc.nat()), caughtUp: fc.boolean() });
const anyMemberAnswer: fc.Arbitrary<MemberAnswer> = fc.oneof(
  fc.tuple(anyCode, fc.string()).map(([code, message]) => new SynodError(code, message)),
  fc.record({
    configuration: anyConfiguration, configurationSlot: anySlot, done: fc.option(fc.boolean()), chosenThrough: anySlot,
    progress: fc.array(anyProgress, { maxLength: 4 }),
  }),
);

const type = <T extends PeerMessage["type"]>(name: T) => fc.constant(name);
const anyPeerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc.record({ type: type("paxos"), message: anyMessage }),
  fc.record({ type: type("forward"), id: anyNumber, commands: fc.array(anyBytes, { maxLength: 5 }) }),
  fc.record({ type: type("forwarded"), id: anyNumber, outcomes: fc.array(anyOutcome, { maxLength: 5 }) }),
  fc.record({ type: type("snapshotRequest"), minSlot: anySlot, slot: anySlot, offset: anyNumber }),
  fc.record({ type: type("snapshotChunk"), handle: anyHandle, size: anyNumber, offset: anyNumber, bytes: anyBytes }),
  fc.record({ type: type("snapshotUnavailable"), minSlot: anySlot }),
  fc.record({ type: type("checksum"), slot: anySlot, checksum: anyChecksum }),
  fc.record({ type: type("memberRequest"), id: anyNumber, request: anyMemberRequest }),
  fc.record({ type: type("memberAnswer"), id: anyNumber, answer: anyMemberAnswer }),
  fc.record({ type: type("disk"), records: anySlot, full: fc.boolean() }),
);

/** With errors as what is told of them, for comparing. */
function comparable(message: PeerMessage): unknown {
  if (message.type !== "forwarded") return message;
  return { ...message, outcomes: message.outcomes.map((outcome) => (outcome instanceof SynodError ? outcome.toBody() : outcome)) };
}

function decodesOrRefuses(bytes: Uint8Array): void {
  try {
    decodePeerMessage(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
  }
}

describe("messages between members", () => {
  it("are read back as they were written", () => {
    fc.assert(fc.property(anyPeerMessage, (message) => {
      expect(comparable(decodePeerMessage(encodePeerMessage(message)))).toEqual(comparable(message));
    }), { numRuns: 1_000 });
  });

  it("keep an error an error", () => {
    const error = new SynodError("SYNOD_ERR_BUSY", "too much");
    const decoded = decodePeerMessage(encodePeerMessage({ type: "forwarded", id: 1, outcomes: [error] }));
    expect(decoded).toMatchObject({ outcomes: [expect.any(SynodError)] });
  });

  it("are refused when they are cut short or go on behind their end", () => {
    fc.assert(fc.property(anyPeerMessage, fc.nat(), (message, at) => {
      const bytes = encodePeerMessage(message);
      expect(() => decodePeerMessage(bytes.subarray(0, at % bytes.length))).toThrow(DecodeError);
      expect(() => decodePeerMessage(Uint8Array.of(...bytes, 0))).toThrow(DecodeError);
    }));
  });

  it("are read as something or refused, whatever the bytes", () => {
    fc.assert(fc.property(fc.nat({ max: KINDS }), fc.uint8Array({ maxLength: 200 }), (kind, rest) => {
      decodesOrRefuses(Uint8Array.of(kind, ...rest));
    }), { numRuns: 2_000 });
  });

  it("are read as something or refused when a byte was flipped", () => {
    fc.assert(fc.property(anyPeerMessage, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, flip) => {
      const bytes = encodePeerMessage(message).slice();
      bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
      decodesOrRefuses(bytes);
    }), { numRuns: 1_000 });
  });

  it("are refused when they are of a kind or carry an error that this version does not know", () => {
    expect(() => decodePeerMessage(Uint8Array.of(KINDS))).toThrow("unknown peer message");
    expect(() => decodePeerMessage(new Uint8Array())).toThrow(DecodeError);
    for (const code of ["SYNOD_ERR_FUTURE", "toString"]) {
      const forwarded = new ByteWriter().u8(2).u53(1).u32(1).u8(1).text(code).text("").finish();
      expect(() => decodePeerMessage(forwarded)).toThrow("unknown error code");
    }
  });

  it.each([["forward", 1], ["forwarded", 2]])("are refused before anything is allocated for a count that they cannot hold (%s)", (_, kind) => {
    const lying = new ByteWriter().u8(kind).u53(1).u32(0xffffffff).finish();
    expect(() => decodePeerMessage(lying)).toThrow(/count/);
  });
});

describe("the lane of a message", () => {
  const [ballot, at] = [{ round: 1, incarnation: memberIncarnation(1) }, slot(1)];
  const handle = { slot: at, configuration: { voters: [], learners: [], removed: [] }, configurationSlot: at, leaderBallot: ballot, promised: ballot, cluster: "", checksum: 0 };
  const urgent: PeerMessage[] = [
    { type: "paxos", message: { type: "heartbeat", ballot, nonce: 1, chosenThrough: at } },
    { type: "paxos", message: { type: "preVote", nonce: 1 } },
    { type: "paxos", message: { type: "prepare", ballot, fromSlot: at } },
    { type: "paxos", message: { type: "accepted", ballot, from: at, through: at } },
    { type: "snapshotRequest", minSlot: at, slot: at, offset: 0 },
    { type: "snapshotUnavailable", minSlot: at },
    { type: "checksum", slot: at, checksum: 1 }, { type: "disk", records: 1, full: false },
  ];
  const bulk: PeerMessage[] = [
    { type: "paxos", message: { type: "accept", ballot, firstSlot: at, values: [], chosenThrough: at } },
    { type: "paxos", message: { type: "chosenEntries", promised: ZERO_BALLOT, fromSlot: at, values: [], chosenThrough: at } },
    { type: "forward", id: 1, commands: [] },
    { type: "forwarded", id: 1, outcomes: [] },
    { type: "snapshotChunk", handle, size: 0, offset: 0, bytes: new Uint8Array() },
  ];

  it("lets votes, heartbeats and what is small overtake what carries values (rule 26)", () => {
    expect(urgent.map(laneOf)).toEqual(urgent.map(() => "urgent"));
    expect(bulk.map(laneOf)).toEqual(bulk.map(() => "bulk"));
  });
});
