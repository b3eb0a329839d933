import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Where CI wants the results as JSON beside what people read. */
const report = process.env["SYNOD_TEST_REPORT"];

/** Tests that start processes of their own. */
const processes = ["test/process/**/*.test.ts", "test/**/*.process.test.ts"];

/** The test of the TLA+ model keeps all cores busy for minutes. */
const model = ["test/tla/**/*.test.ts"];

/** Tests on a real Kubernetes: `npm run test:e2e`, see test/e2e/vitest.config.ts. */
const endToEnd = ["test/e2e/**/*.e2e.test.ts"];

/** Only what hangs takes as long: a machine may be many times slower than another, or busy with something else. */
const HANGS_MS = 4 * 60_000;

// The tests on real processes share the machine with what they start, so they run after the rest, and no more than two files at once.
export default defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", "json"],
    ...(report === undefined ? {} : { outputFile: { json: report } }),
    projects: [
      // Two at least, also on two cores: the simulator's search for fresh seeds takes minutes on one of them.
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...processes, ...model, ...endToEnd],
          testTimeout: HANGS_MS,
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: "process",
          include: processes,
          maxWorkers: 2,
          testTimeout: HANGS_MS,
          hookTimeout: HANGS_MS,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { name: "model", include: model, sequence: { groupOrder: 2 } } },
    ],
  },
});
