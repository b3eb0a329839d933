/** A panel without its place and number, which the dashboard gives it. Fields are those of Grafana's classic dashboard model. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly [field: string]: unknown;
}

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Look {
  /** Grafana's name of the unit, "short" by default. */
  readonly unit?: string;
  readonly description: string;
}

/** Whatever data source the person chose at the top of the dashboard. */
export const DATA_SOURCE = Object.freeze({ type: "prometheus", uid: "${datasource}" });

const QUIET_LEGEND = { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] };

function targets(queries: readonly Query[], extra: Readonly<Record<string, unknown>> = {}): readonly object[] {
  return queries.map(({ expr, legend }, index) => ({
    datasource: DATA_SOURCE, editorMode: "code", expr, legendFormat: legend, range: true, refId: String.fromCharCode(65 + index), ...extra,
  }));
}

/** Lines over time. */
export function lines(title: string, queries: readonly Query[], { unit = "short", description }: Look): Panel {
  return {
    type: "timeseries", title, description, datasource: DATA_SOURCE, targets: targets(queries),
    fieldConfig: {
      defaults: {
        unit, min: 0, color: { mode: "palette-classic" },
        custom: { drawStyle: "line", lineWidth: 1, fillOpacity: 10, showPoints: "never", spanNulls: false },
      },
      overrides: [],
    },
    options: { legend: QUIET_LEGEND, tooltip: { mode: "multi", sort: "desc" } },
  };
}

/** Stacked bars over time, for things that happen now and then. */
export function bars(title: string, queries: readonly Query[], { unit = "short", description }: Look): Panel {
  return {
    type: "timeseries", title, description, datasource: DATA_SOURCE, targets: targets(queries),
    fieldConfig: {
      defaults: {
        unit, min: 0, color: { mode: "palette-classic" },
        custom: { drawStyle: "bars", lineWidth: 0, fillOpacity: 80, showPoints: "never", stacking: { mode: "normal", group: "A" } },
      },
      overrides: [],
    },
    options: { legend: QUIET_LEGEND, tooltip: { mode: "multi", sort: "desc" } },
  };
}

/** The last value, large. `name`: the name of the series instead. */
export function figure(title: string, query: Query, { unit = "short", description, name = false }: Look & { readonly name?: boolean }): Panel {
  return {
    type: "stat", title, description, datasource: DATA_SOURCE, targets: targets([query]),
    fieldConfig: { defaults: { unit, color: { mode: "fixed", fixedColor: "text" } }, overrides: [] },
    options: {
      colorMode: "value", graphMode: "none", justifyMode: "auto", orientation: "auto", textMode: name ? "name" : "value", wideLayout: true,
      reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    },
  };
}

export interface State {
  readonly value: number;
  readonly text: string;
  readonly color: string;
}

/** What each of several things was at what time. */
export function states(title: string, queries: readonly Query[], shown: readonly State[], { description }: Look): Panel {
  const options = Object.fromEntries(shown.map(({ value, text, color }, index) => [String(value), { text, color, index }]));
  return {
    type: "state-timeline", title, description, datasource: DATA_SOURCE, targets: targets(queries),
    fieldConfig: {
      defaults: { color: { mode: "fixed", fixedColor: "text" }, mappings: [{ type: "value", options }], custom: { fillOpacity: 80, lineWidth: 0 } },
      overrides: [],
    },
    options: { mergeValues: true, showValue: "never", alignValue: "left", rowHeight: 0.8, legend: QUIET_LEGEND, tooltip: { mode: "single", sort: "none" } },
  };
}

/** How values spread over the buckets of a histogram, over time. `expr` sums by `le`. */
export function heat(title: string, expr: string, { unit = "s", description }: Look): Panel {
  return {
    type: "heatmap", title, description, datasource: DATA_SOURCE, targets: targets([{ expr, legend: "{{le}}" }], { format: "heatmap" }),
    fieldConfig: { defaults: { custom: { hideFrom: { legend: false, tooltip: false, viz: false }, scaleDistribution: { type: "linear" } } }, overrides: [] },
    options: {
      calculate: false, cellGap: 1, color: { mode: "scheme", scheme: "Oranges", exponent: 0.5, fill: "dark-orange", scale: "exponential", reverse: false, steps: 64 },
      filterValues: { le: 1e-9 }, rowsFrame: { layout: "auto" }, yAxis: { axisPlacement: "left", unit, reverse: false },
      legend: { show: true }, tooltip: { mode: "single", yHistogram: false, showColorScale: false }, exemplars: { color: "rgba(255,0,255,0.7)" },
    },
  };
}

/** The series of an instant as rows, with these labels as columns. */
export function table(title: string, expr: string, columns: readonly string[], { description }: Look): Panel {
  return {
    type: "table", title, description, datasource: DATA_SOURCE,
    targets: targets([{ expr, legend: "" }], { format: "table", instant: true, range: false }),
    fieldConfig: { defaults: { custom: { align: "auto", cellOptions: { type: "auto" } } }, overrides: [] },
    options: { cellHeight: "sm", showHeader: true },
    transformations: [{ id: "filterFieldsByName", options: { include: { names: columns } } }],
  };
}
