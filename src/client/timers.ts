/** Time and chance as the client uses them; tests bring their own. */
export interface Timers {
  /** Returns what cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Evenly from [0, 1). */
  random(): number;
}

export const SYSTEM_TIMERS: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
