/** Takes back what was scheduled; harmless after it has run. */
export type Cancel = () => void;

/** Time as the transport sees it, injected so that tests decide when it passes. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never goes back. */
  now(): number;
  /** Calls back once after `delayMs` milliseconds. */
  schedule(delayMs: number, callback: () => void): Cancel;
}

/** The machine's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
