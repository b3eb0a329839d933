import { SeededRandom } from "../../../src/scenario/seeded-random.ts";
import type { Fault } from "./fault.ts";

/** All faults in an order that follows from the seed. */
export function inSeededOrder(faults: readonly Fault[], seed: number): readonly Fault[] {
  const random = new SeededRandom(seed);
  const left = [...faults];
  return faults.map(() => left.splice(random.below(left.length), 1)[0] as Fault);
}

/** Those of a list that fit into a time by what they usually take, in the same order: one that is too long does not keep shorter ones out. */
export function fitting(faults: readonly Fault[], timeMs: number): readonly Fault[] {
  let leftMs = timeMs;
  return faults.filter(({ usualMs }) => {
    if (usualMs > leftMs) return false;
    leftMs -= usualMs;
    return true;
  });
}
