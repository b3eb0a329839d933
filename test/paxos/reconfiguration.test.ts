import { describe, expect, it } from "vitest";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { ConfigurationChange } from "../../src/paxos/membership.ts";
import type { ReportedEntry } from "../../src/paxos/messages.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { ballot, commands, LoneCore, members } from "./lone-core.ts";

const remove = (member: number): ConfigurationChange => ({ type: "remove", incarnation: memberIncarnation(member) });
const promote = (member: number, replaces: number | null = null): ConfigurationChange => ({
  type: "promote", incarnation: memberIncarnation(member), replaces: replaces === null ? null : memberIncarnation(replaces),
});

function configuration(configured: Configuration, round = 1, by = 1): Uint8Array {
  return encodeValue({ kind: "configuration", origin: ballot(round, by), configuration: configured });
}

function report(at: number, value: Uint8Array, { chosen = false, round = 1, by = 2 } = {}): ReportedEntry {
  return { slot: slot(at), ballot: ballot(round, by), chosen, value };
}

/** Member 1 serves in a cluster of 1, 2 and 3 with 4 as a learner that has caught up; only its barrier is chosen, in slot 1. */
function serving(): LoneCore {
  return new LoneCore({ configuration: members([1, 2, 3], [4]), configurationSlot: 0 }).serve().hears([2, 3, 4], 1);
}

/** Member 1 proposed in slot 2 that 4 takes the place of 3, and that is chosen by 1 and 2. */
function replacing(): LoneCore {
  return serving().change(promote(4, 3)).acknowledge(2);
}

const outcomes = (core: LoneCore) => core.changes.map((outcome) => (outcome.ok ? `done at ${outcome.slot}` : outcome.failure));

describe("a leader that changes the configuration", () => {
  it("asks the new voters for their promise together with the accept, and proposes nothing above before both are complete (rule 16)", () => {
    const core = serving().change(promote(4, 3)).propose(1, "a");
    expect(core.last("prepare", 4)).toMatchObject({ fromSlot: 3 });
    expect(core.last("prepare", 2)).toMatchObject({ fromSlot: 3 });
    core.promises([4]);
    expect(core.proposed(2)).toEqual(["1=barrier(1.1)", "2=members(1,2,4)"]);
    core.acknowledge(2);
    expect(core.proposed(2).slice(2)).toEqual(["3=no-op", "4=a"]);
  });

  it("proposes nothing above a chosen configuration without the promises of its voters", () => {
    const core = replacing().propose(1, "a");
    expect(core.core.status()).toMatchObject({ chosenThrough: 2, configurationSlot: 2 });
    // Member 3 votes no more: its promise says nothing about what may be chosen above.
    core.promises([3]);
    expect(core.proposed(2)).toHaveLength(2);
    core.promises([2]);
    expect(core.proposed(2).slice(2)).toEqual(["3=no-op", "4=a"]);
  });

  it("adopts what the new voters report above the configuration before it proposes anything of its own (rule 16, trace a)", () => {
    const core = replacing().propose(1, "a").promises([2], [report(3, commands("v"), { round: 0, by: 2 })]);
    expect(core.proposed(2).slice(2)).toEqual(["3=v", "4=no-op", "5=a"]);
  });

  it("asks again for promises that were lost", () => {
    const core = replacing();
    core.sent.length = 0;
    core.pass(100);
    expect(core.all("prepare", 4)).toHaveLength(1);
  });

  it("steps down when a late promise to its first prepare tells that another value was chosen where it proposed the configuration", () => {
    const core = new LoneCore({ size: 5 }).serve([2, 3]).change(remove(5), { force: true });
    const at = core.last("accept").ballot;
    const entries = [report(1, encodeValue({ kind: "barrier", ballot: at }), { chosen: true }), report(2, commands("z"), { chosen: true, round: 9, by: 5 })];
    core.sent.length = 0;
    core.receive(4, { type: "promise", ballot: at, fromSlot: slot(1), entries, nextSlot: null, chosenThrough: slot(2) });
    expect(core.core.leads).toBe(false);
    core.pass(100);
    expect(core.sent.filter(({ message }) => "chosenThrough" in message && message.chosenThrough >= 2 && "ballot" in message && message.ballot.round === at.round)).toEqual([]);
    expect(outcomes(core)).toEqual(["unknown"]);
  });

  it("begins anew when it hears of a later configuration that was chosen already: its promises are those of the wrong voters", () => {
    const core = replacing().propose(1, "a");
    // Some other leader went on from slot 2 and had 3 removed in slot 3; who governs slot 4 was never asked.
    core.promises([2], [report(3, configuration(members([1, 4], [], [3, 2]), 2, 2), { chosen: true })], 3);
    expect(core.core.status().configurationSlot).toBe(3);
    expect(core.core.leads).toBe(false);
    expect(core.proposed(4).filter((each) => Number.parseInt(each, 10) > 3)).toEqual([]);
    expect(core.last("preVote", 4)).toBeDefined();
  });

  it("answers no read while the new voters may know of more than it does", () => {
    const core = replacing();
    core.input({ type: "read", readId: 1 }).pass(80).hears([2, 3, 4]);
    expect(core.reads).toEqual([]);
    // Before it ever heard of this ballot member 2 had v chosen in slot 3, and acknowledged it.
    core.promises([2], [report(3, commands("v"), { round: 0, by: 2 })]).pass(80).hears([2, 4]);
    expect(core.reads).toEqual([]);
    core.acknowledge(4).hears([2, 4]);
    expect(core.reads).toEqual([{ readId: 1, ok: true, slot: 4 }]);
  });
});
