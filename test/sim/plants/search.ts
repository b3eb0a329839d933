import { spawn } from "node:child_process";
import { once } from "node:events";
import { MOST_SEEDS, type Plant } from "./plant.ts";
import { PLANTS } from "./plants.ts";

// `search.ts [NAME …]`: for each plant the first seed that finds it, within MOST_SEEDS. SYNOD_PLANT_SEEDS asks for fewer.
const most = Number(process.env["SYNOD_PLANT_SEEDS"] ?? MOST_SEEDS);
const wanted = process.argv.slice(2);
for (const plant of PLANTS) if (wanted.length === 0 || wanted.includes(plant.name)) process.stdout.write(`${await row(plant)}\n`);

async function row({ name, rule }: Plant): Promise<string> {
  const found = await probe([name, "seeds", "1", String(most)]) as { seed: number; checker: string; violation: string } | null;
  if (found !== null) return `| ${name} | ${rule} | ${found.seed} | ${found.checker} | ${found.violation} |`;
  const failed = await probe([name, "scenarios"]) as string[];
  return `| ${name} | ${rule} | not found | – | scenarios: ${failed.join(", ")} |`;
}

async function probe(parameters: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [`${import.meta.dirname}/probe.ts`, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const [code] = await once(child, "close") as [number];
  if (code !== 0) throw new Error(`${parameters[0]} ended with ${code}`);
  return JSON.parse(said);
}
