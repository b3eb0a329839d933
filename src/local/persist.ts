import { setTimeout as pause } from "node:timers/promises";
import { SynodError } from "../errors/synod-error.ts";

/** How long to wait before what failed for now is tried again. */
const RETRY_MS = 100;

export interface Patience {
  /** For how long attempts are repeated that fail with what may pass, in milliseconds. */
  readonly forMs: number;
  /** Aborting it ends the repetition with `SYNOD_ERR_STOPPING`. */
  readonly signal?: AbortSignal | undefined;
}

/** Makes attempts until one succeeds or fails for good; rejects with the last failure when time is up. Only for what may be done twice. */
export async function persist<T>({ forMs, signal }: Patience, attempt: () => Promise<T>): Promise<T> {
  const untilMs = performance.now() + forMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted === true) throw new SynodError("SYNOD_ERR_STOPPING", "This was given up, because all is being shut down.");
      if (!mayPass(error) || performance.now() >= untilMs) throw error;
      await pause(RETRY_MS);
    }
  }
}

/** A learner that lags is waited for by who knows that it learns. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof SynodError) || error.code === "SYNOD_ERR_LEARNER_LAGS") return false;
  return error.kind.retryable || error.kind.outcomeUnknown;
}
