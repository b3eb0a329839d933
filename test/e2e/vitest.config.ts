import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Where CI wants the results as JSON beside what people read. */
const report = process.env["SYNOD_TEST_REPORT"];

const root = join(import.meta.dirname, "../..");

/** One thing after the other: all share one cluster, and faults of its node are felt by everybody. */
const shared = { root, fileParallelism: false, testTimeout: 300_000, hookTimeout: 300_000 };

// The end-to-end tests. They have a configuration of their own because they need a cluster, which `npm test` must not ask for.
export default defineConfig({
  root,
  test: {
    reporters: report === undefined ? ["verbose"] : ["verbose", "json"],
    ...(report === undefined ? {} : { outputFile: { json: report } }),
    globalSetup: "./test/e2e/support/global-setup.ts",
    projects: [
      // Before all others, which make the kind known to a fresh cluster.
      { extends: true, test: { name: "e2e install", include: ["test/e2e/install.e2e.test.ts"], ...shared, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: { name: "e2e", include: ["test/e2e/*.e2e.test.ts"], exclude: ["test/e2e/install.e2e.test.ts"], ...shared, sequence: { groupOrder: 2 } },
      },
      { extends: true, test: { name: "chaos", include: ["test/e2e/chaos/*.e2e.test.ts"], ...shared, sequence: { groupOrder: 3 } } },
    ],
  },
});
