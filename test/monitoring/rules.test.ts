import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentedFamilies } from "../support/metric-families.ts";
import { metricsIn } from "./dashboards.ts";
import { readAlerts, RULE_FILES, RULES_FOLDER } from "./rules.ts";
import { findTool } from "./tools.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const RUNBOOKS = join(DOCS, "runbooks");
const ALERTS = RULE_FILES.flatMap(readAlerts);
const PROMTOOL = findTool("promtool");
const UNIT_TESTS = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".rules.yaml"));

describe("the alerts", () => {
  it("have names of their own", () => {
    expect(new Set(ALERTS.map(({ alert }) => alert)).size).toBe(ALERTS.length);
  });

  it("ask for documented metrics only", () => {
    const known = new Set(documentedFamilies(readFileSync(join(DOCS, "metrics.md"), "utf8")).map(({ name }) => name));
    for (const { alert, expr } of ALERTS) {
      expect(metricsIn(expr).length, alert).toBeGreaterThan(0);
      expect(metricsIn(expr).filter((metric) => !known.has(metric)), alert).toEqual([]);
    }
  });

  it("have one runbook each, which the table of runbooks lists with the alert's severity", () => {
    const pages = readdirSync(RUNBOOKS).filter((name) => name !== "README.md").map((name) => name.replace(/\.md$/, ""));
    expect(pages.sort()).toEqual(ALERTS.map(({ alert }) => alert).sort());
    const listed = readFileSync(join(RUNBOOKS, "README.md"), "utf8").matchAll(/^\| \[(\w+)\]\(\w+\.md\) \| (\w+) \|/gm);
    expect([...listed].map(([, alert, severity]) => `${alert} ${severity}`).sort()).toEqual(ALERTS.map(({ alert, labels }) => `${alert} ${labels["severity"]}`).sort());
  });

  it.each(ALERTS.map((alert) => [alert.alert, alert] as const))("%s waits before it wakes anybody, and says what is the case and where to read on", (name, alert) => {
    expect(alert.for).toMatch(/^\d+m$/);
    expect(alert.labels).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
    expect(alert.annotations).toEqual({
      summary: expect.stringMatching(/\S/), description: expect.stringMatching(/\.$/), runbook_url: `https://synod.dev/runbooks/${name}`,
    });
    const page = readFileSync(join(RUNBOOKS, `${name}.md`), "utf8");
    expect(page.match(/^#+ .+$/gm)).toEqual([`# ${name}`, "## Meaning", "## Impact", "## Diagnosis", "## What to do"]);
  });

  it("have links in their runbooks that lead somewhere", () => {
    for (const { alert } of ALERTS) {
      const page = readFileSync(join(RUNBOOKS, `${alert}.md`), "utf8");
      for (const [, path = "", anchor] of page.matchAll(/\]\(([^)#]+)(?:#([^)]+))?\)/g)) {
        const headings = [...readFileSync(join(RUNBOOKS, path), "utf8").matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) => text.toLowerCase().replaceAll(" ", "-"));
        if (anchor !== undefined) expect(headings, `${alert}: ${path}#${anchor}`).toContain(anchor);
      }
    }
  });

  it("have unit tests in which each of them wakes somebody, and does not", () => {
    const text = UNIT_TESTS.map((name) => readFileSync(join(import.meta.dirname, name), "utf8")).join("\n");
    for (const { alert } of ALERTS) {
      expect(text, alert).toMatch(new RegExp(`alertname: ${alert}\\}`));
      expect(text, alert).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts`));
    }
  });
});

describe.skipIf(PROMTOOL === null)("promtool (skipped where it is not installed)", () => {
  const promtool = (...args: string[]): string => execFileSync(PROMTOOL ?? "promtool", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

  it("finds every rule well formed", () => {
    const checked = promtool("check", "rules", "--lint=all", "--lint-fatal", ...RULE_FILES.map((name) => join(RULES_FOLDER, name)));
    expect(checked.match(/SUCCESS: (\d+) rules found/g)).toEqual(RULE_FILES.map((name) => `SUCCESS: ${readAlerts(name).length} rules found`));
  });

  it.each(UNIT_TESTS)("finds that the alerts do what %s says", (name) => {
    expect(promtool("test", "rules", join(import.meta.dirname, name))).toContain("SUCCESS");
  });
});
