import { readFileSync } from "node:fs";
import { DASHBOARD_FOLDER } from "../../helm/dashboards/files.ts";

export interface Target {
  readonly expr: string;
  readonly refId: string;
  readonly datasource: object;
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly datasource?: object;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly Target[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly target?: { readonly expr: string } }[] };
}

export function readDashboard(name: string): Dashboard {
  return JSON.parse(readFileSync(new URL(name, DASHBOARD_FOLDER), "utf8")) as Dashboard;
}

export interface NamedExpression {
  /** The panel's or annotation's title. */
  readonly title: string;
  readonly expr: string;
}

/** Every query of a dashboard, those of its annotations included. */
export function queriesOf({ panels, annotations }: Dashboard): NamedExpression[] {
  const ofPanels = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
  const ofAnnotations = annotations.list.flatMap(({ name, target }) => (target === undefined ? [] : [{ title: name, expr: target.expr }]));
  return [...ofPanels, ...ofAnnotations];
}

export function expressionsOf(dashboard: Dashboard): string[] {
  return queriesOf(dashboard).map(({ expr }) => expr);
}

/** The metrics of ours and of the process that a PromQL expression names; a histogram's series count as the histogram. */
export function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:synod|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ""));
}
