import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 20;

/** Asks again until there is an answer. Rejects when that takes longer than `timeoutMs`. */
export async function waitFor<T>(what: string, timeoutMs: number, ask: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  let last: unknown = null;
  while (performance.now() < endMs) {
    try {
      const answer = await ask();
      if (answer !== null) return answer;
    } catch (error) {
      last = error;
    }
    await pause(POLL_MS);
  }
  throw new Error(`${what} took longer than ${timeoutMs} ms${last instanceof Error ? `: ${last.message}` : ""}`);
}
