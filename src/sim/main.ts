import { Command, InvalidArgumentError } from "commander";
import { settle } from "./settle.ts";
import { simulate, type SimulationReport } from "./simulation.ts";

interface Flags {
  readonly seed?: number;
  readonly seeds: number;
  readonly from: number;
  readonly minutes?: number;
}

const flags = new Command("sim")
  .description("live through a cluster's life in one thread, with everything that can go wrong, and check that nothing unsafe happens")
  .option("--seed <seed>", "replay one seed and print its story", parseCount)
  .option("--seeds <count>", "how many seeds to search", parseCount, 100)
  .option("--from <seed>", "the first of them", parseCount, 1)
  .option("--minutes <minutes>", "instead of a number of seeds: how long to search", parseCount)
  .parse(process.argv)
  .opts<Flags>();

// Whoever reads the story may have read enough.
process.stdout.on("error", () => process.exit());
process.exitCode = await (flags.seed === undefined ? search(flags) : replay(flags.seed));

async function replay(seed: number): Promise<number> {
  try {
    const report = await simulate({ seed, settle, tell: (line) => process.stdout.write(`${line}\n`) });
    process.stdout.write(`seed ${seed} is fine: ${describe(report)}\n`);
    return 0;
  } catch (error) {
    process.stdout.write(`seed ${seed} FAILED: ${String(error)}\n`);
    return 1;
  }
}

async function search({ seeds, from, minutes }: Flags): Promise<number> {
  const startedMs = performance.now();
  const totals = new Map<string, number>();
  let [simulatedMs, done] = [0, 0];
  const goesOn = (): boolean => (minutes === undefined ? done < seeds : performance.now() - startedMs < minutes * 60_000);
  for (let seed = from; goesOn(); seed++, done++) {
    try {
      const report = await simulate({ seed, settle });
      simulatedMs += report.simulatedMs;
      for (const [what, count] of [...Object.entries(report.faults), ...report.reached]) totals.set(what, (totals.get(what) ?? 0) + count);
    } catch (error) {
      process.stdout.write(`\nseed ${seed} FAILED: ${String(error)}\nits story: npm run sim -- --seed ${seed}\n`);
      return 1;
    }
    if (process.stdout.isTTY) process.stdout.write(`\r${done + 1} seeds, ${speed(simulatedMs, startedMs)}   `);
  }
  process.stdout.write(`\n${done} seeds from ${from} on are fine: ${speed(simulatedMs, startedMs)}\n`);
  process.stdout.write(`${[...totals].map(([what, count]) => `${what} ${count}`).join(", ")}\n`);
  return 0;
}

function describe({ size, simulatedMs, events, messages, operations, acknowledged }: SimulationReport): string {
  return `${size} members, ${(simulatedMs / 1_000).toFixed(1)} s, ${events} events, ${messages} messages, ${operations} operations, ${acknowledged} acknowledged writes`;
}

function speed(simulatedMs: number, startedMs: number): string {
  const seconds = (performance.now() - startedMs) / 1_000;
  return `${(simulatedMs / 3_600_000).toFixed(2)} simulated hours, ${(simulatedMs / 1_000 / seconds).toFixed(0)} simulated seconds per second`;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number above 0.");
  return value;
}
