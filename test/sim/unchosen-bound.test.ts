import { describe, expect, it } from "vitest";
import { encodeValue } from "../../src/paxos/value.ts";
import { UnchosenBound } from "../../src/sim/unchosen-bound.ts";
import { OutOfBounds } from "../../src/sim/violations.ts";
import { ballot } from "../paxos/lone-core.ts";

const MAX_BYTES = 100;

/** A proposal of so many bytes, first made in that round. */
function commands(bytes: number, round = 1): Uint8Array {
  return encodeValue({ kind: "commands", origin: ballot(round, 1), commands: [new Uint8Array(bytes)] });
}

describe("the bound on what a leader proposes and is not chosen", () => {
  it("is passed by commands that are together more, and by nothing less", () => {
    const bound = new UnchosenBound(1, MAX_BYTES);
    bound.proposed(1, ballot(1, 1), commands(60), 0);
    bound.proposed(2, ballot(1, 1), commands(40), 0);
    expect(() => bound.proposed(3, ballot(1, 1), commands(1), 0)).toThrow(OutOfBounds);
  });

  it("does not count what is decided, nor what was proposed in an earlier ballot", () => {
    const bound = new UnchosenBound(1, MAX_BYTES);
    bound.proposed(1, ballot(1, 1), commands(60), 0);
    bound.proposed(2, ballot(1, 1), commands(60), 1);
    bound.proposed(1, ballot(2, 1), commands(60, 2), 0);
  });

  it("lets a single proposal be larger, and values be adopted beside it", () => {
    const bound = new UnchosenBound(1, MAX_BYTES);
    bound.proposed(1, ballot(2, 1), commands(500, 1), 0);
    bound.proposed(2, ballot(2, 1), commands(500, 1), 0);
    bound.proposed(3, ballot(2, 1), encodeValue({ kind: "barrier", ballot: ballot(2, 1) }), 0);
    bound.proposed(4, ballot(2, 1), commands(500, 2), 0);
    expect(() => bound.proposed(5, ballot(2, 1), commands(1, 2), 0)).toThrow("member 1 proposed 501 bytes in 2 slots");
  });
});
