import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadYaml } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { CHART, HAS_HELM, type Manifest, render } from "../chart/helm.ts";
import { RULE_FILES } from "./rules.ts";

/** By their names, which end in the file's. */
function withEnd(objects: readonly Manifest[], kind: string, end: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name.endsWith(`-${end}`));
  if (found === undefined) throw new RangeError(`no ${kind} …-${end}`);
  return found;
}

describe.skipIf(!HAS_HELM)("the chart (skipped where there is no helm)", () => {
  const objects = HAS_HELM ? render({ values: { metrics: { prometheusRule: { enabled: true } } } }) : [];

  it.each(RULE_FILES)("carries %s as it is, templates for Prometheus included", (name) => {
    const rules = withEnd(objects, "PrometheusRule", name.replace(/\.yaml$/, ""));
    expect(rules["spec"]).toEqual(loadYaml(readFileSync(join(CHART, "files/rules", name), "utf8")));
  });

  it.each(readdirSync(join(CHART, "files/dashboards")))("carries the dashboard %s byte for byte", (name) => {
    const { data } = withEnd(objects, "ConfigMap", `dashboard-${name.replace(/\.json$/, "")}`);
    expect(data).toEqual({ [name]: readFileSync(join(CHART, "files/dashboards", name), "utf8") });
  });
});
