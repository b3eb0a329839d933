import { describe, expect, it } from "vitest";
import { replayCommand } from "../../src/sim/command/flags.ts";
import { search } from "../../src/sim/command/search.ts";
import { settle } from "../../src/sim/settle.ts";
import { simulate, type SimulationReport } from "../../src/sim/simulation.ts";
import { CORPUS } from "./corpus.ts";

const MINUTE_MS = 60_000;
/** How long fresh seeds are searched, and where from: another place each time unless SYNOD_SIM_SEED says where. */
const SEARCH_MS = Number(process.env["SYNOD_SIM_MINUTES"] ?? 0.25) * MINUTE_MS;
const FIRST_SEED = Number(process.env["SYNOD_SIM_SEED"] ?? Math.floor(Date.now() / 1_000) % 1_000_000_000);
const FEWEST_SEEDS = 5;
const THREADS = 2;

async function story(seed: number, leaveOutTicks = true): Promise<{ report: SimulationReport; lines: string[] }> {
  const lines: string[] = [];
  const report = await simulate({ seed, settle, leaveOutTicks, tell: (line) => lines.push(line) });
  return { report, lines };
}

describe("a simulated cluster", () => {
  it.each([11, 4])("lives the same life again from the same seed (%i)", async (seed) => {
    const [first, again] = [await story(seed), await story(seed)];
    expect(again.lines).toEqual(first.lines);
    expect(again.report).toEqual(first.report);
  });

  it.each([11, 107, 108, 109])("lives the same life, in fewer events, without the ticks that find nothing to do (%i)", async (seed) => {
    const [all, fewer] = [await story(seed, false), await story(seed)];
    expect(fewer.lines).toEqual(all.lines);
    expect(fewer.report.fingerprint).toBe(all.report.fingerprint);
    expect(fewer.report.messages).toBe(all.report.messages);
    expect(fewer.report.events).toBeLessThan(all.report.events * 0.9);
  });

  it("lives the same life in a thread of its own, where it begins with a message", async () => {
    const { tally, failure } = await search({ from: 11, seeds: 1, untilMs: Infinity, jobs: 1, wishes: {}, nowMs: () => 0 });
    expect(failure).toBeNull();
    expect(tally.fingerprint).toBe((await story(11)).report.fingerprint);
  });

  it("lives another life from another seed", async () => {
    expect((await story(11)).report.fingerprint).not.toBe((await story(12)).report.fingerprint);
  });

  it.each(CORPUS)("is fine from seed $seed, which once failed", { timeout: 5 * MINUTE_MS }, async ({ seed, wishes }) => {
    await simulate({ seed, settle, wishes });
  });

  it("has every fault drawn, and reaches every way out of trouble, within few seeds", { timeout: 10 * MINUTE_MS }, async () => {
    const { tally, failure } = await search({ from: 1, seeds: 60, untilMs: Infinity, jobs: THREADS, wishes: {}, nowMs: () => 0 });
    expect(failure).toBeNull();
    expect(tally.never).toEqual([]);
    const reached = tally.summary(1).join();
    for (const what of ["promiseNeedsSnapshot", "snapshotChunk", "needsSnapshot", "chosenEntries", "acceptGap", "reject", "readIndexReply", "transferLeadership", "electionLost", "steppedDown", "replaced", "refused:SYNOD_ERR_CHANGE_PENDING", "refusedAsCopy"]) {
      expect(reached).toContain(what);
    }
  });

  it(`stays safe while everything goes wrong and makes progress afterwards, from fresh seeds from ${FIRST_SEED} on`, { timeout: SEARCH_MS + 2 * MINUTE_MS }, async () => {
    const startedMs = performance.now();
    const { tally, failure } = await search({
      from: FIRST_SEED, seeds: Infinity, untilMs: SEARCH_MS, jobs: THREADS, wishes: {}, nowMs: () => performance.now() - startedMs,
    });
    process.stdout.write(`${tally.seeds} fresh seeds from ${FIRST_SEED} on\n${tally.summary(performance.now() - startedMs).join("\n")}\n`);
    expect(failure === null ? null : `${replayCommand(failure.seed, {})}\n${failure.name}: ${failure.message}`).toBeNull();
    expect(tally.seeds).toBeGreaterThanOrEqual(FEWEST_SEEDS);
  });
});
