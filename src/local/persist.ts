import { setTimeout as pause } from "node:timers/promises";
import { SynodError } from "../errors/synod-error.ts";

/** How long to wait before what failed for now is tried again. */
const RETRY_MS = 100;

export interface Patience {
  /** For how long attempts are repeated that fail with what may pass, in milliseconds. */
  readonly forMs: number;
  /** Aborting it ends the repetition with `SYNOD_ERR_STOPPING`. */
  readonly signal?: AbortSignal | undefined;
  /** Makes it patience for doubt only: nothing is repeated until something may have been done already. Hears of the first such failure. */
  readonly onDoubt?: (error: SynodError) => void;
}

/**
 * Makes attempts until one succeeds or fails for good. When time is up it rejects with the last failure, but for one that changed
 * nothing behind one that may have. Only for what may be done twice.
 */
export async function persist<T>({ forMs, signal, onDoubt }: Patience, attempt: () => Promise<T>): Promise<T> {
  const untilMs = performance.now() + forMs;
  let doubt: SynodError | null = null;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted === true) throw new SynodError("SYNOD_ERR_STOPPING", "This was given up, because all is being shut down.");
      if (!mayPass(error)) throw error;
      if (doubt === null && leavesDoubt(error)) onDoubt?.(error);
      if (leavesDoubt(error)) doubt = error;
      if (performance.now() >= untilMs || (doubt === null && onDoubt !== undefined)) throw doubt ?? error;
      await pause(RETRY_MS);
    }
  }
}

/** It may have been done, and may be asked for again. */
function leavesDoubt({ kind }: SynodError): boolean {
  return kind.retryable && kind.outcomeUnknown;
}

/** A learner that lags is waited for by who knows that it learns. */
function mayPass(error: unknown): error is SynodError {
  if (!(error instanceof SynodError) || error.code === "SYNOD_ERR_LEARNER_LAGS") return false;
  return error.kind.retryable || error.kind.outcomeUnknown;
}
