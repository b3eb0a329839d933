import { join, relative, resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { patched } from "./plant.ts";
import { PLANTS } from "./plants.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const plant = PLANTS.find(({ name }) => name === process.env["SYNOD_PLANT"]);
if (plant === undefined) throw new Error("SYNOD_PLANT names no plant");

// Tests with one bug planted in what they test.
export default defineConfig({
  root: ROOT,
  plugins: [{
    name: "plant",
    enforce: "pre",
    transform: (source, id) => patched(source, plant.patches.filter(({ file }) => file === relative(join(ROOT, "src"), id))),
  }],
  test: { include: ["test/**/*.test.ts"], testTimeout: 120_000 },
});
