import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allMembers, assertConfiguration, type Configuration, MAX_MEMBERS, MAX_REMOVED, quorumSize } from "../../src/paxos/configuration.ts";
import { incarnation } from "../../src/paxos/ids.ts";
import { changeConfiguration, type ConfigurationChange } from "../../src/paxos/membership.ts";
import { memberIncarnation, memberInfo } from "../../src/scenario/names.ts";
import { members } from "./lone-core.ts";

const add = (member: number, name = String(member)): ConfigurationChange => ({ type: "addLearner", member: { ...memberInfo(member), name } });
const remove = (member: number): ConfigurationChange => ({ type: "remove", incarnation: memberIncarnation(member) });
const promote = (member: number, replaces: number | null = null): ConfigurationChange => ({
  type: "promote", incarnation: memberIncarnation(member), replaces: replaces === null ? null : memberIncarnation(replaces),
});

/** As many members as wanted, beyond the nine that scenarios have. */
function many(count: number, first = 0): Configuration["voters"] {
  return Array.from({ length: count }, (_, index) => {
    const name = `many-${first + index}`;
    return { incarnation: incarnation((first + index).toString(16).padStart(32, "f")), name, address: `${name}:1` };
  });
}

describe("a change of the configuration", () => {
  it.each<[string, Configuration, ConfigurationChange, Configuration]>([
    ["adds a learner behind the others", members([1, 2, 3], [4]), add(5), members([1, 2, 3], [4, 5])],
    ["makes a learner a voter", members([1, 2, 3], [4, 5]), promote(4), members([1, 2, 3, 4], [5])],
    ["puts a learner in the place of a voter, who is gone for ever", members([1, 2, 3], [4]), promote(4, 2), members([1, 3, 4], [], [2])],
    ["puts a learner in the place of the only voter", members([1], [2]), promote(2, 1), members([2], [], [1])],
    ["removes a voter", members([1, 2, 3], [4], [9]), remove(2), members([1, 3], [4], [9, 2])],
    ["removes a learner", members([1, 2, 3], [4]), remove(4), members([1, 2, 3], [], [4])],
  ])("%s", (_, before, change, after) => {
    expect(changeConfiguration(before, change)).toEqual({ configuration: after });
  });

  it.each<[string, Configuration, ConfigurationChange]>([
    ["a learner that is there", members([1], [2]), add(2)],
    ["a learner that was promoted meanwhile", members([1, 2]), add(2)],
    ["a promotion of a voter", members([1, 2]), promote(2)],
    ["a replacement that was made", members([1, 3, 4], [], [2]), promote(4, 2)],
    ["a removal of who left", members([1], [], [2]), remove(2)],
  ])("is none when it was made already: %s", (_, before, change) => {
    expect(changeConfiguration(before, change)).toEqual({ unchanged: true });
  });

  it.each<[string, Configuration, ConfigurationChange]>([
    ["removedMember", members([1], [], [2]), add(2)],
    ["removedMember", members([1], [], [2]), promote(2)],
    ["nameTaken", members([1], [2]), add(3, "2")],
    ["nameTaken", { ...members([1, 2]), learners: [{ ...memberInfo(3), name: "2" }] }, promote(3)],
    ["nameTaken", { ...members([1, 2]), learners: [{ ...memberInfo(3), name: "2" }] }, promote(3, 1)],
    ["unknownMember", members([1]), promote(2)],
    ["unknownMember", members([1], [2]), promote(2, 5)],
    ["unknownMember", members([1], [2, 3]), promote(2, 3)],
    ["unknownMember", members([1], [2]), promote(1, 1)],
    ["unknownMember", members([1, 2]), promote(2, 1)],
    ["unknownMember", members([1]), remove(2)],
    ["lastVoter", members([1], [2]), remove(1)],
    ["tooManyMembers", { voters: many(1), learners: many(MAX_MEMBERS, 20), removed: [] }, add(2)],
    ["tooManyMembers", { voters: many(MAX_MEMBERS), learners: [memberInfo(2)], removed: [] }, promote(2)],
  ])("is refused as %s", (refusal, before, change) => {
    expect(changeConfiguration(before, change)).toEqual({ refusal });
  });

  it("lets a newcomer take the name of the voter that it replaces, and the place of one of as many voters as there may be", () => {
    const newcomer = { ...memberInfo(3), name: "2" };
    expect(changeConfiguration(members([1, 2]), { type: "addLearner", member: newcomer })).toHaveProperty("configuration");
    expect(changeConfiguration({ ...members([1, 2]), learners: [newcomer] }, promote(3, 2))).toHaveProperty("configuration");
    const voters = many(MAX_MEMBERS);
    const replaces = voters[0]?.incarnation ?? null;
    expect(changeConfiguration({ voters, learners: [newcomer], removed: [] }, { type: "promote", incarnation: newcomer.incarnation, replaces })).toHaveProperty("configuration");
  });

  it("remembers the latest of those who left, and no more than fit", () => {
    const left = many(MAX_REMOVED).map((member) => member.incarnation);
    const changed = changeConfiguration({ ...members([1, 2]), removed: left }, remove(2));
    expect(changed).toMatchObject({ configuration: { removed: [...left.slice(1), memberIncarnation(2)] } });
  });

  const anyMember = fc.integer({ min: 1, max: 9 });
  const anyChange: fc.Arbitrary<ConfigurationChange> = fc.oneof(
    fc.tuple(anyMember, anyMember).map(([member, name]) => add(member, String(name))),
    fc.tuple(anyMember, fc.option(anyMember)).map(([member, replaces]) => promote(member, replaces)),
    anyMember.map(remove),
  );

  it("never makes an invalid configuration, moves at most one voter in and one out, and made again changes nothing", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.array(anyChange, { maxLength: 40 }), (size, changes) => {
      let before = members(Array.from({ length: size }, (_, index) => index + 1));
      for (const change of changes) {
        const changed = changeConfiguration(before, change);
        if (!("configuration" in changed)) continue;
        const after = changed.configuration;
        assertConfiguration(after);
        expect(difference(after.voters, before.voters).length).toBeLessThanOrEqual(1);
        expect(difference(before.voters, after.voters).length).toBeLessThanOrEqual(1);
        expect(difference(allMembers(before), allMembers(after)).every((member) => after.removed.includes(member.incarnation))).toBe(true);
        expect(Math.abs(after.voters.length - before.voters.length)).toBeLessThanOrEqual(1);
        expect(changeConfiguration(after, change)).toEqual({ unchanged: true });
        before = after;
      }
    }));
  });

  it("leaves quorums that meet, but for a replacement: there the new voters must be asked (rule 16)", () => {
    const meets = (a: Configuration, b: Configuration): boolean => {
      const common = a.voters.length - difference(a.voters, b.voters).length;
      const others = (each: Configuration) => each.voters.length - common;
      return Math.max(0, quorumSize(a) - others(a)) + Math.max(0, quorumSize(b) - others(b)) > common;
    };
    for (const [before, change, meet] of [
      [members([1, 2, 3], [4]), promote(4), true], [members([1, 2, 3]), remove(1), true], [members([1, 2, 3, 4]), remove(1), true],
      [members([1, 2], [4]), promote(4), true], [members([1, 2, 3], [4]), promote(4, 1), false], [members([1], [2]), promote(2, 1), false],
    ] as const) {
      const changed = changeConfiguration(before, change) as { configuration: Configuration };
      expect(meets(before, changed.configuration)).toBe(meet);
    }
  });
});

function difference(of: Configuration["voters"], without: Configuration["voters"]): Configuration["voters"] {
  return of.filter((member) => !without.some((other) => other.incarnation === member.incarnation));
}
