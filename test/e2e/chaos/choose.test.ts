import { describe, expect, test } from "vitest";
import { fitting, inSeededOrder } from "./choose.ts";
import type { Fault } from "./fault.ts";
import { FAULTS } from "./faults.ts";

const faultOf = (name: string, usualMs: number): Fault => ({ name, usualMs, boundMs: usualMs, inject: async () => {} });
const names = (faults: readonly Fault[]): readonly string[] => faults.map(({ name }) => name);

describe("choosing faults", () => {
  test("one seed has one order, another seed another, and none loses or repeats a fault", () => {
    const order = names(inSeededOrder(FAULTS, 7));
    expect(names(inSeededOrder(FAULTS, 7))).toEqual(order);
    expect(names(inSeededOrder(FAULTS, 8))).not.toEqual(order);
    expect(order.toSorted()).toEqual(names(FAULTS).toSorted());
    expect(new Set(order).size).toBe(FAULTS.length);
  });

  test("what does not fit any more makes room for what does", () => {
    const chosen = fitting([faultOf("long", 60), faultOf("longer", 70), faultOf("short", 30), faultOf("tiny", 10)], 100);
    expect(names(chosen)).toEqual(["long", "short", "tiny"]);
  });
});
