import { readFlags, replayCommand, type Flags } from "./command/flags.ts";
import { search, type SearchFailure } from "./command/search.ts";
import { shrink } from "./command/shrink.ts";
import { live } from "./command/thread.ts";
import type { TimeByPart } from "./command/time-profile.ts";
import type { Wishes } from "./plan.ts";
import { settle } from "./settle.ts";
import { simulate, type SimulationReport } from "./simulation.ts";

const STORY_LINES = 30;

const flags = readFlags(process.argv);
// Whoever reads the story may have read enough.
process.stdout.on("error", () => process.exit());
process.exitCode = await (flags.seed === undefined ? searchSeeds(flags) : replay(flags.seed, flags.wishes));

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function replay(seed: number, wishes: Wishes): Promise<number> {
  try {
    const report = await simulate({ seed, settle, wishes, tell: say });
    say(`seed ${seed} is fine: ${describe(report)}`);
    return 0;
  } catch (error) {
    say(`seed ${seed} FAILED: ${String(error)}`);
    return 1;
  }
}

async function searchSeeds({ seeds, from, minutes, jobs, wishes }: Flags): Promise<number> {
  const startedMs = performance.now();
  const lasts = minutes === undefined ? Infinity : minutes * 60_000;
  const passedMs = (): number => performance.now() - startedMs;
  const most = minutes === undefined ? seeds : Infinity;
  const { tally, failure, time, cpuMs } = await search({
    from, seeds: most, untilMs: lasts, jobs: Math.min(jobs, most), wishes, nowMs: passedMs,
    progress: (sofar) => {
      if (process.stdout.isTTY) process.stdout.write(`\r${sofar.progress(Math.max(sofar.seeds / most, passedMs() / lasts), passedMs())}   `);
    },
  });
  if (process.stdout.isTTY) say("");
  if (tally.seeds > 0) tally.summary(passedMs()).forEach(say);
  say(`on one core: ${(tally.simulatedMs / cpuMs).toFixed(0)} simulated seconds per second of the threads' processor time`);
  say(`where the time goes: ${describeTime(time)}`);
  if (failure !== null) return tellFailure(failure, wishes);
  say(`the seeds from ${from} to ${from + tally.seeds - 1} are fine`);
  return 0;
}

/** Makes the failing run smaller, and tells the end of what is left of it. */
async function tellFailure({ seed, name, message }: SearchFailure, wishes: Wishes): Promise<number> {
  say(`\nseed ${seed} FAILED: ${name}: ${message}\nit is replayed by: ${replayCommand(seed, wishes)}\nlooking for a smaller run that fails so too …`);
  const smaller = await shrink(seed, wishes, async (tried) => {
    const answer = await live({ seed, wishes: tried });
    return answer.type === "failed" ? answer.name : null;
  });
  const story: string[] = [];
  const end = await simulate({ seed, settle, wishes: smaller, tell: (line) => story.push(line) }).then(() => "it is fine", String);
  say(`the end of its story:\n${story.slice(-STORY_LINES).join("\n")}\n${end}\nthe whole story: ${replayCommand(seed, smaller)}`);
  return 1;
}

function describe({ size, simulatedMs, events, messages, operations, acknowledged }: SimulationReport): string {
  return `${size} members, ${(simulatedMs / 1_000).toFixed(1)} s, ${events} events, ${messages} messages, ${operations} operations, ${acknowledged} acknowledged writes`;
}

function describeTime(time: TimeByPart): string {
  const total = [...time.values()].reduce((sum, us) => sum + us, 0);
  return [...time].sort(([, a], [, b]) => b - a).map(([part, us]) => `${part} ${((100 * us) / total).toFixed(0)} %`).join(", ");
}
