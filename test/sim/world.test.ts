import { expect, it } from "vitest";
import { settle } from "../../src/sim/settle.ts";
import { MOST_AT_ONCE, World } from "../../src/sim/world.ts";

it("ends when events go on adding events of the same moment", async () => {
  const world = new World(1, settle);
  const again = (): void => world.after(0, again);
  world.after(5, again);
  await expect(world.run(10)).rejects.toMatchObject({ name: "InvariantError", message: `more than ${MOST_AT_ONCE} events at 5 ms: time does not go on` });
});

it("goes through as many events of one moment as that, at one moment after the other", async () => {
  const world = new World(1, settle);
  for (const atMs of [5, 6]) for (let count = 0; count < MOST_AT_ONCE; count++) world.after(atMs, () => {});
  await world.run(10);
  expect(world.events).toBe(2 * MOST_AT_ONCE);
});
