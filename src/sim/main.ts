import { failureKind } from "./command/failure-kind.ts";
import { readFlags, replayCommand, type Flags } from "./command/flags.ts";
import { Progress } from "./command/progress.ts";
import { search } from "./command/search.ts";
import { DOES_NOT_END, SeedThread, usualLimitMs } from "./command/seed-thread.ts";
import { shrink } from "./command/shrink.ts";
import { storyEnd } from "./command/story-end.ts";
import { Tally } from "./command/tally.ts";
import type { SearchFailure } from "./command/thread.ts";
import type { TimeByPart } from "./command/time-profile.ts";
import type { Wishes } from "./plan.ts";
import type { SimulationReport } from "./simulation.ts";

const SECOND_MS = 1_000;
/** How long a smaller run is looked for at the most. */
const SHRINK_MS = 5 * 60_000;
/** What is kept of a story: more than any run that ends has. */
const MOST_STORY_LINES = 200_000;

const flags = readFlags(process.argv);
// Whoever reads the story may have read enough.
process.stdout.on("error", () => process.exit());
process.exitCode = await (flags.seed === undefined ? searchSeeds(flags) : replay(flags, flags.seed));

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function replay({ wishes, limitMs = usualLimitMs(wishes) }: Flags, seed: number): Promise<number> {
  const thread = new SeedThread({ limitMs, tell: say });
  const answer = await thread.live(seed, wishes, true);
  await thread.stop();
  say(answer.type === "fine" ? `seed ${seed} is fine: ${describe(answer.report)}` : `seed ${seed} FAILED: ${answer.name}: ${answer.message}`);
  return answer.type === "fine" ? 0 : 1;
}

async function searchSeeds({ seeds, from, minutes, jobs, wishes, limitMs = usualLimitMs(wishes) }: Flags): Promise<number> {
  const startedMs = performance.now();
  const lasts = minutes === undefined ? Infinity : minutes * 60_000;
  const passedMs = (): number => performance.now() - startedMs;
  const most = minutes === undefined ? seeds : Infinity;
  const progress = new Progress({
    isTerminal: process.stdout.isTTY, nowMs: passedMs, part: (sofar) => Math.max(sofar.seeds / most, passedMs() / lasts), write: (text) => process.stdout.write(text),
  });
  const tally = new Tally();
  // Also while no seed comes to its end.
  const timer = setInterval(() => progress.show(tally), SECOND_MS);
  const { failure, time, cpuMs } = await search({ from, seeds: most, untilMs: lasts, jobs: Math.min(jobs, most), wishes, limitMs, nowMs: passedMs, tally });
  clearInterval(timer);
  progress.end();
  if (tally.seeds > 0) tellSpeed(tally, passedMs(), time, cpuMs);
  if (failure !== null) return tellFailure(failure, wishes, limitMs);
  say(tally.seeds === 0 ? "no seed came to its end in that time" : `the seeds from ${from} to ${from + tally.seeds - 1} are fine`);
  return 0;
}

function tellSpeed(tally: Tally, realMs: number, time: TimeByPart, cpuMs: number): void {
  tally.summary(realMs).forEach(say);
  // A thread that ended by itself does not tell what it took.
  if (cpuMs > 0) say(`on one core: ${(tally.simulatedMs / cpuMs).toFixed(0)} simulated seconds per second of the threads' processor time`);
  if (time.size > 0) say(`where the time goes: ${describeTime(time)}`);
}

/** Makes the failing run smaller, and tells the end of what is left of it. */
async function tellFailure({ seed, name, message }: SearchFailure, wishes: Wishes, limitMs: number): Promise<number> {
  say(`\nseed ${seed} FAILED: ${name}: ${firstLine(message)}\nit is replayed by: ${replayCommand(seed, wishes)}`);
  let story: string[] = [];
  const tell = (line: string): void => {
    if (story.length === MOST_STORY_LINES) story = story.slice(MOST_STORY_LINES / 2);
    story.push(line);
  };
  const thread = new SeedThread({ limitMs, tell });
  const smaller = name === DOES_NOT_END ? keepAsItIs(wishes) : await makeSmaller(thread, seed, wishes);
  story = [];
  const end = await thread.live(seed, smaller, true);
  await thread.stop();
  const clients = end.type === "fine" ? [] : (end.clients ?? []);
  say(`the end of its story:\n${storyEnd(story, clients).join("\n")}`);
  say(`${end.type === "fine" ? "it is fine" : `${end.name}: ${firstLine(end.message)}`}\nthe whole story: ${replayCommand(seed, smaller)}`);
  return 1;
}

function firstLine(text: string): string {
  return text.split("\n", 1).join();
}

function keepAsItIs(wishes: Wishes): Wishes {
  say("it is not made smaller: every attempt would take as long");
  return wishes;
}

async function makeSmaller(thread: SeedThread, seed: number, wishes: Wishes): Promise<Wishes> {
  say("looking for a smaller run that fails so too …");
  const untilMs = performance.now() + SHRINK_MS;
  const smaller = await shrink(seed, wishes, async (tried) => {
    if (performance.now() > untilMs) return null;
    const answer = await thread.live(seed, tried);
    return answer.type === "failed" ? failureKind(answer) : null;
  });
  if (smaller === wishes) say("there is none: nothing can be left out");
  return smaller;
}

function describe({ size, simulatedMs, events, messages, operations, acknowledged }: SimulationReport): string {
  return `${size} members, ${(simulatedMs / 1_000).toFixed(1)} s, ${events} events, ${messages} messages, ${operations} operations, ${acknowledged} acknowledged writes`;
}

function describeTime(time: TimeByPart): string {
  const total = [...time.values()].reduce((sum, us) => sum + us, 0);
  return [...time].sort(([, a], [, b]) => b - a).map(([part, us]) => `${part} ${((100 * us) / total).toFixed(0)} %`).join(", ");
}
