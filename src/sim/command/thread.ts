import { isMainThread, parentPort } from "node:worker_threads";
import type { Wishes } from "../plan.ts";
import { settle } from "../settle.ts";
import { simulate, type SimulationReport } from "../simulation.ts";
import { type TimeByPart, TimeProfile } from "./time-profile.ts";

export interface Task {
  readonly seed: number;
  readonly wishes: Wishes;
}

export type Answer =
  | { readonly type: "fine"; readonly seed: number; readonly report: SimulationReport }
  | { readonly type: "failed"; readonly seed: number; readonly name: string; readonly message: string }
  /** Where the thread's time went, and how much processor time it took in all, in milliseconds. */
  | { readonly type: "time"; readonly time: TimeByPart; readonly cpuMs: number };

/** Lives through one seed; never throws. */
export async function live({ seed, wishes }: Task): Promise<Exclude<Answer, { type: "time" }>> {
  try {
    return { type: "fine", seed, report: await simulate({ seed, settle, wishes }) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { type: "failed", seed, name, message };
  }
}

/** This thread's processor time so far, in milliseconds. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

// As a thread of a search: one task after the other, then where the time went.
if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  // Members answer with errors all the time, and of a failed run only what it says is told: nobody reads where they were made.
  Error.stackTraceLimit = 0;
  const profile = new TimeProfile();
  const beginMs = cpuMs();
  port.on("message", (task: Task | null) => {
    if (task === null) port.postMessage({ type: "time", time: profile.stop(), cpuMs: cpuMs() - beginMs } satisfies Answer);
    else void live(task).then((answer) => port.postMessage(answer));
  });
}
