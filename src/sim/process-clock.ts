import type { NodeClock } from "../node/clock.ts";
import type { Member } from "../node/member.ts";
import { DEFAULT_TIMINGS } from "../paxos/interface.ts";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { MachineClock } from "./machine-clock.ts";
import type { Pause } from "./pause.ts";
import { Ticks } from "./ticks.ts";
import type { World } from "./world.ts";

/** The process that a clock is for, and the machine on which it runs. */
export interface ProcessPort {
  readonly world: World;
  readonly clock: MachineClock;
  readonly pause: Pause;
  readonly random: SeededRandom;
  /** Whether the process has ended. */
  ended(): boolean;
  /** Runs a task in the process: later if it is paused, never if it has ended. */
  run(task: () => void): void;
  member(): Member | null;
  /** Whether ticks that would find nothing to do are left out. */
  readonly leaveOutTicks: boolean;
}

/** Time, chance and timers of one life of a process. */
export class ProcessClock implements NodeClock {
  readonly #port: ProcessPort;
  #ticks: Ticks | null = null;

  constructor(port: ProcessPort) {
    this.#port = port;
  }

  nowMs(): number {
    return this.#port.clock.nowMs;
  }

  random(): number {
    return this.#port.random.next();
  }

  defer(task: () => void): void {
    const { world, pause } = this.#port;
    world.after(0, () => {
      this.#port.run(task);
      if (!this.#port.ended() && !pause.paused) this.#ticks?.plan();
    });
  }

  /** Ticks settle nothing that is waited for; what other timers do may. */
  every(periodMs: number, task: () => void): () => void {
    return periodMs === DEFAULT_TIMINGS.tickMs ? this.#tick(task) : this.#every(periodMs, task);
  }

  after(ms: number, task: () => void): () => void {
    const { world, clock } = this.#port;
    let cancelled = false;
    world.after(clock.worldMs(ms), () => {
      if (cancelled) return;
      world.expectPromises();
      this.#port.run(task);
    });
    return () => (cancelled = true);
  }

  /** To be called before anything happens to the member: makes up for ticks that were left out. */
  makeUp(): void {
    this.#ticks?.makeUp();
  }

  /** To be called before the machine's clock is stepped or the process is paused. */
  planNext(): void {
    this.#ticks?.planNext();
  }

  /** The process ends. */
  end(): void {
    this.#ticks?.makeUp();
    this.#ticks?.stop();
    this.#ticks = null;
  }

  #tick(task: () => void): () => void {
    const { world, clock, pause, leaveOutTicks } = this.#port;
    const quietUntilMs = (): number => this.#port.member()?.quietUntilMs ?? -Infinity;
    const ticks = new Ticks(world, {
      paused: () => pause.paused,
      whenResumed: (resumed) => pause.waitFor(resumed),
      quiet: () => clock.nowMs < quietUntilMs(),
      quietUntilMs: () => clock.worldMsAt(quietUntilMs()),
      tick: () => this.#port.run(task),
      passTick: (atMs) => this.#port.member()?.passTick(clock.at(atMs)),
    }, { periodMs: clock.worldMs(DEFAULT_TIMINGS.tickMs), leaveOut: leaveOutTicks });
    this.#ticks = ticks;
    return () => ticks.stop();
  }

  #every(periodMs: number, task: () => void): () => void {
    const { world, clock, pause } = this.#port;
    let stopped = false;
    const isOver = (): boolean => stopped || this.#port.ended();
    const next = (): void => world.after(clock.worldMs(periodMs), () => {
      if (isOver()) return;
      // A timer that fires while the process is paused fires once when it goes on.
      if (pause.paused) return pause.waitFor(fire);
      fire();
    });
    const fire = (): void => {
      if (isOver()) return;
      next();
      world.expectPromises();
      this.#port.run(task);
    };
    next();
    return () => (stopped = true);
  }
}
