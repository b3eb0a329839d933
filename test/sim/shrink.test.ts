import { expect, it } from "vitest";
import { readFlags, replayCommand } from "../../src/sim/command/flags.ts";
import { shrink } from "../../src/sim/command/shrink.ts";
import { drawPlan, FAULTS, type Wishes } from "../../src/sim/plan.ts";

/** A seed that has many members, clients and faults to leave out. */
const SEED = Array.from({ length: 200 }, (_, seed) => seed).find((seed) => {
  const { size, clients, faults } = drawPlan(seed);
  return size >= 5 && clients >= 8 && faults.kill > 0 && faults.burst > 0;
}) as number;

it("leaves away all that a failure does not need", async () => {
  const needsKills = async (wishes: Wishes): Promise<string | null> => {
    const { faults, clients, troubleMs, size } = drawPlan(SEED, wishes);
    return faults.kill > 0 && clients >= 2 && troubleMs >= 3_000 && size >= 3 ? "Violation" : null;
  };
  const smaller = await shrink(SEED, {}, needsKills);
  const plan = drawPlan(SEED, smaller);
  expect(FAULTS.filter((fault) => plan.faults[fault] > 0)).toEqual(["kill"]);
  expect(plan).toMatchObject({ clients: 2, size: 3, spares: 0, sessions: 0, keys: 1, lasting: "whole" });
  expect(plan.troubleMs).toBeLessThan(5_000);
});

it("keeps to the failure that it was given", async () => {
  const otherWithoutKills = async (wishes: Wishes): Promise<string> => (drawPlan(SEED, wishes).faults.kill > 0 ? "Violation" : "NoProgress");
  expect(drawPlan(SEED, await shrink(SEED, {}, otherWithoutKills)).faults.kill).toBeGreaterThan(0);
});

it("gives back a run that does not fail as it was", async () => {
  expect(await shrink(SEED, { size: 3 }, async () => null)).toEqual({ size: 3 });
});

it("writes the command that is read as the same wishes again", () => {
  const wishes: Wishes = { size: 3, spares: 0, troubleMs: 1_500, clients: 2, sessions: 0, keys: 1, perSecond: 20, lasting: "hub", without: ["kill", "network"] };
  const words = replayCommand(7, wishes).replace("npm run sim -- ", "").split(" ");
  expect(readFlags(["node", "sim", ...words])).toMatchObject({ seed: 7, wishes });
  expect(replayCommand(7, { without: [] })).toBe("npm run sim -- --seed 7");
});
