import type { SimulationReport } from "../simulation.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const BAR_WIDTH = 24;

/** Adds up what many runs reported. */
export class Tally {
  #seeds = 0;
  #simulatedMs = 0;
  #operations = 0;
  #messages = 0;
  #events = 0;
  #fingerprint = 0;
  readonly #faults = new Map<string, number>();
  readonly #reached = new Map<string, number>();

  /** Tells what the runs came to, in whatever order they did. */
  get fingerprint(): number {
    return this.#fingerprint;
  }

  get simulatedMs(): number {
    return this.#simulatedMs;
  }

  get seeds(): number {
    return this.#seeds;
  }

  /** Faults that no run drew. */
  get never(): string[] {
    return [...this.#faults].filter(([, count]) => count === 0).map(([fault]) => fault);
  }

  add(report: SimulationReport): void {
    this.#seeds += 1;
    this.#simulatedMs += report.simulatedMs;
    this.#operations += report.operations;
    this.#messages += report.messages;
    this.#events += report.events;
    this.#fingerprint = (this.#fingerprint ^ report.fingerprint) >>> 0;
    for (const [fault, count] of Object.entries(report.faults)) this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + count);
    for (const [what, count] of report.reached) this.#reached.set(what, (this.#reached.get(what) ?? 0) + count);
  }

  /** One line while it goes on; `part` of all is done. */
  progress(part: number, realMs: number): string {
    const filled = Math.round(Math.min(1, part) * BAR_WIDTH);
    return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] ${this.#seeds} seeds, ${this.#pace(realMs)}`;
  }

  /** What all runs came to. */
  summary(realMs: number): string[] {
    const perSecond = (count: number): string => Math.round(count / (realMs / SECOND_MS)).toLocaleString("en");
    return [
      `${this.#seeds} seeds: ${this.#pace(realMs)}`,
      `per real second: ${perSecond(this.#operations)} operations, ${perSecond(this.#messages)} messages, ${perSecond(this.#events)} events`,
      `per simulated second: ${(this.#operations / (this.#simulatedMs / SECOND_MS)).toFixed(0)} operations`,
      `faults: ${list(this.#faults)}`,
      ...[...groups(this.#reached)].map(([kind, counts]) => `${kind}s: ${list(counts)}`),
    ];
  }

  #pace(realMs: number): string {
    const hours = this.#simulatedMs / HOUR_MS;
    const minutes = realMs / (60 * SECOND_MS);
    return `${hours.toFixed(2)} simulated hours, ${(hours / minutes).toFixed(2)} a minute, ${(this.#simulatedMs / realMs).toFixed(0)} simulated seconds per second`;
  }
}

/** "message accept" and "message promise" belong together. */
function groups(counts: ReadonlyMap<string, number>): Map<string, Map<string, number>> {
  const byKind = new Map<string, Map<string, number>>();
  for (const [what, count] of counts) {
    const [kind = "", name = ""] = what.split(" ");
    if (!byKind.has(kind)) byKind.set(kind, new Map());
    byKind.get(kind)?.set(name, count);
  }
  return byKind;
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].sort(([left, a], [right, b]) => b - a || left.localeCompare(right)).map(([name, count]) => `${name} ${count}`).join(", ");
}
