import { readdirSync, readFileSync } from "node:fs";
import { plantBug } from "./loader.ts";
import { HARMLESS, PLANTS } from "./plants.ts";

// A process with one bug planted in it: `probe.ts NAME seeds FROM COUNT` lives through seeds until one fails, `probe.ts NAME scenarios`
// plays all scenarios. Says what it found as one line of JSON. Nothing from src may be loaded before the bug is planted.
const [name, mode, from, count] = process.argv.slice(2);
const plant = [...PLANTS, ...HARMLESS].find((known) => known.name === name);
if (plant === undefined) throw new Error(`there is no plant ${name}`);
const missing = plantBug(plant);
const found = mode === "scenarios" ? await playAll() : await search(Number(from), Number(count));
// Scenarios know no storage; a plant there changes nothing for them.
if (missing.size > 0 && mode !== "scenarios") throw new Error(`never loaded: ${[...missing].join()}`);
process.stdout.write(`${JSON.stringify(found)}\n`);

async function search(first: number, seeds: number): Promise<{ seed: number; checker: string; violation: string } | null> {
  const { simulate } = await import("../../../src/sim/simulation.ts");
  const { settle } = await import("../../../src/sim/settle.ts");
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      await simulate({ seed, settle });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { seed, checker: error.name, violation: error.message.split("\n").slice(0, 2).join(" ") };
    }
  }
  return null;
}

async function playAll(): Promise<string[]> {
  const { playScenario } = await import("../../../src/scenario/player.ts");
  const folder = new URL("../../scenarios/", import.meta.url);
  const scripts = readdirSync(folder).filter((file) => file.endsWith(".txt")).sort();
  return scripts.filter((script) => {
    try {
      return playScenario(readFileSync(new URL(script, folder), "utf8")).failure !== null;
    } catch {
      return true;
    }
  });
}
