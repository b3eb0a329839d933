import { SNAPSHOT_PART_BYTES } from "../node/snapshot-server.ts";
import type { Limits } from "../paxos/interface.ts";
import { MAX_SCENARIO_MEMBERS } from "../scenario/names.ts";
import { SeededRandom } from "../scenario/seeded-random.ts";
import { DEFAULT_STATE_LIMITS, type StateLimits } from "../state/limits.ts";
import type { NetworkFaults } from "./network.ts";
import { SHAPES, type Shape } from "./partitions.ts";

/** What can go wrong with machines, disks and links, and what clients do to it, each begun with a rate of its own. */
export const FAULTS = [
  "kill", "powerLoss", "pause", "clockStep", "cutOneWay", "cutBothWays", "partition", "relay", "breakLink", "slowDisk", "hungDisk", "fullDisk", "failedSync",
  "bitFlip", "lostDisk", "transfer", "burst", "change", "crashLoop", "flap", "changeTwice", "replace", "restoredDisk", "lull",
] as const;
/** Faults that draw from streams of their own, so that they change nothing in runs without them: those that were added last. */
export const LATER_FAULTS: ReadonlySet<Fault> = new Set(["flap", "changeTwice", "replace", "restoredDisk", "lull"]);
export type Fault = (typeof FAULTS)[number];

/** Seeds are numbers of 32 bits: a higher one would draw what a lower one does. */
export const LAST_SEED = 0xffff_ffff;

/** What goes on in one run and what goes wrong in it: all that is drawn from its seed before it begins. */
export interface Plan {
  /** Voters that the cluster is founded with, and machines that may join later. */
  readonly size: number;
  readonly spares: number;
  /** How long things go wrong, in simulated milliseconds. */
  readonly troubleMs: number;
  readonly clients: number;
  /** So many more write under sessions. */
  readonly sessions: number;
  readonly keys: number;
  /** How long a client thinks before it begins its next operation, on the average. */
  readonly pauseMs: number;
  /** The same for those that write under sessions. */
  readonly sessionPauseMs: number;
  /** How long a client waits for an answer before it goes on without one. */
  readonly patienceMs: number;
  /** How often each fault begins, per simulated second. */
  readonly faults: Readonly<Record<Fault, number>>;
  /** How long a fault lasts, on the average. */
  readonly meanTroubleMs: number;
  /** What still goes wrong when a quorum is healed. */
  readonly lasting: Shape;
  /** What becomes of one disk then. */
  readonly lastingDisk: "works" | "full" | "hung";
  /** Nobody writes around the time at which a quorum heals. */
  readonly quiet: boolean;
  readonly network: NetworkFaults;
  readonly syncMs: number;
  /** How much faster than the world's each machine's clock runs. */
  readonly clockRates: readonly number[];
  readonly limits: Pick<Limits, "retainedLogBytes" | "maxMessageBytes" | "maxUnchosenBytes">;
  /** How many sessions there may be, for how long and with how many results. An idempotency key that ends may be executed again, so those are as they ship. */
  readonly stateLimits: StateLimits;
  readonly segmentBytes: number;
  readonly snapshotBytes: number;
  /** A snapshot goes to a peer in parts of so many bytes. */
  readonly snapshotPartBytes: number;
}

/** What is asked for instead of what the seed says. */
export interface Wishes extends Partial<Pick<Plan, "size" | "spares" | "troubleMs" | "clients" | "sessions" | "keys" | "lasting">> {
  /** Operations that all clients, those with sessions too, begin per simulated second, about; bursts come on top. */
  readonly perSecond?: number;
  /** Faults that do not happen. */
  readonly without?: readonly (Fault | "network")[];
}

export const NO_NETWORK_FAULTS: NetworkFaults = { latencyMs: 0.2, jitterMs: 1, loss: 0, repetition: 0, reordering: 0, lateness: 0 };

/** Some runs have none of a kind of fault, some a few and some many: a bug that needs one kind alone is not hidden by the others. */
export function drawPlan(seed: number, wishes: Wishes = {}): Plan {
  const random = new SeededRandom(seed ^ 0x5bd1e995);
  const rate = (usual: number): number => usual * random.pick([0, 0, 1, 3, 10]);
  const part = (most: number): number => random.pick([0, 0, most * random.next()]);
  const perSecond = random.pick([20, 20, 50, 200]);
  const drift = random.pick([0, 0, 0.001, 0.05]);
  const drawn: Omit<Plan, "pauseMs"> = {
    size: random.pick([1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7, 9]),
    spares: random.pick([0, 0, 1, 2, 4]),
    troubleMs: 20_000,
    clients: random.pick([2, 4, 8, 16]),
    sessions: 0,
    keys: random.integer(1, 4),
    sessionPauseMs: 60,
    patienceMs: random.pick([300, 2_000, 10_000]),
    faults: {
      kill: rate(0.1), powerLoss: rate(0.1), pause: rate(0.1), clockStep: rate(0.03), cutOneWay: rate(0.1), cutBothWays: rate(0.1),
      partition: rate(0.2), relay: rate(0.1), breakLink: rate(0.3), slowDisk: rate(0.1), hungDisk: rate(0.03), fullDisk: rate(0.02), failedSync: rate(0.1),
      bitFlip: random.pick([0, 0, 0, 0.1]), lostDisk: random.pick([0, 0, 0, 0.1]), transfer: rate(0.2), burst: rate(0.3), change: rate(0.2), crashLoop: 0,
      flap: 0, changeTwice: 0, replace: 0, restoredDisk: 0, lull: 0,
    },
    meanTroubleMs: random.pick([300, 1_000, 1_000, 3_000]),
    lasting: random.pick([...SHAPES, "hub", "bridge"]),
    lastingDisk: "works",
    quiet: false,
    network: {
      latencyMs: random.pick([0.05, 0.5, 5]), jitterMs: random.pick([0.5, 5, 50]), loss: part(0.1), repetition: part(0.1), reordering: part(0.3),
      lateness: random.pick([0, 0, 0.003, 0.03]),
    },
    syncMs: random.pick([0.2, 2, 20]),
    clockRates: Array.from({ length: 9 }, () => 1 + drift * (2 * random.next() - 1)),
    limits: {
      retainedLogBytes: random.pick([0, 0, 2_000, 1_000_000]),
      maxMessageBytes: random.pick([500, 100_000]),
      maxUnchosenBytes: random.pick([4_000, 16_000_000]),
    },
    stateLimits: drawStateLimits(seed),
    snapshotPartBytes: new SeededRandom(seed ^ 0x510e527f).pick([SNAPSHOT_PART_BYTES, SNAPSHOT_PART_BYTES, 2_000, 300]),
    segmentBytes: random.pick([8_192, 65_536]),
    snapshotBytes: perSecond * random.pick([25, 100, 1_000, 50_000]),
  };
  const most = random.pick([0.3, 0.7, 1.5]) * Math.ceil(drawn.size / 3);
  const crashLoop = random.pick([0, 0, 0, 0.1, 0.3]);
  const sessions = random.pick([0, 0, 1, 3]);
  const pauseMs = (drawn.clients / perSecond) * 1_000;
  return wish({ ...drawn, ...drawLastingDisk(seed), pauseMs, sessions, faults: { ...bounded(drawn, most), crashLoop, ...drawLaterFaults(seed) } }, wishes);
}

