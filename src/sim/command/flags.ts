import { availableParallelism } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { SHAPES, type Shape } from "../partitions.ts";
import { FAULTS, type Fault, LAST_SEED, type Wishes } from "../plan.ts";

export interface Flags {
  readonly seed?: number;
  readonly seeds: number;
  readonly from: number;
  readonly minutes?: number;
  readonly jobs: number;
  /** How long a seed may take by the clock on the wall, in milliseconds. */
  readonly limitMs?: number;
  readonly wishes: Wishes;
}

type Raw = Omit<Flags, "wishes" | "limitMs"> & {
  readonly limit?: number;
  readonly size?: number;
  readonly spares?: number;
  readonly trouble?: number;
  readonly clients?: number;
  readonly sessions?: number;
  readonly keys?: number;
  readonly rate?: number;
  readonly lasting?: Shape;
  readonly without?: Wishes["without"];
};

const MOST_MEMBERS = 9;
const MS = 1_000;

/** Reads what was asked for on the command line. */
export function readFlags(argv: readonly string[]): Flags {
  const command = new Command("sim")
    .description("live through clusters' lives in one thread each, with everything that can go wrong, and check that nothing unsafe happens")
    .addOption(new Option("--seed <seed>", "replay one seed and print its story").argParser(parseSeed).conflicts(["seeds", "from", "minutes", "jobs"]))
    .option("--seeds <count>", "how many seeds to search", parseCount, 100)
    .option("--from <seed>", "the first of them", parseSeed, 1)
    .option("--minutes <minutes>", "instead of a number of seeds: how long to search", parsePositive)
    .option("--jobs <count>", "how many seeds at once, each in a thread of its own", parseCount, availableParallelism())
    .option("--limit <seconds>", "after how long, by the clock on the wall, a seed is said not to end", parsePositive)
    .option("--size <members>", "instead of what the seed draws: how many members", parseSize)
    .option("--spares <machines>", `instead of what the seed draws: how many machines may join, as far as there are no more than ${MOST_MEMBERS} with the members`, parseSpares)
    .option("--trouble <seconds>", "instead of 20: how long things go wrong", parsePositive)
    .option("--clients <count>", "instead of what the seed draws: how many clients", parseCount)
    .option("--sessions <count>", "instead of what the seed draws: how many more clients with sessions", parseNatural)
    .option("--keys <count>", "instead of what the seed draws: how many keys", parseCount)
    .option("--rate <count>", "instead of what the seed draws: operations that all clients together begin per simulated second, about", parseCount)
    .option("--lasting <shape>", `instead of what the seed draws: what still lasts when a quorum heals: ${SHAPES.join(", ")}`, parseShape)
    .option("--without <faults>", `without some of: ${["network", ...FAULTS].join(",")}`, parseFaults)
    .parse(argv);
  const raw = command.opts<Raw>();
  const { seed, seeds, from, minutes, jobs, limit, size, spares, trouble, clients, sessions, keys, rate, lasting, without } = raw;
  if (minutes === undefined && from + seeds - 1 > LAST_SEED) command.error(`error: the last of ${seeds} seeds from ${from} on is above ${LAST_SEED}, the highest one`);
  if ((size ?? 1) + (spares ?? 0) > MOST_MEMBERS) command.error(`error: ${size} members and ${spares} that may join are more than ${MOST_MEMBERS} machines`);
  const wishes = given({ size, spares, troubleMs: trouble === undefined ? undefined : trouble * MS, clients, sessions, keys, perSecond: rate, lasting, without });
  return { seeds, from, jobs, wishes, ...given({ seed, minutes, limitMs: limit === undefined ? undefined : limit * MS }) };
}

/** The command that replays a seed with these wishes. */
export function replayCommand(seed: number, { size, spares, troubleMs, clients, sessions, keys, perSecond, lasting, without }: Wishes): string {
  const flags = given({
    size, spares, trouble: troubleMs === undefined ? undefined : troubleMs / MS, clients, sessions, keys, rate: perSecond, lasting,
    without: without === undefined || without.length === 0 ? undefined : without.join(),
  });
  return [`npm run sim -- --seed ${seed}`, ...Object.entries(flags).map(([name, value]) => `--${name} ${value}`)].join(" ");
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number above 0.");
  return value;
}

function parseSeed(text: string): number {
  const value = parseCount(text);
  if (value > LAST_SEED) throw new InvalidArgumentError(`It must be at most ${LAST_SEED}.`);
  return value;
}

function parseSpares(text: string): number {
  const value = parseNatural(text);
  if (value >= MOST_MEMBERS) throw new InvalidArgumentError(`It must be below ${MOST_MEMBERS}: there are no more than ${MOST_MEMBERS} machines, members included.`);
  return value;
}

function parseNatural(text: string): number {
  return text === "0" ? 0 : parseCount(text);
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

function parseSize(text: string): number {
  const value = parseCount(text);
  if (value > MOST_MEMBERS) throw new InvalidArgumentError(`It must be at most ${MOST_MEMBERS}.`);
  return value;
}

function parseShape(text: string): Shape {
  const shape = SHAPES.find((known) => known === text);
  if (shape === undefined) throw new InvalidArgumentError(`It must be one of ${SHAPES.join(", ")}.`);
  return shape;
}

function parseFaults(text: string): NonNullable<Wishes["without"]> {
  const known: readonly (Fault | "network")[] = ["network", ...FAULTS];
  return text.split(",").map((name) => {
    const fault = known.find((candidate) => candidate === name);
    if (fault === undefined) throw new InvalidArgumentError(`${name} is none of ${known.join(", ")}.`);
    return fault;
  });
}
