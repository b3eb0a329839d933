import { SynodError } from "../errors/synod-error.ts";

export interface FolderWait {
  /** How long a folder that another process holds is waited for, in milliseconds; 0: not at all. */
  readonly forMs: number;
  nowMs(): number;
  pause(ms: number): Promise<void>;
  /** Told now and then, from the beginning on, for how long it has been waited. */
  waiting(waitedMs: number): void;
  /** Aborted when the process is to end. */
  readonly signal?: AbortSignal;
}

const LOOK_MS = 200;
const TELL_MS = 10_000;

/**
 * Opens a folder as soon as no other process holds it: after a pod was deleted by force, its twin may run for a while. Throws what
 * `open` throws, `SYNOD_ERR_FOLDER_LOCKED` when the time is up, and `SYNOD_ERR_STOPPING` when the process is to end before.
 */
export async function openWhenFree<T>(open: () => Promise<T>, wait: FolderWait): Promise<T> {
  const startedMs = wait.nowMs();
  for (let toldMs = -Infinity; ; await wait.pause(LOOK_MS)) {
    if (wait.signal?.aborted === true) throw new SynodError("SYNOD_ERR_STOPPING");
    try {
      return await open();
    } catch (error) {
      const waitedMs = wait.nowMs() - startedMs;
      const locked = error instanceof SynodError && error.code === "SYNOD_ERR_FOLDER_LOCKED";
      if (!locked || waitedMs >= wait.forMs) throw error;
      if (waitedMs - toldMs < TELL_MS) continue;
      wait.waiting(waitedMs);
      toldMs = waitedMs;
    }
  }
}
