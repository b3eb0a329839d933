import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Wishes } from "../plan.ts";
import { Tally } from "./tally.ts";
import type { Answer, Task } from "./thread.ts";
import type { TimeByPart } from "./time-profile.ts";

export interface SearchOptions {
  readonly from: number;
  /** How many seeds, or how long. */
  readonly seeds: number;
  readonly untilMs: number;
  readonly jobs: number;
  readonly wishes: Wishes;
  readonly nowMs: () => number;
  readonly progress: (tally: Tally) => void;
}

export type SearchFailure = Extract<Answer, { type: "failed" }>;

export interface SearchResult {
  readonly tally: Tally;
  /** The failing seed with the lowest number among those that were lived through. */
  readonly failure: SearchFailure | null;
  readonly time: TimeByPart;
  /** Processor time of all threads, in milliseconds. */
  readonly cpuMs: number;
}

const THREAD = new URL(`./thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

/** Lives through one seed after the other in several threads, until one fails or there are enough. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const tally = new Tally();
  const time = new Map<string, number>();
  let failure: SearchFailure | null = null;
  let cpuMs = 0;
  let next = options.from;
  const nextTask = (): Task | null => {
    const goesOn = failure === null && next < options.from + options.seeds && options.nowMs() < options.untilMs;
    return goesOn ? { seed: next++, wishes: options.wishes } : null;
  };
  const take = (answer: Answer): void => {
    if (answer.type === "time") {
      cpuMs += answer.cpuMs;
      for (const [part, us] of answer.time) time.set(part, (time.get(part) ?? 0) + us);
    } else if (answer.type === "failed") failure = failure === null || answer.seed < failure.seed ? answer : failure;
    else tally.add(answer.report);
    options.progress(tally);
  };
  await Promise.all(Array.from({ length: options.jobs }, () => runThread(nextTask, take)));
  return { tally, failure, time, cpuMs };
}

async function runThread(nextTask: () => Task | null, take: (answer: Answer) => void): Promise<void> {
  const thread = new Worker(THREAD);
  for (let task = nextTask(); ; task = nextTask()) {
    thread.postMessage(task);
    const [answer] = await once(thread, "message") as [Answer];
    take(answer);
    if (answer.type === "time") break;
  }
  await thread.terminate();
}
