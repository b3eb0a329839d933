import { describe, expect, it } from "vitest";
import type { Members } from "../../src/api/service.ts";
import { checkRenewal, type RenewalPort } from "../../src/node/renewal.ts";
import { slot } from "../../src/paxos/ids.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { members as configurationOf } from "../paxos/lone-core.ts";

const SELF = memberIncarnation(3);
const LEFT = { configuration: configurationOf([1, 2], [], [3]), configurationSlot: slot(7) };

function view(over: Partial<Members> = {}, ids: readonly number[] = [1, 2]): Members {
  const members = ids.map((number) => ({
    id: memberIncarnation(number), name: "m", address: "h:1", role: "voter", leader: false, behind: 0, heardMs: 0, caughtUp: true,
  } as const));
  return { configuration: 7, pending: false, members, removed: [SELF], ...over };
}

/** `answers` are those of members 1 and 2. */
function port(over: Partial<RenewalPort>, answers: readonly (Members | null)[] = [null, null]): RenewalPort {
  return { self: SELF, fence: null, founded: true, left: null, askMembers: async ({ incarnation }) => answers[incarnation === memberIncarnation(1) ? 0 : 1] ?? null, ...over };
}

describe("a member may be renewed", () => {
  it.each([
    ["that is fenced as corrupt", port({ fence: { kind: "corrupt", reason: "" } })],
    ["that is fenced as a copy", port({ fence: { kind: "copied", reason: "" } })],
    ["that belongs to no cluster", port({ founded: false })],
    ["that was removed, when somebody says that this is done", port({ left: LEFT }, [null, view()])],
    ["that was removed, when a later configuration is done", port({ left: LEFT }, [view({ configuration: 9 }), null])],
  ])("%s", async (_, given) => {
    await expect(checkRenewal(SELF, given)).resolves.toBeUndefined();
  });
});

describe("a member may not be renewed", () => {
  const left = { left: LEFT };
  it.each([
    ["as another incarnation", memberIncarnation(4), port({ fence: { kind: "corrupt", reason: "" } }), "SYNOD_ERR_WRONG_INCARNATION"],
    ["while it votes", SELF, port({}), "SYNOD_ERR_MEMBER_NEEDED"],
    ["for a disk that fails, which passes", SELF, port({ fence: { kind: "disk", reason: "" } }), "SYNOD_ERR_MEMBER_NEEDED"],
    ["for a disk that fails before it belongs to a cluster", SELF, port({ founded: false, fence: { kind: "disk", reason: "" } }), "SYNOD_ERR_MEMBER_NEEDED"],
    ["when nobody answers whether its removal is done", SELF, port(left), "SYNOD_ERR_CHANGE_PENDING"],
    ["while its removal is not done", SELF, port(left, [view({ pending: true }), null]), "SYNOD_ERR_CHANGE_PENDING"],
    ["on the word of those that found no leader", SELF, port(left, [view({ pending: null }), view({ pending: null })]), "SYNOD_ERR_CHANGE_PENDING"],
    ["on the word of one that knows an older configuration", SELF, port(left, [view({ configuration: 6 }), null]), "SYNOD_ERR_CHANGE_PENDING"],
    ["when it is a member after all", SELF, port(left, [view({}, [1, 2, 3]), null]), "SYNOD_ERR_CHANGE_PENDING"],
  ])("%s", async (_, named, given, code) => {
    await expect(checkRenewal(named, given)).rejects.toMatchObject({ code });
  });
});
