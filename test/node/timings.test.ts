import { describe, expect, it } from "vitest";
import { checkTimings } from "../../src/node/timings.ts";
import { DEFAULT_TIMINGS } from "../../src/paxos/interface.ts";

describe("timings", () => {
  it("that are not given are the usual ones", () => {
    expect(checkTimings({})).toEqual(DEFAULT_TIMINGS);
    expect(checkTimings({ heartbeatMs: 100 })).toEqual({ ...DEFAULT_TIMINGS, heartbeatMs: 100 });
  });

  it.each([[10, 30], [333, 1_000], [1_000, 60_000]])("of a heartbeat every %i ms and an election timeout of %i ms are taken", (heartbeatMs, electionTimeoutMs) => {
    expect(checkTimings({ heartbeatMs, electionTimeoutMs })).toMatchObject({ heartbeatMs, electionTimeoutMs });
  });

  it.each([
    ["a timeout as short as the heartbeat", { heartbeatMs: 400, electionTimeoutMs: 400 }, /at least 3 times/],
    ["a heartbeat too rare for the usual timeout", { heartbeatMs: 134 }, /400 ms is too short for a heartbeat every 134 ms/],
    ["a timeout too short for the usual heartbeat", { electionTimeoutMs: 239 }, /239 ms is too short/],
    ["no time between heartbeats", { heartbeatMs: 0 }, /too often/],
    ["a timeout of minutes", { electionTimeoutMs: 60_001 }, /too long/],
    ["parts of milliseconds", { heartbeatMs: 80.5 }, /whole numbers/],
    ["what is no number", { electionTimeoutMs: Number.NaN }, /whole numbers/],
  ])("with %s are refused with a code", (_, timings, message) => {
    expect(() => checkTimings(timings)).toThrow(expect.objectContaining({ code: "SYNOD_ERR_BAD_REQUEST", message: expect.stringMatching(message) }));
  });
});
