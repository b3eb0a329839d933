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
          testTimeout: 60_000,
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: "process",
          include: processes,
          maxWorkers: 2,
          testTimeout: 240_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { name: "model", include: model, sequence: { groupOrder: 2 } } },
    ],
  },
});
