import { expect, it } from "vitest";
import { slot } from "../../src/paxos/ids.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { del, put } from "../state/helpers.ts";
import { LEADER, LoneMember } from "./lone-member.ts";

const BALLOT = { round: 1, incarnation: LEADER };

function onFullDisk(scarce: boolean): LoneMember {
  const lone = new LoneMember();
  lone.stats = { ...lone.stats, full: true, scarce };
  lone.member.diskSpace(true);
  return lone;
}

/** The kinds of records that come of an accept for slot 1 with this command. */
async function acceptOf(lone: LoneMember, command: Uint8Array): Promise<string[]> {
  const value = encodeValue({ kind: "commands", origin: BALLOT, commands: [command] });
  lone.records.length = 0;
  const message = { type: "accept" as const, ballot: BALLOT, firstSlot: slot(1), values: [value], chosenThrough: slot(0), configurationSlot: slot(0) };
  await lone.receive({ type: "paxos", message });
  return lone.records.map(({ type }) => type);
}

it("a follower whose disk is full takes what its leader proposed, as long as its space is not scarce", async () => {
  expect(await acceptOf(onFullDisk(false), put("k", "v"))).toContain("accepted");
});

it("a follower with scarce space takes what makes the state grow for lost, and keeps what does not", async () => {
  const lone = onFullDisk(true);
  expect(await acceptOf(lone, put("k", "v"))).toEqual([]);
  expect(await acceptOf(lone, del("k"))).toContain("accepted");
});

it("a member tells its peers at once that its disk is full, and how many records it holds", () => {
  expect(onFullDisk(false).sent.at(-1)).toEqual({ type: "disk", records: 41, full: true });
});
