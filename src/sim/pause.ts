import type { World } from "./world.ts";

/** Whether a machine's process stands still, and what waits until it goes on. */
export class Pause {
  readonly #world: World;
  #paused = false;
  #waiting: (() => void)[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get paused(): boolean {
    return this.#paused;
  }

  begin(): void {
    this.#paused = true;
  }

  /** All that waited happens now, in its order. */
  end(): void {
    this.#paused = false;
    for (const task of this.#waiting.splice(0)) this.#world.after(0, task);
  }

  /** Keeps a task until the pause ends; there must be one. */
  waitFor(task: () => void): void {
    this.#waiting.push(task);
  }
}
