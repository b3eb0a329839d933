import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChecksumWatch } from "../../src/node/checksum-watch.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { type Slot, slot } from "../../src/paxos/ids.ts";
import { memberIncarnation, scenarioConfiguration } from "../../src/scenario/names.ts";

/** Slots at which checksums are compared are multiples of this. */
const CHECKPOINT = 64;
/** So many of the common ones are kept; every eighth is a rarer one, which is kept longer. */
const KEPT = 16;

const THREE = scenarioConfiguration(3);

/** The watch of member 1, told checksums by member number. */
function watchOf1(told: Record<number, number>, at = CHECKPOINT): ChecksumWatch {
  const watch = new ChecksumWatch(memberIncarnation(1));
  for (const [member, checksum] of Object.entries(told)) {
    if (member === "1") watch.applied(slot(at), checksum);
    else watch.heard(memberIncarnation(Number(member)), slot(at), checksum);
  }
  return watch;
}

describe("a member that compares checksums of the applied state (rule 6)", () => {
  it("knows that it is wrong when a majority has another, and who that is", () => {
    const verdict = watchOf1({ 1: 10, 2: 20, 3: 20 }).judge(THREE);
    expect(verdict).toEqual({ kind: "minority", slot: CHECKPOINT, majority: [memberIncarnation(2), memberIncarnation(3)] });
  });

  it("finds nothing wrong with itself when it is of the majority", () => {
    expect(watchOf1({ 1: 10, 2: 10, 3: 20 }).judge(THREE)).toEqual({ kind: "fine" });
    expect(watchOf1({ 1: 10, 2: 10 }).judge(THREE)).toEqual({ kind: "fine" });
  });

  it.each([[3, { 1: 10, 2: 20 }], [5, { 1: 10, 2: 20, 3: 30, 4: 20 }], [5, { 1: 10, 2: 10, 3: 20 }]])(
    "does not trust itself while one of %i voters differs and it can show no majority, though others have not told yet", (size, told) => {
      expect(watchOf1(told).judge(scenarioConfiguration(size))).toEqual({ kind: "none", slot: CHECKPOINT });
    });

  it("trusts itself again once a majority has the same, and at later checkpoints does not mind who was wrong there", () => {
    const watch = watchOf1({ 1: 10, 2: 20 });
    watch.heard(memberIncarnation(3), slot(CHECKPOINT), 10);
    expect(watch.judge(THREE)).toEqual({ kind: "fine" });
    watch.applied(slot(2 * CHECKPOINT), 11);
    watch.heard(memberIncarnation(2), slot(2 * CHECKPOINT), 21);
    expect(watch.judge(THREE)).toEqual({ kind: "fine" });
    watch.heard(memberIncarnation(3), slot(3 * CHECKPOINT), 31);
    watch.applied(slot(3 * CHECKPOINT), 12);
    expect(watch.judge(THREE)).toEqual({ kind: "none", slot: 3 * CHECKPOINT });
  });

  it.each([[2, { 1: 10, 2: 20 }], [3, { 1: 10, 2: 20, 3: 30 }], [4, { 1: 10, 2: 10, 3: 20, 4: 20 }]])(
    "knows that nobody is right when all of %i voters told and none has a majority", (size, told) => {
      expect(watchOf1(told).judge(scenarioConfiguration(size))).toEqual({ kind: "none", slot: CHECKPOINT });
    });

  it("does not let learners decide, but judges itself as one", () => {
    const [first, second, third, fourth] = scenarioConfiguration(4).voters as [never, never, never, never];
    const told = { 1: 10, 2: 10, 3: 20, 4: 20 };
    const learnersElsewhere: Configuration = { voters: [first, second], learners: [third, fourth], removed: [] };
    expect(watchOf1(told).judge(learnersElsewhere)).toEqual({ kind: "fine" });
    const itIsALearner: Configuration = { voters: [third, fourth], learners: [first, second], removed: [] };
    expect(watchOf1(told).judge(itIsALearner)).toMatchObject({ kind: "minority", majority: [memberIncarnation(3), memberIncarnation(4)] });
  });

  it("compares what was told of one slot only", () => {
    const watch = watchOf1({ 1: 10 });
    for (const other of [2, 3]) watch.heard(memberIncarnation(other), slot(2 * CHECKPOINT), 20);
    expect(watch.judge(THREE)).toEqual({ kind: "fine" });
  });

  it("judges itself at a slot of which it heard before it got there", () => {
    const watch = watchOf1({ 2: 20, 3: 20 });
    expect(watch.judge(THREE)).toEqual({ kind: "fine" });
    watch.applied(slot(CHECKPOINT), 10);
    expect(watch.judge(THREE)).toMatchObject({ kind: "minority" });
  });

  it("finds a difference at an earlier checkpoint than its newest", () => {
    const watch = watchOf1({ 1: 10, 2: 20, 3: 20 });
    watch.applied(slot(2 * CHECKPOINT), 11);
    expect(watch.judge(THREE)).toMatchObject({ kind: "minority", slot: CHECKPOINT });
  });

  it("tells its newest checkpoint, and takes only checkpoints for one", () => {
    const watch = new ChecksumWatch(memberIncarnation(1));
    expect(watch.newest).toEqual([]);
    expect(watch.applied(slot(CHECKPOINT - 1), 9)).toBe(false);
    expect(watch.newest).toEqual([]);
    expect(watch.applied(slot(CHECKPOINT), 10)).toBe(true);
    expect(watch.applied(slot(CHECKPOINT + 1), 11)).toBe(false);
    expect(watch.newest).toEqual([{ slot: CHECKPOINT, checksum: 10 }]);
  });

  it.each([50, 1_000, 20_000])("finds a difference at %i slots a second, though members tell at different moments", (slotsPerSecond) => {
    const watches = [1, 2, 3].map((number) => new ChecksumWatch(memberIncarnation(number)));
    let applied = 0;
    const verdicts = new Set<string>();
    for (let ms = 0; ms < 30_000; ms += 100) {
      const until = (ms * slotsPerSecond) / 1_000;
      while (applied < until) {
        applied += 1;
        watches.forEach((watch, index) => watch.applied(slot(applied), index === 0 ? 10 : 20));
      }
      // Each tells once a second: the first at 0, the second at 300 and the third at 700 ms of it.
      const teller = [0, 300, 700].indexOf(ms % 1_000);
      if (teller === -1) continue;
      for (const checkpoint of watches[teller]?.newest ?? []) {
        watches.forEach((watch, index) => index === teller || watch.heard(memberIncarnation(teller + 1), checkpoint.slot, checkpoint.checksum));
      }
      watches.forEach((watch, index) => verdicts.add(`${index + 1}: ${watch.judge(THREE).kind}`));
    }
    expect(watches.map((watch) => watch.judge(THREE).kind)).toEqual(["minority", "fine", "fine"]);
    expect([...verdicts]).not.toContain("2: minority");
    expect([...verdicts]).not.toContain("3: minority");
  });

  it("forgets the oldest checkpoint when it holds too many", () => {
    const common = Array.from({ length: 2 * KEPT }, (_, index) => slot((index + 1) * CHECKPOINT)).filter((at) => at % (8 * CHECKPOINT) !== 0);
    const watch = watchOf1({ 1: 10, 2: 20 });
    for (const at of common.slice(1, KEPT)) watch.applied(at, 0);
    const heldStill = watchOf1({ 1: 10, 2: 20, 3: 20 });
    for (const at of common.slice(1, KEPT)) heldStill.applied(at, 0);
    expect(heldStill.judge(THREE)).toMatchObject({ kind: "minority", slot: CHECKPOINT });
    watch.applied(common[KEPT] as Slot, 0);
    watch.heard(memberIncarnation(3), slot(CHECKPOINT), 20);
    expect(watch.judge(THREE)).toEqual({ kind: "fine" });
  });

  it("does not forget a checkpoint for what is told of slots that are none", () => {
    const watch = watchOf1({ 1: 10, 2: 20 });
    for (let above = 1; above < CHECKPOINT; above++) watch.heard(memberIncarnation(2), slot(CHECKPOINT + above), 0);
    for (let above = 1; above < CHECKPOINT; above++) watch.heard(memberIncarnation(2), slot(2 * CHECKPOINT + above), 0);
    watch.heard(memberIncarnation(3), slot(CHECKPOINT), 20);
    expect(watch.judge(THREE)).toMatchObject({ kind: "minority", slot: CHECKPOINT });
  });

  it("begins anew when its state was replaced", () => {
    const watch = watchOf1({ 1: 10, 2: 20, 3: 20 });
    watch.reset();
    expect(watch.newest).toEqual([]);
    expect(watch.judge(THREE)).toEqual({ kind: "fine" });
    watch.applied(slot(CHECKPOINT), 20);
    expect(watch.judge(THREE)).toEqual({ kind: "fine" });
  });

  it("comes to the same conclusion as all the others: a majority is right, or nobody is", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(10, 20, 30), { minLength: 1, maxLength: 9, size: "max" }), (checksums) => {
      const configuration = scenarioConfiguration(checksums.length);
      const verdicts = checksums.map((own, self) => {
        const watch = new ChecksumWatch(memberIncarnation(self + 1));
        watch.applied(slot(CHECKPOINT), own);
        checksums.forEach((checksum, member) => member === self || watch.heard(memberIncarnation(member + 1), slot(CHECKPOINT), checksum));
        return watch.judge(configuration).kind;
      });
      const holders = (checksum: number): number => checksums.filter((other) => other === checksum).length;
      const right = checksums.find((checksum) => 2 * holders(checksum) > checksums.length);
      expect(verdicts).toEqual(checksums.map((own) => (right === undefined ? "none" : own === right ? "fine" : "minority")));
    }));
  });
});