/** Drawn by themselves, so that what else a seed leads to is as it was without them. */
function drawLaterFaults(seed: number): Pick<Plan["faults"], "flap" | "changeTwice" | "replace" | "restoredDisk" | "lull"> {
  const random = new SeededRandom(seed ^ 0x3c6ef372);
  return {
    flap: random.pick([0, 0, 0.1, 0.5]), changeTwice: random.pick([0, 0, 0, 0.1, 0.3]), replace: random.pick([0, 1]), restoredDisk: random.pick([0, 0, 0.2]),
    lull: random.pick([0, 0, 0, 0.1]),
  };
}

/** Half of the runs have the limits that ship, which no run reaches. */
function drawStateLimits(seed: number): StateLimits {
  const random = new SeededRandom(seed ^ 0x6a09e667);
  if (random.chance(0.5)) return DEFAULT_STATE_LIMITS;
  const sessionWindow = random.pick([2, 4, 1_024]);
  return {
    ...DEFAULT_STATE_LIMITS, sessionWindow,
    maxSessions: random.pick([1, 2, 100]), sessionIdleMs: random.pick([500, 2_000, 3_600_000]), maxSessionResults: random.pick([sessionWindow, 10_000]),
  };
}

/** With a disk that does not work most partitions leave no quorum, so that often it is all that lasts. */
function drawLastingDisk(seed: number): Partial<Plan> {
  const random = new SeededRandom(seed ^ 0x78dde6e4);
  const lastingDisk = random.pick(["works", "works", "full", "hung"] as const);
  return { lastingDisk, quiet: random.chance(0.3), ...(lastingDisk !== "works" && random.chance(0.6) ? { lasting: "whole" as const } : {}) };
}

/** Faults that keep a machine or its links from working for a while. */
const LASTING: readonly Fault[] = ["kill", "powerLoss", "pause", "cutOneWay", "cutBothWays", "partition", "slowDisk", "hungDisk", "fullDisk"];

/** All rates, made lower where more than `most` machines would be in trouble at once on the average: a cluster that never works shows little. */
function bounded({ faults, meanTroubleMs }: Pick<Plan, "faults" | "meanTroubleMs">, most: number): Plan["faults"] {
  const atOnce = LASTING.reduce((sum, fault) => sum + faults[fault], 0) * (meanTroubleMs / 1_000);
  if (atOnce <= most) return faults;
  const scaled = LASTING.map((fault) => [fault, faults[fault] * (most / atOnce)]);
  return { ...faults, ...Object.fromEntries(scaled) as Partial<Plan["faults"]> };
}

function wish(drawn: Plan, { without = [], perSecond, ...wishes }: Wishes): Plan {
  const faults = { ...drawn.faults };
  for (const fault of without) if (fault !== "network") faults[fault] = 0;
  const { latencyMs, jitterMs } = drawn.network;
  const network = without.includes("network") ? { ...NO_NETWORK_FAULTS, latencyMs, jitterMs } : drawn.network;
  const given = Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined));
  const lastingDisk = without.includes(`${drawn.lastingDisk}Disk` as Fault) ? "works" : drawn.lastingDisk;
  const plan = { ...drawn, faults, network, lastingDisk, ...given };
  return { ...plan, ...(perSecond === undefined ? {} : evenPauses(plan, perSecond)), spares: Math.min(plan.spares, MAX_SCENARIO_MEMBERS - plan.size) };
}

/** Operations that clients begin per simulated second, on the average. */
export function operationsPerSecond({ clients, sessions, pauseMs, sessionPauseMs }: Plan): number {
  return 1_000 * (clients / pauseMs + sessions / sessionPauseMs);
}

/** All clients alike begin so many operations per second together. */
function evenPauses({ clients, sessions }: Pick<Plan, "clients" | "sessions">, perSecond: number): Pick<Plan, "pauseMs" | "sessionPauseMs"> {
  const pauseMs = ((clients + sessions) / perSecond) * 1_000;
  return { pauseMs, sessionPauseMs: pauseMs };
}
