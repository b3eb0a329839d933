import type { Dashboard, NamedExpression } from "./dashboards.ts";
import { queriesOf } from "./dashboards.ts";
import { type FiringAlert, type Prometheus, RATE_INTERVAL, type Sample } from "./prometheus.ts";

/** What is chosen at the top of a dashboard. */
export interface Choice {
  readonly namespace: string;
  readonly cluster: string;
}

/** A dashboard as Grafana would show it of a Prometheus. */
export class Shown {
  readonly #prometheus: Prometheus;
  readonly #choice: Choice;
  readonly queries: readonly NamedExpression[];
  /** Queries that have had no data so far. */
  readonly #blank: Set<NamedExpression>;

  constructor(prometheus: Prometheus, dashboard: Dashboard, choice: Choice) {
    this.#prometheus = prometheus;
    this.#choice = choice;
    this.queries = queriesOf(dashboard);
    this.#blank = new Set(this.queries);
  }

  /** The panel's first query now. */
  panel(title: string): Promise<Sample[]> {
    const query = this.queries.find((one) => one.title === title);
    if (query === undefined) throw new RangeError(`no panel ${title}`);
    return this.#ask(query);
  }

  /** Asks all that were blank so far. Resolves with the titles of those that have shown nothing yet. */
  async blankSoFar(): Promise<string[]> {
    await Promise.all([...this.#blank].map(async (query) => {
      if ((await this.#ask(query)).some(({ value }) => !Number.isNaN(value))) this.#blank.delete(query);
    }));
    return [...this.#blank].map(({ title }) => title);
  }

  #ask({ expr }: NamedExpression): Promise<Sample[]> {
    const { namespace, cluster } = this.#choice;
    return this.#prometheus.query(expr.replaceAll("$__rate_interval", RATE_INTERVAL).replaceAll("$namespace", namespace).replaceAll("$cluster", cluster));
  }
}

/** The values of one label, sorted. */
export function labelsOf(samples: readonly Sample[], label: string): string[] {
  return samples.map(({ labels }) => labels[label] ?? "").sort();
}

/** How fast a machine is that runs tests beside other things says nothing of the program. */
const OF_THE_MACHINE = ["SynodCommitSlow", "SynodFsyncSlow"];

/** What fires, as "Name" or "Name/whom", sorted and each once, but for the alerts about slowness. */
export function namesOfFiring(alerts: readonly FiringAlert[]): string[] {
  const named = alerts.filter(({ name }) => !OF_THE_MACHINE.includes(name)).map(({ name, labels }) => {
    const whom = labels["peer"] ?? labels["pod"];
    return whom === undefined ? name : `${name}/${whom}`;
  });
  return [...new Set(named)].sort();
}
