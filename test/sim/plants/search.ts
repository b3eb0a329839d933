import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MOST_SEEDS } from "./plant.ts";
import { PLANTS } from "./plants.ts";
import { traceTable } from "./table.ts";

/** What a search found of one plant: a seed, or the scenarios that fail with it, or where there are none the tests of the file that it names. */
export interface Finding {
  readonly seed: number | null;
  readonly checker: string;
  readonly scenarios: readonly string[];
  readonly tests?: readonly string[];
}

const FILE = `${import.meta.dirname}/findings.json`;
const VITEST = `${import.meta.dirname}/../../../node_modules/vitest/vitest.mjs`;
const PAGE = `${import.meta.dirname}/../../../docs/plants.md`;

export function readFindings(): Record<string, Finding> {
  return JSON.parse(readFileSync(FILE, "utf8")) as Record<string, Finding>;
}

/** Lives through seeds from `from` on with one bug planted, until one fails. Null: none did. */
export async function findSeed(name: string, from: number, count: number): Promise<{ seed: number; checker: string; violation: string } | null> {
  return await probe([name, "seeds", String(from), String(count)]) as { seed: number; checker: string; violation: string } | null;
}

/** The scenarios that fail with the bug. */
export async function failingScenarios(name: string): Promise<string[]> {
  return await probe([name, "scenarios"]) as string[];
}

/** The tests of a file under `test` that fail with the bug. */
export async function failingTests(name: string, file: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "synod-plant-"));
  const report = join(folder, "report.json");
  await node([VITEST, "run", "--config", `${import.meta.dirname}/planted.config.ts`, "--reporter=json", `--outputFile=${report}`, file], { ...process.env, SYNOD_PLANT: name });
  const { testResults } = JSON.parse(await readFile(report, "utf8")) as { testResults: { assertionResults: { title: string; status: string }[] }[] };
  await rm(folder, { recursive: true });
  return testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ status }) => status === "failed").map(({ title }) => title));
}

async function probe(parameters: readonly string[]): Promise<unknown> {
  const { code, said } = await node([`${import.meta.dirname}/probe.ts`, ...parameters], process.env);
  if (code !== 0) throw new Error(`${parameters.join(" ")} ended with ${code}`);
  return JSON.parse(said);
}

async function node(parameters: readonly string[], env: NodeJS.ProcessEnv): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", "inherit"], env });
  let said = "";
  child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const [code] = await once(child, "close") as [number | null];
  return { code, said };
}

/** The documentation's page, up to its table, which is its end. */
function pageBeforeTable(): string {
  return readFileSync(PAGE, "utf8").split("| Rule | Trace |")[0] ?? "";
}

export function writeFindings(findings: Readonly<Record<string, Finding>>): void {
  writeFileSync(FILE, `${JSON.stringify(findings, null, 2)}\n`);
  writeFileSync(PAGE, `${pageBeforeTable()}${traceTable(findings)}`);
}

/** `node test/sim/plants/search.ts [NAME …]`: the first seed that finds each plant, written down for the test to replay and for people to read. */
async function main(names: readonly string[], most: number): Promise<void> {
  const findings = readFindings();
  for (const { name, rule, test } of PLANTS.filter((plant) => names.length === 0 || names.includes(plant.name))) {
    const found = await findSeed(name, 1, most);
    const scenarios = found === null ? await failingScenarios(name) : [];
    const tests = found === null && scenarios.length === 0 && test !== undefined ? await failingTests(name, test) : [];
    findings[name] = { seed: found?.seed ?? null, checker: found?.checker ?? (tests.length > 0 ? "test" : "scenario"), scenarios, ...(tests.length > 0 ? { tests } : {}) };
    writeFindings(findings);
    const without = `no seed; scenarios: ${scenarios.join(", ")}; tests: ${tests.join(", ")}`;
    process.stdout.write(`${name} (rule ${rule}): ${found === null ? without : `seed ${found.seed}, ${found.checker}: ${found.violation}`}\n`);
  }
}

if (import.meta.main) await main(process.argv.slice(2), Number(process.env["SYNOD_PLANT_SEEDS"] ?? MOST_SEEDS));
