import type { World } from "./world.ts";

/** The member whose ticks these are, and the process that it runs in. */
export interface TickPort {
  /** Whether the process stands still: a tick that comes then waits until it goes on, and none comes after it. */
  paused(): boolean;
  /** Runs a task when the process goes on. */
  whenResumed(task: () => void): void;
  /** Whether a tick would find nothing to do now. */
  quiet(): boolean;
  /** Until about when ticks will find nothing to do, in the world's time, if nothing else happens before. */
  quietUntilMs(): number;
  tick(): void;
  /** Makes up for a tick at `atMs`, in the world's time, that was left out. */
  passTick(atMs: number): void;
}

/**
 * The ticks of one life of a member. Those that would find nothing to do are left out, and made up for before anything else happens to
 * it: so its life is the same as if each were an event, and costs a fraction.
 */
export class Ticks {
  readonly #world: World;
  readonly #port: TickPort;
  readonly #periodMs: number;
  readonly #leaveOut: boolean;
  /** Ticks of several machines at the same moment come in the order in which those began their lives. */
  readonly #order: number;
  /** The first tick that was neither made nor made up for; Infinity while one waits for the process to go on. */
  #nextMs: number;
  /** The tick that is an event to come; Infinity: none. */
  #plannedMs = Infinity;
  #stopped = false;

  constructor(world: World, port: TickPort, options: { readonly periodMs: number; readonly leaveOut: boolean }) {
    this.#world = world;
    this.#port = port;
    this.#periodMs = options.periodMs;
    this.#leaveOut = options.leaveOut;
    this.#order = world.lastOfItsMoment();
    this.#nextMs = world.nowMs + this.#periodMs;
    this.planNext();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** To be called whenever something happened to the member, as it may have more to do and earlier. */
  plan(): void {
    if (this.#plannedMs <= this.#nextMs) return;
    const untilMs = this.#leaveOut ? this.#port.quietUntilMs() : -Infinity;
    if (untilMs >= this.#plannedMs) return;
    let plannedMs = this.#nextMs;
    while (plannedMs < untilMs && plannedMs < this.#plannedMs) plannedMs += this.#periodMs;
    this.#planAt(plannedMs);
  }

  /** The next tick is not left out: what happens before it may be of a kind that nobody could foresee. */
  planNext(): void {
    this.makeUp();
    this.#planAt(this.#nextMs);
  }

  #planAt(atMs: number): void {
    if (atMs >= this.#plannedMs) return;
    this.#plannedMs = atMs;
    this.#world.at(atMs, () => {
      if (!this.#stopped && this.#plannedMs === atMs) this.#due();
    }, this.#order);
  }

  #due(): void {
    this.makeUp();
    this.#plannedMs = Infinity;
    if (this.#port.paused()) {
      this.#nextMs = Infinity;
      return this.#port.whenResumed(() => this.#stopped || this.#tick());
    }
    if (!this.#leaveOut || !this.#port.quiet()) return this.#tick();
    this.#port.passTick(this.#nextMs);
    this.#nextMs += this.#periodMs;
    this.plan();
  }

  /** Only behind the tick does the member know what follows from it, and the next one is planned there. */
  #tick(): void {
    this.#nextMs = this.#world.nowMs + this.#periodMs;
    if (!this.#leaveOut) this.planNext();
    this.#port.tick();
  }

  /** Makes up for the ticks that were left out until now. */
  makeUp(): void {
    while (this.#nextMs < this.#world.nowMs) {
      this.#port.passTick(this.#nextMs);
      this.#nextMs += this.#periodMs;
    }
  }
}
