import { expect, it } from "vitest";
import { slot } from "../../src/paxos/ids.ts";
import type { SnapshotHandle } from "../../src/paxos/records.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { put } from "../state/helpers.ts";
import { LEADER, LoneMember } from "./lone-member.ts";

it("a snapshot carries the highest promise, not only the ballot of what it holds, as whoever installs it must promise as much (rules 4 and 16)", async () => {
  const handles: SnapshotHandle[] = [];
  const lone = new LoneMember({ writeSnapshot: async (handle) => void handles.push(handle) });
  const ballot = { round: 1, incarnation: LEADER };
  const barrier = encodeValue({ kind: "barrier", ballot });
  const value = encodeValue({ kind: "commands", origin: ballot, commands: [put("k", "v")] });
  await lone.receive({ type: "paxos", message: { type: "accept", ballot, firstSlot: slot(1), values: [barrier, value], chosenThrough: slot(0) } });
  lone.member.durable(lone.records.length);
  await lone.receive({ type: "paxos", message: { type: "heartbeat", ballot, nonce: 1, chosenThrough: slot(2) } });
  expect(lone.member.appliedSlot).toBe(2);
  const higher = { round: 7, incarnation: LEADER };
  await lone.receive({ type: "paxos", message: { type: "prepare", ballot: higher, fromSlot: slot(3) } });
  lone.stats = { ...lone.stats, bytesSinceSnapshot: 2 ** 30 };
  await lone.passes(100);
  expect(handles).toEqual([expect.objectContaining({ slot: 2, leaderBallot: ballot, promised: higher })]);
});
