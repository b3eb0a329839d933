/** Takes back what was scheduled; harmless after it has run. */
export type Cancel = () => void;

/** Time and chance as the controller sees them, injected so that tests decide about both. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never goes back. */
  now(): number;
  /** Milliseconds since 1970: for what people read, never for deciding how long something took. */
  wallMs(): number;
  /** Evenly from [0, 1). */
  random(): number;
  /** Calls back once after `delayMs` milliseconds. */
  schedule(delayMs: number, callback: () => void): Cancel;
}

/** The machine's clocks and chance. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  random: () => Math.random(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs` milliseconds, or as soon as `signal` is aborted. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = (): void => {
      cancel();
      signal.removeEventListener("abort", over);
      resolve();
    };
    const cancel = clock.schedule(delayMs, over);
    signal.addEventListener("abort", over);
  });
}
