import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { slot } from "../../src/paxos/ids.ts";
import { corrupt } from "../../src/storage/corrupt.ts";
import { del } from "../state/helpers.ts";
import { LEADER, LoneMember } from "./lone-member.ts";

const REQUEST = { type: "snapshotRequest", minSlot: slot(0), slot: slot(0), offset: 0 } as const;

async function prepareIsAnswered(lone: LoneMember): Promise<boolean> {
  await lone.receive({ type: "paxos", message: { type: "prepare", ballot: { round: 9, incarnation: LEADER }, fromSlot: slot(1) } });
  return lone.records.some(({ type }) => type === "promised");
}

describe("a member at work", () => {
  it("is fenced when a snapshot that it is to send proves damaged: it neither votes nor serves, and keeps the first reason", async () => {
    const lone = new LoneMember({ openSnapshot: () => Promise.reject(corrupt("7.snap", 12, "wrong")) });
    await lone.receive(REQUEST);
    lone.member.fence({ kind: "copied", reason: "later" });
    expect(lone.fences).toEqual([{ kind: "corrupt", reason: expect.stringContaining("7.snap at byte 12") }]);
    const answers: unknown[] = [];
    lone.member.write(del("k"), (outcome) => answers.push(outcome));
    lone.member.read((error) => answers.push(error));
    expect(answers).toMatchObject([{ code: "SYNOD_ERR_FENCED" }, { code: "SYNOD_ERR_FENCED" }]);
    expect(await prepareIsAnswered(lone)).toBe(false);
  });

  it("answers a read that waits when it is fenced", async () => {
    const lone = new LoneMember();
    const answers: unknown[] = [];
    lone.member.read((error) => answers.push(error));
    await lone.receive(REQUEST);
    expect(answers).toEqual([]);
    lone.member.fence({ kind: "disk", reason: "the disk failed" });
    expect(answers).toMatchObject([{ code: "SYNOD_ERR_FENCED" }]);
  });

  it("is not fenced by a snapshot that cannot be read for another reason", async () => {
    const lone = new LoneMember({ openSnapshot: () => Promise.reject(new SynodError("SYNOD_ERR_DISK")) });
    await lone.receive(REQUEST);
    expect(lone.fences).toEqual([]);
    expect(await prepareIsAnswered(lone)).toBe(true);
  });
});
