import { expect, it } from "vitest";
import { RandomRun, traceOf } from "./random-run.ts";

/** SYNOD_RANDOM_RUNS asks for more runs than the usual, SYNOD_RANDOM_SEED for another first seed. */
const RUNS = Number(process.env["SYNOD_RANDOM_RUNS"] ?? 1_500);
const FIRST_SEED = Number(process.env["SYNOD_RANDOM_SEED"] ?? 1);

const TITLE = `keeps every invariant, linearizable reads and progress after healing in ${RUNS} random runs from seed ${FIRST_SEED} on`;

it(TITLE, { timeout: 60_000 + RUNS * 50 }, () => {
  const failures: string[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS && failures.length < 3; seed++) {
    try {
      new RandomRun(seed).run();
    } catch {
      failures.push(traceOf(seed));
    }
  }
  expect(failures.join("\n\n"), failures.join("\n\n")).toBe("");
});
