/** Time as the storage sees it, so that tests bring their own. */
export interface Timers {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** Calls back once after `milliseconds`; returns what cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The process's own clock. Its timers do not keep the process alive. */
export const SYSTEM_TIMERS: Timers = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};
