import { describe, expect, it } from "vitest";
import { simulate, type SimulationReport } from "../../src/sim/simulation.ts";
import { settle } from "../../src/sim/settle.ts";
import { CORPUS } from "./corpus.ts";

/** SYNOD_SIM_SEEDS asks for more runs than the usual, SYNOD_SIM_SEED for another first seed. */
const SEEDS = Number(process.env["SYNOD_SIM_SEEDS"] ?? 60);
const FIRST_SEED = Number(process.env["SYNOD_SIM_SEED"] ?? 1);

async function story(seed: number): Promise<{ report: SimulationReport; lines: string[] }> {
  const lines: string[] = [];
  const report = await simulate({ seed, settle, tell: (line) => lines.push(line) });
  return { report, lines };
}

describe("a simulated cluster", () => {
  it("lives the same life again from the same seed, and another from another", async () => {
    const [first, again, other] = [await story(11), await story(11), await story(12)];
    expect(again.lines).toEqual(first.lines);
    expect(again.report).toEqual(first.report);
    expect(other.report.fingerprint).not.toBe(first.report.fingerprint);
  });

  it.each(CORPUS)("is fine from seed %i, which once failed", { timeout: 60_000 }, async (seed) => {
    await simulate({ seed, settle });
  });

  it(`stays safe while everything goes wrong and makes progress afterwards, from ${SEEDS} seeds`, { timeout: 60_000 + SEEDS * 3_000 }, async () => {
    const failures: string[] = [];
    const faults = new Map<string, number>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS && failures.length === 0; seed++) {
      await simulate({ seed, settle }).then(
        (report) => Object.entries(report.faults).forEach(([fault, count]) => faults.set(fault, (faults.get(fault) ?? 0) + count)),
        (error: unknown) => failures.push(`npm run sim -- --seed ${seed}\n${String(error)}`),
      );
    }
    expect(failures).toEqual([]);
    for (const [fault, count] of faults) expect(count, fault).toBeGreaterThan(0);
  });
});
