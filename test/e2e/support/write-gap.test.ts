import { describe, expect, test } from "vitest";
import { longestGap } from "./write-gap.ts";

const ms = (...times: readonly number[]): number[] => times.map((time) => time * 1e6);
const gap = (acknowledged: readonly number[], from: number, to: number): number => longestGap(acknowledged, from * 1e6, to * 1e6).lengthMs;

describe("the longest time without an acknowledged write", () => {
  test("lies between two acknowledgements, whatever their order in the list", () => {
    expect(gap(ms(10, 60, 20, 30), 5, 65)).toBe(30);
  });

  test("counts from before the fault, since the writes may have stopped with it", () => {
    expect(gap(ms(10, 50), 40, 55)).toBe(40);
  });

  test("counts up to the end when no write was acknowledged any more", () => {
    expect(gap(ms(10, 20), 15, 100)).toBe(80);
  });

  test("is all of the time when there was no acknowledgement at all", () => {
    expect(gap([], 15, 100)).toBe(85);
  });

  test("leaves out gaps that were over before", () => {
    expect(gap(ms(0, 500, 505, 510), 502, 512)).toBe(5);
  });

  test("ends when writes were acknowledged again", () => {
    expect(longestGap(ms(10, 60, 20), 5 * 1e6, 65 * 1e6)).toEqual({ lengthMs: 40, endNs: 60e6 });
  });

  test("leaves out what was acknowledged later", () => {
    expect(gap(ms(10, 20, 30, 900), 15, 35)).toBe(10);
  });
});
