import type { Wishes } from "../../src/sim/plan.ts";

/** Seeds that once failed, and with what wishes; see docs/found-by-simulation.md. */
export const CORPUS: readonly { readonly seed: number; readonly wishes: Wishes }[] = [
  { seed: 163, wishes: {} },
  { seed: 6436, wishes: {} },
  { seed: 6297, wishes: {} },
  { seed: 795618585, wishes: {} },
  { seed: 990000623, wishes: {} },
  { seed: 795654280, wishes: {} },
  { seed: 1100000071, wishes: {} },
  { seed: 795945756, wishes: {} },
  { seed: 500144, wishes: { troubleMs: 2_000, keys: 1, without: ["clockStep", "cutOneWay", "relay", "slowDisk", "transfer", "network"] } },
  {
    seed: 5719,
    wishes: {
      troubleMs: 2_430, keys: 1, sessions: 0, lasting: "whole",
      without: ["clockStep", "cutOneWay", "cutBothWays", "relay", "hungDisk", "failedSync", "bitFlip", "transfer"],
    },
  },
  {
    seed: 795640310,
    wishes: { troubleMs: 16_200, keys: 1, lasting: "whole", without: ["kill", "cutOneWay", "cutBothWays", "slowDisk", "fullDisk", "flap", "replace"] },
  },
];
