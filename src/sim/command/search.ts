import { LAST_SEED, type Wishes } from "../plan.ts";
import { SeedThread, usualLimitMs } from "./seed-thread.ts";
import { Tally } from "./tally.ts";
import type { SearchFailure, SeedAnswer, ThreadTime } from "./thread.ts";
import type { TimeByPart } from "./time-profile.ts";

export interface SearchOptions {
  readonly from: number;
  /** How many seeds, or how long. */
  readonly seeds: number;
  readonly untilMs: number;
  readonly jobs: number;
  readonly wishes: Wishes;
  /** How long a seed may take by the clock on the wall; what is usual unless it says otherwise. */
  readonly limitMs?: number;
  readonly nowMs: () => number;
  /** Adds up what the runs report, while it goes on. */
  readonly tally?: Tally;
}

export interface SearchResult {
  readonly tally: Tally;
  /** The failing seed with the lowest number among those that were lived through. */
  readonly failure: SearchFailure | null;
  readonly time: TimeByPart;
  /** Processor time of all threads, in milliseconds. */
  readonly cpuMs: number;
}

/** Lives through one seed after the other in several threads, until one fails or there are enough. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { tally = new Tally() } = options;
  const time = new Map<string, number>();
  let failure: SearchFailure | null = null;
  let cpuMs = 0;
  let next = options.from;
  const nextSeed = (): number | null => {
    const goesOn = failure === null && next < options.from + options.seeds && next <= LAST_SEED && options.nowMs() < options.untilMs;
    return goesOn ? next++ : null;
  };
  const take = (answer: SeedAnswer | ThreadTime): void => {
    if (answer.type === "time") {
      cpuMs += answer.cpuMs;
      for (const [part, us] of answer.time) time.set(part, (time.get(part) ?? 0) + us);
    } else if (answer.type === "failed") failure = failure === null || answer.seed < failure.seed ? answer : failure;
    else tally.add(answer.report);
  };
  await Promise.all(Array.from({ length: options.jobs }, () => runThread(options, nextSeed, take)));
  return { tally, failure, time, cpuMs };
}

async function runThread({ wishes, limitMs = usualLimitMs(wishes) }: SearchOptions, nextSeed: () => number | null, take: (answer: SeedAnswer | ThreadTime) => void): Promise<void> {
  const thread = new SeedThread({ limitMs });
  for (let seed = nextSeed(); seed !== null; seed = nextSeed()) take(await thread.live(seed, wishes));
  const last = await thread.stop();
  if (last !== null) take(last);
}
