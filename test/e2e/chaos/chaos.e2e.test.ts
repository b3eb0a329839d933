import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { target } from "../support/target.ts";
import { ChaosRun } from "./chaos-run.ts";
import { fitting, inSeededOrder } from "./choose.ts";
import { FAULTS } from "./faults.ts";
import { reportTable } from "./report.ts";

/** What is run is drawn from the seed until the minutes are full; `npm run chaos` runs the whole list. */
const SEED = Number(process.env["SYNOD_E2E_SEED"] ?? Date.now() % 1_000_000);
const MINUTES = Number(process.env["SYNOD_E2E_CHAOS_MINUTES"] ?? 8);

const order = inSeededOrder(FAULTS, SEED);
const chosen = fitting(order, MINUTES * 60_000);

describe(`faults under load, SYNOD_E2E_SEED=${SEED}`, () => {
  let run: ChaosRun;
  let failed = false;
  const skipped: { fault: string; why: string }[] = [];

  beforeAll(async () => {
    run = await ChaosRun.start(await target(), inject("images"), SEED);
  });

  afterAll(async () => {
    process.stdout.write(`\nChaos with SYNOD_E2E_SEED=${SEED}:\n${reportTable(run.rows, skipped)}\n\n`);
    await run.place.remove(failed);
  });

  test.for(order.map((fault) => [fault.name, fault] as const))("%s", async ([, fault], { skip, onTestFailed }) => {
    const why = run.lacks(fault) ?? (chosen.includes(fault) ? null : `not among those that this seed chooses for ${MINUTES} minutes`);
    if (why !== null) {
      skipped.push({ fault: fault.name, why });
      skip(why);
    }
    onTestFailed(async () => {
      failed = true;
      process.stdout.write(`what there was: ${await run.place.keepEvidence()}\n`);
    });
    const row = await run.bring(fault);
    expect(row.afterHealMs).toBeLessThanOrEqual(fault.boundMs);
  });

  test("no acknowledged write was lost, and the whole history is linearizable", async () => {
    const summary = await run.end();
    expect(summary.writes).toBeGreaterThan(0);
  });
});
