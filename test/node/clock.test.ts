import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AwakeTime, drawNonceSeed, systemClock } from "../../src/node/clock.ts";

const MAX_STEP_MS = 30;

describe("awake time", () => {
  it("is the time that passed while steps are short", () => {
    const awake = new AwakeTime(1_000, MAX_STEP_MS);
    expect([1_010, 1_010, 1_025, 1_055].map((nowMs) => awake.advance(nowMs))).toEqual([10, 10, 25, 55]);
  });

  it("counts a stop of any length as one longest step, and goes on from there", () => {
    const awake = new AwakeTime(0, MAX_STEP_MS);
    awake.advance(10);
    expect(awake.advance(60_000)).toBe(10 + MAX_STEP_MS);
    expect(awake.advance(60_010)).toBe(10 + MAX_STEP_MS + 10);
  });

  it("never goes back, and moves by one longest step at most, whatever the clock says", () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true })), (times) => {
      const awake = new AwakeTime(0, MAX_STEP_MS);
      let last = 0;
      for (const nowMs of times) {
        const next = awake.advance(nowMs);
        expect(next).toBeGreaterThanOrEqual(last);
        expect(next).toBeLessThanOrEqual(last + MAX_STEP_MS);
        last = next;
      }
    }));
  });
});

describe("the machine's clock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("defers a task behind all that is to be done at once", async () => {
    const order: string[] = [];
    systemClock.defer(() => void order.push("deferred"));
    void Promise.resolve().then(() => order.push("promised"));
    order.push("at once");
    await Promise.resolve();
    expect(order).toEqual(["at once", "promised"]);
    vi.runAllTimers();
    expect(order).toEqual(["at once", "promised", "deferred"]);
  });

  it("repeats a task until it is told to stop", () => {
    const task = vi.fn<() => void>();
    const stop = systemClock.every(10, task);
    vi.advanceTimersByTime(9);
    expect(task).toHaveBeenCalledTimes(0);
    vi.advanceTimersByTime(21);
    expect(task).toHaveBeenCalledTimes(3);
    stop();
    vi.advanceTimersByTime(100);
    expect(task).toHaveBeenCalledTimes(3);
  });

  it("is not moved by a change of the time of day", () => {
    const nowMs = systemClock.nowMs();
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(systemClock.nowMs()).toBe(nowMs);
    vi.advanceTimersByTime(5);
    expect(systemClock.nowMs()).toBe(nowMs + 5);
  });

  it("draws chances from 0 to below 1", () => {
    const drawn = Array.from({ length: 1_000 }, () => systemClock.random());
    expect(drawn.every((chance) => chance >= 0 && chance < 1)).toBe(true);
    expect(new Set(drawn).size).toBeGreaterThan(990);
  });
});

describe("the start of nonces", () => {
  it("differs from life to life and leaves room above it", () => {
    const drawn = Array.from({ length: 100 }, drawNonceSeed);
    expect(new Set(drawn).size).toBe(100);
    expect(drawn.every((seed) => Number.isSafeInteger(seed) && seed >= 0 && seed < 2 ** 48)).toBe(true);
  });
});
