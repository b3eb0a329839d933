import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { LedgerJob, LedgerResult, LoadJob, LoadResult } from "./job.ts";

/** The load generator, a process of its own so that it shares no event loop with anything that is measured. */
export class LoadProcess {
  readonly #child: ChildProcess;

  /** `profileFolder`: where it writes a CPU profile when it stops, to see that it is not what is being measured. */
  constructor(profileFolder: string | null) {
    const execArgv = profileFolder === null ? [] : ["--cpu-prof", "--cpu-prof-dir", profileFolder, "--cpu-prof-name", "load.cpuprofile"];
    this.#child = fork(join(import.meta.dirname, "main.ts"), [], { execArgv });
  }

  load(job: Omit<LoadJob, "type">): Promise<LoadResult> {
    return this.#ask({ type: "load", ...job }) as Promise<LoadResult>;
  }

  ledger(): Promise<LedgerResult> {
    return this.#ask({ type: "ledger" }) as Promise<LedgerResult>;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }

  async #ask(job: LoadJob | LedgerJob): Promise<LoadResult | LedgerResult> {
    const answered = once(this.#child, "message");
    this.#child.send(job);
    const [answer] = (await answered) as [{ result?: LoadResult | LedgerResult; error?: string }];
    if (answer.result === undefined) throw new Error(`The load generator failed: ${answer.error}`);
    return answer.result;
  }
}
