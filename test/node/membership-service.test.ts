import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { Member } from "../../src/node/member.ts";
import type { MemberAnswer, MemberRequest, MembersView } from "../../src/node/member-requests.ts";
import { MembershipService } from "../../src/node/membership-service.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { slot } from "../../src/paxos/ids.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";

const info = (number: number, name: string): Configuration["voters"][number] => ({ incarnation: memberIncarnation(number), name, address: `h:${number}` });
const CONFIGURATION: Configuration = { voters: [info(1, "a"), info(2, "b"), info(3, "c")], learners: [info(4, "c")], removed: [memberIncarnation(5)] };
const VIEW: MembersView = { configuration: CONFIGURATION, configurationSlot: slot(7), done: true, chosenThrough: slot(9), progress: [] };

/** The service on a member whose leader answers every change as given. */
function serviceThat(answer: MemberAnswer): { service: MembershipService; changes: MemberRequest[] } {
  const changes: MemberRequest[] = [];
  const requestMembers = (request: MemberRequest, done: (answer: MemberAnswer) => void): void => {
    if (request.type === "change") changes.push(request);
    done(request.type === "change" ? answer : VIEW);
  };
  const member = { requestMembers, status: () => ({ leader: memberIncarnation(1) }), left: false } as unknown as Member;
  const service = new MembershipService({
    member: () => member, cluster: () => "c".repeat(32), keys: null, fetch: () => Promise.reject(new Error("nobody is asked")), pause: () => Promise.resolve(),
  });
  return { service, changes };
}

describe("a change of members that is not known to be made", () => {
  const { service } = serviceThat(new SynodError("SYNOD_ERR_CHANGE_UNKNOWN", "why"));

  it("is told with the ids that it is about: by a name it could not be asked for again when it was made", async () => {
    const told = { code: "SYNOD_ERR_CHANGE_UNKNOWN", message: "why" };
    await expect(service.remove("b", {})).rejects.toMatchObject({ ...told, details: { member: memberIncarnation(2) } });
    await expect(service.promote("c", { replaces: "c" })).rejects.toMatchObject({ ...told, details: { member: memberIncarnation(4), replaces: memberIncarnation(3) } });
  });

  it("is told so only then", async () => {
    const refused = serviceThat(new SynodError("SYNOD_ERR_LAST_VOTER"));
    await expect(refused.service.remove("b", {})).rejects.toMatchObject({ code: "SYNOD_ERR_LAST_VOTER", details: undefined });
  });
});

it("how far a member is behind is not known before it told the leader that there is now", async () => {
  const told = (number: number, chosenThrough: number, heardAgoMs: number | null) =>
    ({ incarnation: memberIncarnation(number), chosenThrough: slot(chosenThrough), heardAgoMs, caughtUp: false });
  const { service } = serviceThat({ ...VIEW, progress: [told(1, 9, 0), told(2, 0, null), told(3, 0, 5), told(4, 0, 5)] });
  const members = (await service.promote("c", { replaces: "c" })).members.map(({ behind, heardMs, caughtUp }) => [behind, heardMs, caughtUp]);
  // The leader, one that was not heard, one that acknowledged and told nothing yet, and a learner that has nothing.
  expect(members).toEqual([[0, 0, false], [null, null, null], [null, 5, null], [9, 5, false]]);
});

describe("a member that is named", () => {
  it("is the one of the role that it must have, where two have the name", async () => {
    const { service, changes } = serviceThat(VIEW);
    await service.promote("c", { replaces: "c" });
    await service.remove("b", {});
    await expect(service.remove("c", {})).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST", message: "Two members are named c: give the id of one." });
    expect(changes.map((request) => request.type === "change" && request.change)).toEqual([
      { type: "promote", incarnation: memberIncarnation(4), replaces: memberIncarnation(3) }, { type: "remove", incarnation: memberIncarnation(2) },
    ]);
  });

  it("is no member any more, if it ever was: who left is known by its id only", async () => {
    const { service, changes } = serviceThat(VIEW);
    await expect(service.remove("d", {})).rejects.toMatchObject({ code: "SYNOD_ERR_NO_SUCH_MEMBER", message: expect.stringContaining("by its id") as string });
    await service.remove(memberIncarnation(5), {});
    expect(changes).toHaveLength(1);
  });
});
