import { isMainThread, parentPort } from "node:worker_threads";
import type { Wishes } from "../plan.ts";
import { settle } from "../settle.ts";
import { simulate, type SimulationReport } from "../simulation.ts";
import { NotLinearizable } from "../violations.ts";
import { type TimeByPart, TimeProfile } from "./time-profile.ts";

export interface Task {
  readonly seed: number;
  readonly wishes: Wishes;
  /** Whether its story is wanted. */
  readonly told: boolean;
}

export interface SearchFailure {
  readonly type: "failed";
  readonly seed: number;
  readonly name: string;
  readonly message: string;
  /** Where clients saw it: their story, which is part of the message. */
  readonly clients?: readonly string[];
}

/** What became of a seed. */
export type SeedAnswer = { readonly type: "fine"; readonly seed: number; readonly report: SimulationReport } | SearchFailure;

/** Where the thread's time went, and how much processor time it took in all, in milliseconds. */
export interface ThreadTime {
  readonly type: "time";
  readonly time: TimeByPart;
  readonly cpuMs: number;
}

/** What the thread says; a line is one of the story of the seed that it is at. */
export type Said = SeedAnswer | ThreadTime | { readonly type: "line"; readonly line: string };

async function live({ seed, wishes }: Task, tell: ((line: string) => void) | undefined): Promise<SeedAnswer> {
  try {
    const report = await simulate({ seed, settle, wishes, ...(tell === undefined ? {} : { tell }) });
    return { type: "fine", seed, report };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { type: "failed", seed, name, message, ...(error instanceof NotLinearizable ? { clients: error.clients } : {}) };
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
  const say = (said: Said): void => port.postMessage(said);
  const tell = (line: string): void => say({ type: "line", line });
  port.on("message", (task: Task | null) => {
    if (task === null) return say({ type: "time", time: profile.end(), cpuMs: cpuMs() - beginMs });
    profile.next();
    void live(task, task.told ? tell : undefined).then((answer) => {
      // A promise that was rejected and that nobody follows is found when the event loop comes round, and belongs to this seed.
      setImmediate(say, answer);
    });
  });
}
