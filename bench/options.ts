import { Command, InvalidArgumentError } from "commander";
import { GAP_ROWS, ROWS } from "./rows.ts";

export interface BenchOptions {
  /** Rounds of the throughput rows, and of the gaps. */
  readonly rounds: number;
  readonly gapRounds: number;
  /** Operations per round, as a part of what the row says. */
  readonly scale: number;
  readonly rows: ReadonlySet<string>;
  readonly http: boolean;
  readonly etcd: boolean;
  /** Minutes of the run that must see no leader change; null: the other measurements. */
  readonly stabilityMinutes: number | null;
  /** Measure what a joining member costs the writes, instead of the other measurements. */
  readonly join: boolean;
  /** Where the members write CPU profiles when they stop; null: they do not. */
  readonly profileFolder: string | null;
}

interface Flags {
  readonly quick?: true;
  readonly rounds?: number;
  readonly gapRounds?: number;
  readonly only?: string[];
  readonly http: boolean;
  readonly etcd: boolean;
  readonly stability?: number;
  readonly join?: true;
  readonly profile?: string;
}

const IDS = [...ROWS, ...GAP_ROWS].map((row) => row.id);

export function parseOptions(argv: readonly string[]): BenchOptions {
  const program = new Command("bench")
    .description("measure synod, and etcd beside it when etcd and its benchmark are on PATH")
    .option("--quick", "fewer rounds and operations")
    .option("--rounds <count>", "alternating rounds of the throughput rows (default 5)", parsePositive)
    .option("--gap-rounds <count>", "rounds of each gap (default 10)", parsePositive)
    .option("--only <rows>", `some of ${IDS.join(", ")}`, parseRows)
    .option("--no-http", "leave out the HTTP column")
    .option("--no-etcd", "leave out etcd")
    .option("--stability <minutes>", "instead: 1,000 clients with every core busy, and no leader change", parsePositive)
    .option("--join", "instead: a member joins three that hold 200 MiB, under a write load")
    .option("--profile <folder>", "the members write CPU profiles there when they stop");
  const flags = program.parse([...argv], { from: "user" }).opts<Flags>();
  const quick = flags.quick === true;
  return {
    rounds: flags.rounds ?? (quick ? 1 : 5),
    gapRounds: flags.gapRounds ?? (quick ? 2 : 10),
    scale: quick ? 0.25 : 1,
    rows: new Set(flags.only ?? IDS),
    http: flags.http,
    etcd: flags.etcd,
    stabilityMinutes: flags.stability ?? null,
    join: flags.join === true,
    profileFolder: flags.profile ?? null,
  };
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

function parseRows(text: string): string[] {
  const rows = text.split(",").filter((row) => row !== "");
  const unknown = rows.find((row) => !IDS.includes(row));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no row ${unknown}.`);
  return rows;
}
