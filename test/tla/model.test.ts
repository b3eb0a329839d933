import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/** What `docs/tla/check.ts` exits with where there is no Java, or no checker and no way to fetch it. */
const CANNOT_RUN = 77;
/** Only against hanging: it takes a few minutes on two cores of its own, and took 44 on two that a dozen other programs used. */
const MODEL_MS = 60 * 60_000;

const FOLDER = join(import.meta.dirname, "../../docs/tla");
const NAMES = readdirSync(FOLDER).filter((file) => file.endsWith(".cfg")).map((file) => file.slice(0, -".cfg".length));
/** The mistakes that must be planted: rules 1, 2, 3, 5a and both traces of rule 16. */
const DEMANDED = ["plant-1", "plant-2", "plant-3", "plant-5a", "plant-16a", "plant-16b"];
/** Each mistake is found with the constants of one of these. */
const SOUND = ["sound", "sound-one-slot", "sound-plain"];

it("holds as built, and violates Agreement with each planted mistake", { timeout: MODEL_MS }, async ({ skip }) => {
  expect(NAMES).toEqual(expect.arrayContaining([...DEMANDED, ...SOUND]));
  const check = spawn(process.execPath, [join(FOLDER, "check.ts")], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  check.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const [code] = (await once(check, "close")) as [number | null];
  skip(code === CANNOT_RUN, output.trim());

  for (const name of NAMES) {
    const verdict = name.startsWith("plant-") ? "violates Agreement in \\d+ states" : "holds";
    expect(output).toMatch(new RegExp(`^ok {3}${name}: ${verdict}; \\d+ states, [1-9]\\d* distinct, depth [1-9]\\d*,`, "mu"));
  }
  expect(output).toContain("model: all as it should be");
  expect(code).toBe(0);
});
