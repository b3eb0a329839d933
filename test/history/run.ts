import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { LocalCluster } from "../../src/local/local-cluster.ts";
import { checkHistory } from "../../src/history/checker.ts";
import { bringFaults, type Fault, FAULTS } from "./faults.ts";
import { HISTORY_FOLDER, HistoryFile, readHistory } from "./history-file.ts";
import { readEveryKey, runLoad } from "./load.ts";
import type { Operation } from "../../src/history/operation.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { describeSummary, describeVerdict, summarise } from "./summary.ts";

const USAGE = `npm run history -- [options]
  --minutes M           how long the load runs (default 1)
  --nodes N             members of the local cluster (default 5)
  --clients C           concurrent clients (default 8)
  --keys K              shared keys (default 5)
  --faults F,...        of ${FAULTS.join(", ")}, or none (default kill,pause,restart)
  --endpoints URL,...   use these members instead of a local cluster; faults are then not brought about
  --out FILE            keep the history in FILE; without it, it is kept in ${HISTORY_FOLDER}/ only if the check fails
  --seed S              of the load and the faults (default: the time)
  --think-ms T          longest pause of a client between operations (default 5)
  --retries R           repeat writes with an Idempotency-Key up to R times (default 0)
  --check FILE          only check a history
Exit code: 0 linearizable, 1 a violation, 2 undecided or nothing shown, 3 the run itself failed.`;

interface RunSettings {
  readonly minutes: number;
  readonly nodes: number;
  readonly clients: number;
  readonly keys: number;
  readonly seed: number;
  readonly thinkMs: number;
  readonly retries: number;
  readonly faults: readonly Fault[];
  readonly endpoints: readonly string[] | undefined;
  readonly out: string | undefined;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "1" }, nodes: { type: "string", default: "5" }, clients: { type: "string", default: "8" },
      keys: { type: "string", default: "5" }, faults: { type: "string", default: "kill,pause,restart" }, endpoints: { type: "string" },
      out: { type: "string" }, seed: { type: "string", default: String(Date.now() % 1_000_000) }, "think-ms": { type: "string", default: "5" },
      retries: { type: "string", default: "0" }, check: { type: "string" }, help: { type: "boolean", default: false },
    },
  });
  if (values.help) return say(USAGE), 0;
  if (values.check !== undefined) return judge(await readHistory(values.check));
  return run({
    minutes: positive("minutes", values.minutes), nodes: positive("nodes", values.nodes), clients: positive("clients", values.clients),
    keys: positive("keys", values.keys), seed: Number(values.seed), thinkMs: Number(values["think-ms"]), retries: Number(values.retries),
    faults: parseFaults(values.faults), endpoints: values.endpoints?.split(","), out: values.out,
  });
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new RangeError(`--${name} must be a number above 0`);
}

function parseFaults(text: string): Fault[] {
  const names = text === "none" || text === "" ? [] : text.split(",");
  return names.map((name) => {
    const fault = FAULTS.find((known) => known === name);
    if (fault === undefined) throw new RangeError(`--faults knows ${FAULTS.join(", ")}, not ${name}`);
    return fault;
  });
}

async function run(settings: RunSettings): Promise<number> {
  const file = settings.out === undefined ? HistoryFile.named("run") : new HistoryFile(settings.out);
  const operations: Operation[] = [];
  const record = (operation: Operation): void => {
    operations.push(operation);
    file.write(operation);
  };
  say(`seed ${settings.seed}`);
  const stopped = new AbortController();
  process.once("SIGINT", () => stopped.abort());
  try {
    if (settings.endpoints !== undefined) await loadOutside(settings, settings.endpoints, record, stopped.signal);
    else await loadLocalCluster(settings, record, stopped.signal);
  } finally {
    await file.close();
    say(`history: ${file.path}`);
  }
  const code = judge(operations);
  if (code === 0 && settings.out === undefined) {
    file.remove();
    say("history removed, as it passed; --out FILE keeps it");
  }
  return code;
}

type Record = (operation: Operation) => void;

function loadOptions({ clients, keys, seed, thinkMs, retries }: RunSettings, endpoints: () => readonly string[], onOperation: Record) {
  return { endpoints, clients, keys, seed, thinkMs, retries, onOperation, prefix: `h${seed}-${Date.now().toString(36)}-` };
}

async function loadOutside(settings: RunSettings, endpoints: readonly string[], record: Record, signal: AbortSignal): Promise<void> {
  const options = loadOptions(settings, () => endpoints, record);
  await runLoad({ ...options, durationMs: settings.minutes * 60_000, signal });
  await readEveryKey(options);
}

/** Runs the load on a cluster of this machine under faults. Its folder is kept when anything fails, and deleted otherwise. */
async function loadLocalCluster(settings: RunSettings, record: Record, stopped: AbortSignal): Promise<void> {
  const folder = join(HISTORY_FOLDER, `cluster-${process.pid}`);
  const cluster = new LocalCluster({ nodes: settings.nodes, folder, fresh: true, report: say });
  const random = new SeededRandom(settings.seed);
  try {
    await cluster.startAll();
    await cluster.waitForLeader(30_000);
    const options = loadOptions(settings, () => cluster.list().map(({ url }) => url), record);
    await loadUnderFaults(settings, cluster, random, options, stopped);
    await cluster.waitForLeader(30_000);
    await readEveryKey(options);
  } finally {
    await cluster.shutdown();
  }
  rmSync(folder, { recursive: true, force: true });
}

/** The load goes on until the last fault has been made good, so that it also meets the members that have just come back. */
async function loadUnderFaults(
  settings: RunSettings, target: LocalCluster, random: SeededRandom, options: ReturnType<typeof loadOptions>, stopped: AbortSignal,
): Promise<void> {
  const over = AbortSignal.any([stopped, AbortSignal.timeout(settings.minutes * 60_000)]);
  const loadOver = new AbortController();
  const load = runLoad({ ...options, signal: loadOver.signal });
  try {
    const faults = bringFaults({ target, faults: settings.faults, random, signal: over, report: say });
    const ended = settings.faults.length > 0 ? faults : pause(settings.minutes * 60_000, undefined, { signal: over }).catch(() => undefined);
    // A load that rejects ends the wait; one that resolves cannot come first.
    await Promise.race([ended, load]);
  } finally {
    loadOver.abort();
    await load;
  }
}

function judge(operations: readonly Operation[]): number {
  const summary = summarise(operations);
  for (const line of describeSummary(summary)) say(line);
  const verdict = checkHistory(operations);
  for (const line of describeVerdict(verdict)) say(line);
  if (verdict.verdict === "violation") return 1;
  if (summary.writes === 0) say("no write was acknowledged: the history shows nothing");
  return verdict.verdict === "ok" && summary.writes > 0 ? 0 : 2;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  return 3;
});
