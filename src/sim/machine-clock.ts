import type { World } from "./world.ts";

/** A machine's own clock, which shows another time than the world's, runs at its own rate, and is stepped when the machine was suspended. */
export class MachineClock {
  readonly #world: World;
  /** How much faster than the world's it runs. */
  readonly #rate: number;
  #offsetMs: number;

  constructor(world: World, rate: number, offsetMs: number) {
    this.#world = world;
    this.#rate = rate;
    this.#offsetMs = offsetMs;
  }

  get nowMs(): number {
    return this.at(this.#world.nowMs);
  }

  /** What it shows at a time of the world's. */
  at(worldMs: number): number {
    return this.#offsetMs + worldMs * this.#rate;
  }

  /** The time of the world's at which it shows `ms`. */
  worldMsAt(ms: number): number {
    return (ms - this.#offsetMs) / this.#rate;
  }

  /** How long it takes in the world until this clock is `ms` further. */
  worldMs(ms: number): number {
    return ms / this.#rate;
  }

  step(ms: number): void {
    this.#offsetMs += ms;
  }
}
