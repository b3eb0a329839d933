import { parseArgs } from "node:util";
import { describeSummary } from "../../history/summary.ts";
import { prepareImages } from "../support/images.ts";
import { target } from "../support/target.ts";
import { ChaosRun } from "./chaos-run.ts";
import { inSeededOrder } from "./choose.ts";
import type { Fault } from "./fault.ts";
import { FAULTS } from "./faults.ts";
import { reportTable } from "./report.ts";

const USAGE = `npm run chaos -- [options]
  --minutes M     bring faults about for so long; without it, each of them once
  --seed S        of their order and of what they hit (default: the time)
  --fault TEXT    only those whose name contains TEXT; may be repeated
  --list          print the faults
It runs on the cluster that the current kubectl context names, in a namespace of its own.
Exit code: 0 all is well, 1 a fault was not survived as it should be.`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string" }, seed: { type: "string" }, fault: { type: "string", multiple: true }, list: { type: "boolean" }, help: { type: "boolean" },
    },
  });
  if (values.help === true) return say(USAGE), 0;
  const faults = FAULTS.filter(({ name }) => values.fault === undefined || values.fault.some((text) => name.includes(text)));
  if (values.list === true) return say(faults.map(({ name }) => name).join("\n")), 0;
  if (faults.length === 0) throw new RangeError("No fault has such a name; --list prints them.");
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  return chaos(faults, seed, values.minutes === undefined ? null : Number(values.minutes));
}

async function chaos(faults: readonly Fault[], seed: number, minutes: number | null): Promise<number> {
  say(`seed ${seed}`);
  const where = await target();
  const run = await ChaosRun.start(where, await prepareImages(where.node), seed);
  const skipped = faults.flatMap((fault) => {
    const why = run.lacks(fault);
    return why === null ? [] : [{ fault: fault.name, why }];
  });
  const possible = faults.filter((fault) => run.lacks(fault) === null);
  let failed = false;
  try {
    await bringAll(run, possible, seed, minutes);
    for (const line of describeSummary(await run.end())) say(line);
  } catch (error) {
    failed = true;
    say(`${error instanceof Error ? error.message : String(error)}\nwhat there was: ${await run.place.keepEvidence()}`);
  }
  say(reportTable(run.rows, skipped));
  await run.place.remove(failed);
  where.api.close();
  return failed ? 1 : 0;
}

/** Round after round, each in an order of its own, until the minutes are over; one round without them. */
async function bringAll(run: ChaosRun, faults: readonly Fault[], seed: number, minutes: number | null): Promise<void> {
  const endMs = minutes === null ? null : performance.now() + minutes * 60_000;
  for (let round = 0; ; round++) {
    for (const fault of inSeededOrder(faults, seed + round)) {
      if (endMs !== null && performance.now() >= endMs) return;
      say(`${new Date().toISOString()} ${fault.name}`);
      const { gapMs, strengthMs } = await run.bring(fault);
      say(`  ${gapMs.toFixed(0)} ms without writes, ${(strengthMs / 1000).toFixed(1)} s to full strength`);
    }
    if (endMs === null) return;
  }
}

process.exitCode = await main();
