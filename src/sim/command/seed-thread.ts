import { Worker } from "node:worker_threads";
import type { Wishes } from "../plan.ts";
import type { SearchFailure, Said, SeedAnswer, ThreadTime } from "./thread.ts";

const THREAD = new URL(`./thread${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
const SEED_MS = 60_000;
/** The name of what a seed fails with that was given up. */
export const DOES_NOT_END = "DoesNotEnd";

/** How long a seed may take by the clock on the wall, in milliseconds: many times what it does, also on a busy machine. */
export function usualLimitMs({ troubleMs = 0 }: Wishes): number {
  return SEED_MS + 2 * troubleMs;
}

export interface SeedThreadOptions {
  /** A seed that takes longer by the clock on the wall is given up, and its thread ended. */
  readonly limitMs: number;
  /** Gets the stories of the seeds for which one is asked, line by line. */
  readonly tell?: (line: string) => void;
}

/**
 * A thread that lives through one seed after the other. Whatever becomes of it (an error that nobody catches, too little memory, an
 * endless loop), the seed that it was at has failed with that, and the next one gets a thread of its own.
 */
export class SeedThread {
  readonly #options: SeedThreadOptions;
  #worker: Worker | null = null;
  #seed = 0;
  /** Waits for the answer to the present seed. */
  #answer: ((answer: SeedAnswer | ThreadTime) => void) | null = null;
  /** Why the thread ends, as far as that is known before it has ended. */
  #cause: SearchFailure | null = null;
  /** The thread ended behind its answer: an error that came too late for that. */
  #late: SearchFailure | null = null;

  constructor(options: SeedThreadOptions) {
    this.#options = options;
  }

  /** Lives through one seed. Never throws: what went wrong is the answer, be it the thread's own end. */
  async live(seed: number, wishes: Wishes, told = false): Promise<SeedAnswer> {
    if (this.#late !== null) return this.#takeLate(this.#late);
    this.#seed = seed;
    const worker = (this.#worker ??= this.#start());
    const { limitMs } = this.#options;
    const timer = setTimeout(() => {
      this.#cause ??= { type: "failed", seed, name: DOES_NOT_END, message: `does not end: it was given up after ${limitMs / 1_000} s` };
      void worker.terminate();
    }, limitMs);
    const answer = await this.#ask({ seed, wishes, told });
    clearTimeout(timer);
    return answer as SeedAnswer;
  }

  /** Ends the thread. Where its time went, or what it ended with behind its last answer; null: there is none to ask. */
  async stop(): Promise<SeedAnswer | ThreadTime | null> {
    const answer = this.#worker === null ? this.#late : await this.#ask(null);
    await this.#worker?.terminate();
    return answer;
  }

  #takeLate(late: SearchFailure): SearchFailure {
    this.#late = null;
    return late;
  }

  #ask(task: object | null): Promise<SeedAnswer | ThreadTime> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#worker?.postMessage(task);
    });
  }

  #start(): Worker {
    const worker = new Worker(THREAD);
    worker.on("message", (said: Said) => {
      if (said.type === "line") this.#options.tell?.(said.line);
      else this.#give(said);
    });
    worker.on("error", (error: unknown) => (this.#cause ??= { type: "failed", seed: this.#seed, ...nameOf(error) }));
    // What it said before it ended has been heard by then.
    worker.on("exit", (code) => {
      this.#worker = null;
      const failure = this.#cause ?? { type: "failed", seed: this.#seed, name: "ThreadEnded", message: `its thread ended, with code ${code}` };
      this.#cause = null;
      if (this.#answer !== null) this.#give(failure);
      else this.#late = failure;
    });
    return worker;
  }

  #give(answer: SeedAnswer | ThreadTime): void {
    const give = this.#answer;
    this.#answer = null;
    give?.(answer);
  }
}

function nameOf(error: unknown): { readonly name: string; readonly message: string } {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message };
}
