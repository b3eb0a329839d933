import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { Machine } from "./machine.ts";
import type { Network, NetworkFaults } from "./network.ts";
import type { World } from "./world.ts";

/** What can go wrong with machines and links, each begun with a rate of its own. */
export const FAULTS = ["kill", "powerLoss", "pause", "isolate", "cutOneWay", "cutBothWays", "breakLink", "slowDisk", "transfer"] as const;
export type Fault = (typeof FAULTS)[number];

/** What goes wrong in one run, drawn from its seed. */
export interface FaultPlan {
  /** How often each fault begins, per simulated second. */
  readonly perSecond: Readonly<Record<Fault, number>>;
  readonly network: NetworkFaults;
  readonly syncMs: number;
  /** Largest difference of a clock's speed from the right one, as a part of it. */
  readonly clockDrift: number;
}

export const NO_NETWORK_FAULTS: NetworkFaults = { latencyMs: 0.2, jitterMs: 1, loss: 0, repetition: 0, reordering: 0 };

/** Some runs have none of a kind of fault, some a few and some many: a bug that needs one kind alone is not hidden by the others. */
export function drawPlan(random: SeededRandom): FaultPlan {
  const rate = (usual: number): number => usual * random.pick([0, 0, 1, 3, 10]);
  const part = (most: number): number => random.pick([0, 0, most * random.next()]);
  return {
    perSecond: {
      kill: rate(0.1), powerLoss: rate(0.1), pause: rate(0.1), isolate: rate(0.1), cutOneWay: rate(0.1), cutBothWays: rate(0.1),
      breakLink: rate(0.3), slowDisk: rate(0.1), transfer: rate(0.2),
    },
    network: { latencyMs: random.pick([0.05, 0.5, 5]), jitterMs: random.pick([0.5, 5, 50]), loss: part(0.1), repetition: part(0.1), reordering: part(0.3) },
    syncMs: random.pick([0.2, 2, 20]),
    clockDrift: random.pick([0, 0, 0.001, 0.05]),
  };
}

const MEAN_TROUBLE_MS = 1_000;

/** Makes things go wrong as planned, and right again. */
export class Faults {
  /** How often each fault was begun. */
  readonly drawn: Record<Fault, number> = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #machines: readonly Machine[];
  readonly #network: () => Network;
  readonly #plan: FaultPlan;
  readonly #tell: (line: string) => void;
  readonly #slow = new Set<number>();
  #calm = false;

  constructor(parts: {
    readonly world: World; readonly machines: readonly Machine[]; readonly network: () => Network; readonly plan: FaultPlan; readonly tell: (line: string) => void;
  }) {
    this.#world = parts.world;
    this.#random = parts.world.random.fork();
    this.#machines = parts.machines;
    this.#network = parts.network;
    this.#plan = parts.plan;
    this.#tell = parts.tell;
  }

  get network(): NetworkFaults {
    return this.#calm ? NO_NETWORK_FAULTS : this.#plan.network;
  }

  /** How long a sync takes on a machine now. */
  syncMs(machine: number): number {
    if (this.#calm) return 0.5;
    return this.#plan.syncMs * (0.5 + this.#random.next()) * (this.#slow.has(machine) ? 300 : 1);
  }

  start(): void {
    for (const fault of FAULTS) if (this.#plan.perSecond[fault] > 0) this.#later(fault);
  }

  /** Everything works from now on: every machine runs, every path is open. */
  heal(): void {
    this.#calm = true;
    this.#slow.clear();
    this.#tell("everything heals");
    this.#network().heal();
    for (const machine of this.#machines) {
      machine.resume();
      if (!machine.running) machine.start();
    }
  }

  #later(fault: Fault): void {
    this.#world.after((-Math.log(1 - this.#random.next()) * 1_000) / this.#plan.perSecond[fault], () => {
      if (this.#calm) return;
      this.#begin(fault, this.#victim());
      this.#later(fault);
    });
  }

  /** Often the leader, or somebody who takes itself for one: that is where trouble does most harm. */
  #victim(): Machine {
    const leaders = this.#machines.filter(({ member }) => member?.status().role === "leader");
    return leaders.length > 0 && this.#random.chance(0.5) ? this.#random.pick(leaders) : this.#random.pick(this.#machines);
  }

  /** Something that ends again after a while, unless everything has healed by then. */
  #forAWhile(end: () => void): void {
    this.#world.after(-Math.log(1 - this.#random.next()) * MEAN_TROUBLE_MS, () => {
      if (!this.#calm) end();
    });
  }

  #begin(fault: Fault, machine: Machine): void {
    const { number } = machine;
    const other = this.#random.pick(this.#machines).number;
    this.drawn[fault] += 1;
    this.#tell(`fault: ${fault} of ${number}${fault.startsWith("cut") || fault === "breakLink" ? ` and ${other}` : ""}`);
    switch (fault) {
      case "kill":
      case "powerLoss":
        if (fault === "kill") machine.kill();
        else machine.losePower();
        return this.#forAWhile(() => machine.running || machine.start());
      case "pause":
        machine.pause();
        return this.#forAWhile(() => machine.resume());
      case "isolate":
        for (const { number: peer } of this.#machines) if (peer !== number) this.#cut(number, peer, true);
        return this.#forAWhile(() => this.#network().heal());
      case "cutOneWay":
      case "cutBothWays":
        if (other !== number) this.#cut(number, other, fault === "cutBothWays");
        return this.#forAWhile(() => this.#network().heal());
      case "breakLink":
        return other === number ? undefined : this.#network().breakLink(number, other);
      case "slowDisk":
        this.#slow.add(number);
        return this.#forAWhile(() => this.#slow.delete(number));
      case "transfer":
        return machine.whenAwake(machine.life, () => machine.member?.transferLeadership(null));
    }
  }

  #cut(a: number, b: number, bothWays: boolean): void {
    this.#network().cut(a, b);
    if (bothWays) this.#network().cut(b, a);
  }
}
