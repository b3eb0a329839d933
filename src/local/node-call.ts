import type { Status } from "../api/service.ts";

/** A node's status, or null when it does not give one within `timeoutMs`: it may be paused, starting or gone. */
export async function fetchStatus(url: string, timeoutMs: number, signal?: AbortSignal): Promise<Status | null> {
  const bound = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(new URL("/v1/status", url), { signal: signal === undefined ? bound : AbortSignal.any([signal, bound]) });
    return response.ok ? ((await response.json()) as Status) : null;
  } catch {
    return null;
  }
}
