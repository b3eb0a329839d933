import { DATA_SOURCE, type Panel } from "./panel.ts";

/** The last version of the classic dashboard model: what files and the sidecar can provision, in every Grafana from 12 on. */
const SCHEMA_VERSION = 42;

const COLUMNS = 24;

/** A row of the dashboard: its panels flow from left to right in lines of one height. */
export interface Section {
  readonly title: string;
  /** In units of the grid. */
  readonly height: number;
  readonly width: number;
  readonly panels: readonly Panel[];
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  /** A metric and a label of it, whose values are offered. */
  readonly query: string;
}

export interface Annotation {
  readonly name: string;
  readonly expr: string;
  readonly text: string;
}

export interface DashboardParts {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  readonly sections: readonly Section[];
}

/** A dashboard in Grafana's classic model, as it is imported from a file. */
export function dashboard({ uid, title, description, variables, annotations, sections }: DashboardParts): object {
  return {
    uid, title, description,
    tags: ["synod", "paxos"],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    fiscalYearStartMonth: 0,
    graphTooltip: 1,
    links: [],
    preload: false,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timepicker: {},
    timezone: "browser",
    weekStart: "",
    annotations: { list: [builtInAnnotation(), ...annotations.map(annotationOf)] },
    templating: { list: [dataSourceVariable(), ...variables.map(variableOf)] },
    panels: place(sections),
  };
}

function place(sections: readonly Section[]): object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, height, width, panels } of sections) {
    placed.push({ id: placed.length + 1, type: "row", title, collapsed: false, gridPos: { x: 0, y, w: COLUMNS, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    for (const panel of panels) {
      if (x + width > COLUMNS) {
        x = 0;
        y += height;
      }
      placed.push({ id: placed.length + 1, gridPos: { x, y, w: width, h: height }, ...panel });
      x += width;
    }
    y += height;
  }
  return placed;
}

function dataSourceVariable(): object {
  return {
    name: "datasource", label: "Data source", type: "datasource", query: "prometheus", hide: 0, includeAll: false, multi: false,
    options: [], refresh: 1, regex: "",
  };
}

/** "All" is `.*`, so that series without the label are shown too. */
function variableOf({ name, label, query }: Variable): object {
  return {
    name, label, type: "query", datasource: DATA_SOURCE, hide: 0, includeAll: true, allValue: ".*", multi: false,
    current: { text: "All", value: "$__all" }, options: [], refresh: 2, regex: "", sort: 1,
    query: { qryType: 5, query, refId: "PrometheusVariableQueryEditor-VariableQuery" },
  };
}

function builtInAnnotation(): object {
  return {
    name: "Annotations & Alerts", builtIn: 1, type: "dashboard", datasource: { type: "grafana", uid: "-- Grafana --" }, enable: true, hide: true,
    iconColor: "rgba(0, 211, 255, 1)",
  };
}

function annotationOf({ name, expr, text }: Annotation): object {
  return {
    name, datasource: DATA_SOURCE, enable: true, hide: false, iconColor: "orange", textFormat: text, titleFormat: name, useValueForTime: false,
    target: { refId: "Anno", expr, interval: "15s" },
  };
}
