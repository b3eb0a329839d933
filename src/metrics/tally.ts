import { Counter, type Registry } from "prom-client";
import { assert } from "../codec/assert.ts";

/** One series of a `Tally`: adding to it costs an addition, so it may be used per request. */
export class TallySeries {
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(count = 1): void {
    this.#total += count;
  }
}

/** A counter whose series are plain numbers until somebody scrapes them. */
export class Tally<Label extends string> {
  readonly #labelNames: readonly Label[];
  readonly #series = new Map<string, { readonly values: readonly string[]; readonly series: TallySeries }>();

  constructor(registry: Registry, name: string, help: string, labelNames: readonly Label[]) {
    this.#labelNames = labelNames;
    const report = (counter: Counter<Label>): void => this.#report(counter);
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect(): void {
        report(this);
      },
    });
  }

  /** The series with these label values, in the order of the label names. It appears in a scrape from now on. */
  series(...values: readonly string[]): TallySeries {
    assert(values.length === this.#labelNames.length, `a label value is missing: ${values.join(", ")}`);
    const key = values.join("\0");
    const found = this.#series.get(key);
    if (found !== undefined) return found.series;
    const series = new TallySeries();
    this.#series.set(key, { values, series });
    return series;
  }

  #report(counter: Counter<Label>): void {
    counter.reset();
    for (const { values, series } of this.#series.values()) {
      const labels: Partial<Record<Label, string>> = {};
      this.#labelNames.forEach((name, index) => (labels[name] = values[index] as string));
      counter.inc(labels, series.total);
    }
  }
}
