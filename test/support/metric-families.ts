export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  /** Names of the labels that its series have, sorted, without those of a histogram's buckets. */
  readonly labels: readonly string[];
}

/** The families of a scrape in Prometheus' text format, by name. */
export function familiesOf(text: string): Map<string, MetricFamily> {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]));
  const labels = new Map<string, Set<string>>();
  for (const [, series = "", inside = ""] of text.matchAll(/^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? \S+$/gim)) {
    const family = types.has(series) ? series : series.replace(/_(bucket|sum|count)$/, "");
    const known = labels.get(family) ?? new Set();
    for (const [, label = ""] of inside.matchAll(/([a-z_]+)="/gi)) if (label !== "le") known.add(label);
    labels.set(family, known);
  }
  return new Map([...types].map(([name, type]) => [name, { name, type, labels: [...(labels.get(name) ?? [])].sort() }]));
}

/** The rows of the tables of docs/metrics.md. */
export function documentedFamilies(markdown: string): MetricFamily[] {
  const rows = markdown.matchAll(/^\| `([a-z][a-z0-9_]*)` \| (gauge|counter|histogram) \|([^|]*)\|/gm);
  return [...rows].map(([, name = "", type = "", labels = ""]) => ({
    name, type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label).sort(),
  }));
}
