import fc from "fast-check";
import { expect, it } from "vitest";
import { EventQueue } from "../../src/sim/event-queue.ts";

it("gives events back by time, and those of one moment in the order in which they came", () => {
  fc.assert(fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 200, size: "max" }), (times) => {
    const queue = new EventQueue();
    const taken: [number, number][] = [];
    times.forEach((atMs, index) => queue.add(atMs, () => taken.push([atMs, index])));
    while (queue.size > 0) {
      expect(queue.nextMs).toBe(Math.min(...times.filter((_, index) => !taken.some(([, seen]) => seen === index))));
      queue.take()();
    }
    const expected = times.map((atMs, index): [number, number] => [atMs, index]).sort(([a, i], [b, j]) => a - b || i - j);
    expect(taken).toEqual(expected);
    expect(queue.nextMs).toBe(Infinity);
  }));
});
