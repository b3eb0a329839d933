import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { FAULTS } from "../../../src/sim/plan.ts";
import type { Patch } from "../plants/plant.ts";

const MAIN = fileURLToPath(new URL("../../../src/sim/main.ts", import.meta.url));
const PLANTED = new URL("./planted.ts", import.meta.url).href;
/** A life with so little in it that nothing can be left out of it. */
const SMALL = `--size 1 --spares 0 --trouble 0.1 --clients 1 --sessions 0 --keys 1 --rate 1 --lasting whole --without ${["network", ...FAULTS].join()}`;
/** What every member does soon after its start. */
const CAMPAIGN = '    this.#outbox.emit({ type: "campaignStarted", ballot });\n';

/** Something planted where members begin to campaign. */
function atCampaign(planted: string): Patch {
  return { file: "paxos/core.ts", replace: CAMPAIGN, by: `${CAMPAIGN}    ${planted}\n` };
}

/** Runs the simulator's command with something planted. */
async function sim(patch: Patch, parameters: string, nodeFlags: readonly string[] = []): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [...nodeFlags, "--import", PLANTED, MAIN, ...parameters.split(" ")], {
    env: { ...process.env, SYNOD_PLANTED: JSON.stringify([patch]) }, stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const [code] = await once(child, "close") as [number | null];
  return { code, said };
}

it.each([
  { what: "throws", planted: 'throw new Error("planted");', failure: "Error: planted" },
  { what: "rejects a promise that nobody follows", planted: 'void Promise.reject(new Error("nobody catches this"));', failure: "Error: nobody catches this" },
  { what: "throws where nobody catches", planted: 'setImmediate(() => { throw new Error("thrown later"); });', failure: "Error: thrown later" },
  { what: "ends its process", planted: "process.exit(3);", failure: "ThreadEnded: its thread ended, with code 3" },
])("a seed that $what is told, and how to replay it", async ({ planted, failure }) => {
  const { code, said } = await sim(atCampaign(planted), `--from 7 --seeds 4 --jobs 1 ${SMALL}`);
  expect(said).toContain(`seed 7 FAILED: ${failure}\nit is replayed by: npm run sim -- --seed 7 `);
  expect(said).toMatch(/the end of its story:\n(.*\n)+.*the whole story: npm run sim -- --seed 7 /);
  expect(code).toBe(1);
  const replayed = await sim(atCampaign(planted), `--seed 7 ${SMALL}`);
  expect(replayed.said).toContain(`seed 7 FAILED: ${failure}`);
  expect(replayed.said).toContain("1 starts");
  expect(replayed.code).toBe(1);
});

it("a seed that needs more memory than there is is told, and how to replay it", async () => {
  const { code, said } = await sim(atCampaign("for (const held = []; ; ) held.push({ held });"), `--from 7 --seeds 1 --jobs 1 ${SMALL}`, ["--max-old-space-size=64"]);
  expect(said).toContain("seed 7 FAILED: ");
  expect(said).toContain("memory");
  expect(said).toContain("it is replayed by: npm run sim -- --seed 7 ");
  expect(code).toBe(1);
});

it("a seed that does not end is given up after its time, with its story so far", async () => {
  const { code, said } = await sim(atCampaign("for (;;);"), `--from 7 --seeds 4 --jobs 1 --limit 3 ${SMALL}`);
  expect(said).toContain("seed 7 FAILED: DoesNotEnd: does not end: it was given up after 3 s\nit is replayed by: npm run sim -- --seed 7 ");
  expect(said).toContain("it is not made smaller");
  expect(said).toContain("1 starts");
  expect(code).toBe(1);
});

it("a failure that clients saw is told with what they did", async () => {
  const blind = { file: "sim/clients.ts", replace: "  if (record === null) return", by: "  if (record !== undefined) return" };
  const { code, said } = await sim(blind, `--from 7 --seeds 1 --jobs 1 ${SMALL.replace("--rate 1", "--rate 50")}`);
  expect(said).toContain("seed 7 FAILED: NotLinearizable: what the clients saw is not linearizable: key k0: ");
  const [, story = ""] = said.split("the end of its story:\n");
  expect(story).toMatch(/^[\d.]+ client \d+ begins: write k0=v[\d.]+/m);
  expect(story).toMatch(/^[\d.]+ client \d+ ends: read k0: there is none \(member 1, begun at [\d.]+\)/m);
  const times = story.split("\n").filter((line) => /^\d+\.\d{3} /.test(line)).map((line) => Number.parseFloat(line));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(code).toBe(1);
});
