import { setTimeout as pause } from "node:timers/promises";

/** How often something is asked again that cannot be watched, in milliseconds. */
const ASK_EVERY_MS = 200;

/** A thing that did not come about within its bound. */
export class BoundError extends Error {
  override name = "BoundError";
}

/**
 * Resolves with the milliseconds it took until `lack` tells of nothing that is missing. Rejects with `BoundError`, which tells what was
 * missing last, after `boundMs`. An error of `lack` counts as something missing: a part of the system may be down for a while.
 */
export async function until(what: string, boundMs: number, lack: () => Promise<string | null>): Promise<number> {
  const beginMs = performance.now();
  for (;;) {
    const missing = await lack().catch((error: Error) => error.message);
    const tookMs = performance.now() - beginMs;
    if (missing === null) return tookMs;
    if (tookMs > boundMs) throw new BoundError(`${what}: not within ${boundMs} ms, but ${missing}`);
    await pause(ASK_EVERY_MS);
  }
}
