import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { measureGap } from "./gap/gap.ts";
import { runJoin } from "./join.ts";
import { LoadProcess } from "./load/process.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import type { GapSeries, Results, Series } from "./report/results.ts";
import { formatResults } from "./report/table.ts";
import { GAP_ROWS, ROWS } from "./rows.ts";
import { runStability } from "./stability.ts";
import { EtcdSystem } from "./systems/etcd.ts";
import { findEtcd } from "./systems/etcd-benchmark.ts";
import { SynodSystem } from "./systems/synod.ts";
import type { Measurement, System } from "./systems/system.ts";

interface Column {
  readonly name: Series["column"];
  readonly measure: System["measure"];
}

const RESULTS_FOLDER = join(import.meta.dirname, "results");
/** Operations of the round that is not counted, which warms both systems up. */
const WARM_UP_PART = 0.5;

const options = parseOptions(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "synod-bench-"));
const load = new LoadProcess(options.profileFolder);
const synod = new SynodSystem({ folder: join(folder, "synod"), load, profileFolder: options.profileFolder });
const systems: System[] = [synod];
let ending: Promise<void> | null = null;

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void end().then(() => process.exit(130)));
try {
  if (options.join) await joined();
  else await (options.stabilityMinutes === null ? compare() : provenStable(options.stabilityMinutes));
} finally {
  await end();
}

async function provenStable(minutes: number): Promise<void> {
  await synod.start();
  process.stdout.write(`${await runStability(synod, load, minutes)}\n`);
}

async function joined(): Promise<void> {
  await synod.start();
  process.stdout.write(`${await runJoin(synod, load, folder)}\n`);
}

async function compare(): Promise<void> {
  if (options.etcd && (await findEtcd())) systems.push(new EtcdSystem(join(folder, "etcd")));
  else say("etcd and its benchmark are not on PATH: only synod is measured");
  for (const system of systems) await system.start();
  const startedAt = new Date().toISOString();
  const series = await measureThroughput(options);
  const memoryMib = Object.fromEntries(systems.map((system) => [system.name, system.memoryMib()]));
  const gaps = await measureGaps(options);
  const verified: Record<string, string> = {};
  for (const system of systems) verified[system.name] = await system.verify();
  report({ startedAt, node: process.version, cores: availableParallelism(), series, gaps, memoryMib, verified });
}

/** Rounds alternate between the columns, so that what else the machine does meets all of them alike. */
async function measureThroughput({ rounds, rows, scale }: BenchOptions): Promise<Series[]> {
  const all: Series[] = [];
  for (const row of ROWS.filter(({ id }) => rows.has(id))) {
    const ops = Math.ceil(row.ops * scale);
    const measured = columns().map((column) => ({ ...column, rounds: [] as Measurement[] }));
    for (const { measure } of measured) await measure(row, Math.ceil(ops * WARM_UP_PART));
    for (let round = 1; round <= rounds; round++) {
      for (const column of measured) {
        const result = await column.measure(row, ops);
        column.rounds.push(result);
        say(`${row.id} ${round}/${rounds} ${column.name}: ${result.opsPerSecond.toFixed(0)}/s, p99 ${result.p99Ms.toFixed(2)} ms`);
      }
    }
    for (const column of measured) all.push({ row: row.id, column: column.name, rounds: column.rounds });
  }
  return all;
}

function columns(): Column[] {
  const byWs = systems.map((system): Column => ({
    name: system.name as Series["column"],
    measure: (row, ops) => system.measure(row, ops),
  }));
  return options.http ? [...byWs, { name: "synod-http", measure: (row, ops) => synod.measureHttp(row, ops) }] : byWs;
}

async function measureGaps({ gapRounds, rows }: BenchOptions): Promise<GapSeries[]> {
  const all: GapSeries[] = [];
  for (const row of GAP_ROWS.filter(({ id }) => rows.has(id))) {
    const measured = systems.map((system) => ({ system, gapsMs: [] as number[] }));
    for (let round = 1; round <= gapRounds; round++) {
      for (const { system, gapsMs } of measured) {
        const gapMs = await measureGap(system, row.signal);
        gapsMs.push(gapMs);
        say(`${row.id} ${round}/${gapRounds} ${system.name}: ${gapMs.toFixed(0)} ms`);
      }
    }
    for (const { system, gapsMs } of measured) all.push({ row: row.id, column: system.name as GapSeries["column"], gapsMs });
  }
  return all;
}

function report(results: Results): void {
  mkdirSync(RESULTS_FOLDER, { recursive: true });
  const file = join(RESULTS_FOLDER, `${results.startedAt.replaceAll(":", "-")}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  process.stdout.write(`\n${formatResults(results)}\nAll rounds: ${file}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function end(): Promise<void> {
  ending ??= (async () => {
    await Promise.allSettled(systems.map((system) => system.stop()));
    await load.stop();
    rmSync(folder, { recursive: true, force: true });
  })();
  return ending;
}
