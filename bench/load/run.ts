import type { LoadJob, LoadResult } from "./job.ts";
import { Latencies } from "./latencies.ts";

/** One client: does one operation after another, each begun when the one before was answered. */
export interface LoadClient {
  /** Begins an operation; `done` is called once, later, with null or why it failed. */
  start(done: (failure: string | null) => void): void;
}

const MAX_SAMPLES = 4_000_000;

/** Lets every client do operations until the job's count or time is reached, and waits for those under way. */
export function runClients(clients: readonly LoadClient[], { ops, durationMs }: Pick<LoadJob, "ops" | "durationMs">): Promise<LoadResult> {
  const latencies = new Latencies(Math.min(ops, MAX_SAMPLES));
  const startedMs = performance.now();
  const endMs = durationMs === null ? Infinity : startedMs + durationMs;
  let begun = 0;
  let ended = 0;
  let failures = 0;
  let failure: string | null = null;
  return new Promise((resolve) => {
    const next = (client: LoadClient): void => {
      const beganMs = performance.now();
      if (begun >= ops || beganMs >= endMs) {
        if (ended === begun) resolve({ ops: ended, failures, failure, seconds: (performance.now() - startedMs) / 1_000, ...latencies.percentiles() });
        return;
      }
      begun += 1;
      client.start((failed) => {
        latencies.add(performance.now() - beganMs);
        ended += 1;
        if (failed !== null) {
          failures += 1;
          failure = failed;
        }
        next(client);
      });
    };
    for (const client of clients) next(client);
  });
}
