import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DASHBOARD_FILES, DASHBOARD_FOLDER } from "../../helm/dashboards/files.ts";
import { documentedFamilies } from "../support/metric-families.ts";
import { expressionsOf, type Dashboard, metricsIn, readDashboard } from "./dashboards.ts";

const NAMES = Object.keys(DASHBOARD_FILES);
/** What shows queries; a row only groups. */
const TYPES = ["timeseries", "stat", "state-timeline", "heatmap", "table"];
const DATA_SOURCE = { type: "prometheus", uid: "${datasource}" };

function panelsOf(dashboard: Dashboard): Dashboard["panels"] {
  return dashboard.panels.filter(({ type }) => type !== "row");
}

describe("the dashboards", () => {
  it("are what their sources make, and no other files", () => {
    expect(readdirSync(DASHBOARD_FOLDER).sort()).toEqual([...NAMES].sort());
    for (const name of NAMES) expect(readFileSync(new URL(name, DASHBOARD_FOLDER), "utf8"), `npm run dashboards: ${name}`).toBe(DASHBOARD_FILES[name]);
  });

  it("have uids of their own and no id, which belongs to one Grafana", () => {
    const uids = NAMES.map((name) => readDashboard(name).uid);
    expect(new Set(uids).size).toBe(uids.length);
    for (const name of NAMES) expect(readDashboard(name)).not.toHaveProperty("id");
  });
});

describe.each(NAMES)("the dashboard %s", (name) => {
  const dashboard = readDashboard(name);

  it("is of the classic model's last version, 42", () => {
    expect(dashboard).toMatchObject({ schemaVersion: 42, title: expect.stringMatching(/^Synod \//), tags: ["synod", "paxos"], timezone: "browser" });
  });

  it("numbers its panels once and places them without overlaps within 24 columns", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Set<string>();
    for (const { title, gridPos: { x, y, w, h } } of dashboard.panels) {
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect(taken.has(`${column}:${line}`), `${title} lies on another panel`).toBe(false);
          taken.add(`${column}:${line}`);
        }
      }
    }
  });

  it("gives each panel a title, a description, a type that Grafana has, and queries to the chosen data source", () => {
    const titles = panelsOf(dashboard).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const { title, type, description, datasource, targets = [] } of panelsOf(dashboard)) {
      expect(TYPES, title).toContain(type);
      expect(description, title).toMatch(/\.$/);
      expect(datasource, title).toEqual(DATA_SOURCE);
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      for (const target of targets) {
        expect(target.expr, title).not.toBe("");
        expect(target.datasource, title).toEqual(DATA_SOURCE);
      }
    }
  });

  it("lets people choose the data source first, then what to look at, from that data source", () => {
    const [source, ...others] = dashboard.templating.list;
    expect(source).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
    expect(others.length).toBeGreaterThan(0);
    for (const variable of others) expect(variable).toMatchObject({ type: "query", datasource: DATA_SOURCE, includeAll: true, allValue: ".*" });
  });

  it("uses each variable that it has, and no other", () => {
    const text = JSON.stringify(dashboard);
    const used = new Set([...text.matchAll(/\$\{?([a-z]+)\b/g)].map(([, variable]) => variable));
    expect([...used].sort()).toEqual(dashboard.templating.list.map((variable) => variable.name).sort());
  });

  it("asks for documented metrics only", () => {
    const known = new Set(documentedFamilies(readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8")).map((family) => family.name));
    for (const expr of expressionsOf(dashboard)) {
      for (const metric of metricsIn(expr)) expect(known.has(metric), `${metric} in ${expr}`).toBe(true);
    }
  });
});
