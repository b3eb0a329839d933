import { randomBytes, randomInt } from "node:crypto";

/** Time and chance as a member sees them, injected so that a simulator can own both. */
export interface NodeClock {
  /** Milliseconds since an arbitrary moment; never goes back. */
  nowMs(): number;
  /** Evenly from [0, 1). */
  random(): number;
  /** Runs `task` after the inputs that are waiting already were taken; never at once. */
  defer(task: () => void): void;
  /** Runs `task` every `periodMs` until the returned function is called. */
  every(periodMs: number, task: () => void): () => void;
}

/** The machine's clocks and randomness. */
export const systemClock: NodeClock = {
  nowMs: () => performance.now(),
  random: () => randomInt(0x1_0000_0000) / 0x1_0000_0000,
  defer: (task) => void setImmediate(task),
  every(periodMs, task) {
    const timer = setInterval(task, periodMs);
    return () => clearInterval(timer);
  },
};

/** A random start for nonces, with room above it for any number of them. */
export function drawNonceSeed(): number {
  return randomBytes(6).readUIntBE(0, 6);
}

/**
 * Time that this process was awake for: a step longer than `maxStepMs` counts as that much. After a stop or a long turn
 * of the event loop the messages that prove a leader alive are still waiting to be read, so the leader must not be judged
 * by the time that passed meanwhile.
 */
export class AwakeTime {
  readonly #maxStepMs: number;
  #lastMs: number;
  #awakeMs = 0;

  constructor(nowMs: number, maxStepMs: number) {
    this.#lastMs = nowMs;
    this.#maxStepMs = maxStepMs;
  }

  get awakeMs(): number {
    return this.#awakeMs;
  }

  /** The time that was taken last. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** Takes the current time and returns the awake time, which never goes back. */
  advance(nowMs: number): number {
    this.#awakeMs += Math.min(Math.max(0, nowMs - this.#lastMs), this.#maxStepMs);
    this.#lastMs = nowMs;
    return this.#awakeMs;
  }
}
