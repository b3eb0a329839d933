import { expect, it } from "vitest";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readFlags } from "../../src/sim/command/flags.ts";

const MAIN = fileURLToPath(new URL("../../src/sim/main.ts", import.meta.url));

async function sim(parameters: string): Promise<{ failed: boolean; stderr: string }> {
  return new Promise((resolve) => execFile(process.execPath, [MAIN, ...parameters.split(" ")], (error, _, stderr) => resolve({ failed: error !== null, stderr })));
}

it.each([
  ["--seed 4294967296", "It must be at most 4294967295."],
  ["--from 4294967296", "It must be at most 4294967295."],
  ["--from 4294967200 --seeds 97", "the last of 97 seeds from 4294967200 on is above 4294967295, the highest one"],
  ["--spares 100", "there are no more than 9 machines"],
  ["--size 5 --spares 5", "5 members and 5 that may join are more than 9 machines"],
  ["--size 10", "It must be at most 9."],
  ["--seed 3 --seeds 5", "option '--seed <seed>' cannot be used with option '--seeds <count>'"],
])("refuses %s, and says why", async (parameters, why) => {
  const { failed, stderr } = await sim(parameters);
  expect(failed).toBe(true);
  expect(stderr).toContain(why);
});

it("takes the highest seed, and as many machines as there may be", () => {
  expect(readFlags(["node", "sim", "--seed", "4294967295", "--size", "5", "--spares", "4"])).toMatchObject({ seed: 0xffff_ffff, wishes: { size: 5, spares: 4 } });
  expect(readFlags(["node", "sim", "--from", "4294967200", "--seeds", "96", "--limit", "2"])).toMatchObject({ from: 4_294_967_200, seeds: 96, limitMs: 2_000 });
});
