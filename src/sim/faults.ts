import type { Configuration } from "../paxos/configuration.ts";
import { memberNumber } from "../scenario/names.ts";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { Administrator } from "./administrator.ts";
import type { Machine } from "./machine.ts";
import type { Network, NetworkFaults } from "./network.ts";
import { hasQuorumConnected, type Shape, SHAPES, type Way, waysCut } from "./partitions.ts";
import { type Fault, FAULTS, LATER_FAULTS, NO_NETWORK_FAULTS, type Plan } from "./plan.ts";
import { Relay } from "./relay.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

export interface FaultParts {
  readonly world: World;
  readonly machines: readonly Machine[];
  readonly network: () => Network;
  readonly plan: Plan;
  readonly burst: (machine: Machine) => void;
  readonly lull: (ms: number) => void;
  readonly administrator: Administrator;
  readonly watch: Watch;
  /** For what was added last: see `LATER_FAULTS`. */
  readonly laterRandom: SeededRandom;
  readonly tell: (line: string) => void;
}

const LONGEST_STEP_MS = 30_000;
/** A member that fenced itself is started again after about this long. */
const FENCED_LOOK_MS = 400;
/** A process that is started by a supervisor at once and ends again so often, each time after about this long. */
const MOST_CRASHES = 8;
const CRASHING_LIFE_MS = 150;
/** How often a link that flaps goes down, and how often in a row. */
const FLAP_MS = 60;
const MOST_FLAPS = 40;
/** A volume is set back to what it was about so long ago. */
const SET_BACK_MS = 3_000;
/** How often another process looks for room on a disk that stays full, to take it. */
const TAKE_ROOM_MS = 20;
/** How long nobody writes, on the average and at most: a lull may last when everything has healed, and clients must write in time. */
const LULL_MS = 1_500;
const LONGEST_LULL_MS = 5_000;
const CALM_SYNC_MS = 0.5;
const SLOW = 300;

/** Makes things go wrong as planned, and right again. */
export class Faults {
  /** How often each fault was begun. */
  readonly drawn: Record<Fault, number> = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  readonly #parts: FaultParts;
  readonly #world: World;
  readonly #machines: readonly Machine[];
  /** Each kind draws for itself, so that leaving one out changes the others little. */
  readonly #randoms: Readonly<Record<Fault, SeededRandom>>;
  readonly #laterRandom: SeededRandom;
  readonly #random: SeededRandom;
  readonly #slow = new Set<Machine>();
  readonly #hung = new Set<Machine>();
  #calm = false;
  #lastingWays: readonly Way[] = [];
  /** Whose disk does not work even when a quorum has healed; null: nobody's. */
  #sick: Machine | null = null;
  /** Whether the voters of the configuration that was looked at last are a quorum that can talk. */
  #judged: { readonly configuration: Configuration; readonly stays: boolean } | null = null;

  constructor(parts: FaultParts) {
    this.#parts = parts;
    this.#world = parts.world;
    this.#machines = parts.machines;
    this.#random = parts.world.random.fork();
    this.#laterRandom = parts.laterRandom;
    this.#randoms = Object.fromEntries(FAULTS.map((fault) => [fault, (LATER_FAULTS.has(fault) ? parts.laterRandom : parts.world.random).fork()])) as Record<Fault, SeededRandom>;
  }

  get network(): NetworkFaults {
    return this.#calm ? NO_NETWORK_FAULTS : this.#parts.plan.network;
  }

  /** How long a sync takes on a machine now; Infinity: as long as the disk hangs. */
  syncMs(number: number): number {
    const machine = this.#machines[number - 1] as Machine;
    if (this.#hung.has(machine)) return Infinity;
    if (this.#calm) return CALM_SYNC_MS;
    return this.#parts.plan.syncMs * (0.5 + this.#random.next()) * (this.#slow.has(machine) ? SLOW : 1);
  }

  /** How long any other call of a machine's disk takes: mostly nothing, so that a run is over soon. */
  callMs(): number {
    return this.#calm || !this.#random.chance(0.05) ? 0 : this.#parts.plan.syncMs * 2 * this.#random.next();
  }

  start(): void {
    for (const fault of FAULTS) if (this.#parts.plan.faults[fault] > 0) this.#later(fault);
    this.#restartFenced();
  }

  /**
   * Machines run and disks work from now on, but for one disk at the most, and all paths are open but those of `lasting`. Both leave a member
   * that reaches a quorum of those whose disks work. Returns whether they do: where they would not, nothing is healed.
   */
  healQuorum(lasting: Shape): boolean {
    const { watch, plan } = this.#parts;
    const active = this.#active().map(({ number }) => number);
    const voters = watch.configuration.voters.map(({ incarnation }) => memberNumber(incarnation));
    const ways = waysCut(lasting, active, this.#victim(this.#random).number, this.#random);
    const damaged = voters.filter((number) => (this.#machines[number - 1] as Machine).damaged);
    const around = damaged.flatMap((number) => waysCut("alone", voters, number, this.#random));
    if (!watch.steady || !hasQuorumConnected([...ways, ...around], voters)) return false;
    this.#lastingWays = [...ways, ...around];
    this.#sick = plan.lastingDisk === "works" ? null : this.#drawSick(voters);
    const and = this.#sick === null ? "" : `, and ${this.#sick.number}'s disk is ${plan.lastingDisk}`;
    this.#parts.tell(`a quorum heals; what lasts: ${lasting} (${ways.map((way) => way.join(">")).join(" ")})${and}`);
    this.#repair();
    if (this.#sick !== null && plan.lastingDisk === "full") this.#keepFull(this.#sick);
    else if (this.#sick !== null) this.#hung.add(this.#sick);
    this.#parts.network().cut(ways);
    this.#judged = null;
    return true;
  }

  /**
   * Whether those who vote now are still a quorum that can talk. A change that was asked for before may be made after the quorum
   * healed, and leave one that what lasts keeps apart: three without the third, and the second cut off.
   */
  get quorumStays(): boolean {
    const { watch } = this.#parts;
    const { configuration } = watch;
    // It is asked before every event, and the configuration changes now and then.
    if (configuration !== this.#judged?.configuration) {
      const stays = this.#reachQuorum(configuration.voters.map(({ incarnation }) => memberNumber(incarnation)), this.#sick);
      this.#judged = { configuration, stays };
    }
    return watch.steady && this.#judged.stays;
  }

  /** Somebody without whom the others are a quorum that can talk; mostly the leader, if that is so for it. */
  #drawSick(voters: readonly number[]): Machine | null {
    const among = this.#active().filter((machine) => this.#reachQuorum(voters, machine));
    const leaders = among.filter(({ member }) => member?.leads === true);
    return this.#laterRandom.pickIfAny(leaders.length > 0 && this.#laterRandom.chance(0.7) ? leaders : among) ?? null;
  }

  /** Somebody else takes what room the member makes. */
  #keepFull(machine: Machine): void {
    if (this.#sick !== machine) return;
    machine.full = true;
    this.#world.after(TAKE_ROOM_MS, () => this.#keepFull(machine));
  }

  /** Whose disk answers nothing even when a quorum has healed; null: nobody's. */
  get stalled(): Machine | null {
    return this.#parts.plan.lastingDisk === "hung" ? this.#sick : null;
  }

  /** Whether one of these voters reaches more than half of them, and none of those is the one whose disk does not work. */
  #reachQuorum(voters: readonly number[], sick: Machine | null): boolean {
    if (voters.length === 1) return voters[0] !== sick?.number;
    const around = sick === null ? [] : waysCut("alone", voters, sick.number, this.#laterRandom);
    return hasQuorumConnected([...this.#lastingWays, ...around], voters);
  }

  /** Some link goes down and comes up again, over and over, for so long. Returns whether it is one of a leader. */
  flapSomething(forMs: number): boolean {
    const random = this.#laterRandom;
    const followers = this.#active().filter(({ member }) => member?.leads !== true);
    const [a, b] = random.chance(0.5) ? [this.#victim(random), random.pick(this.#active())] : [random.pickIfAny(followers), random.pickIfAny(followers)];
    if (a === undefined || b === undefined) return false;
    this.#flap(a.number, b.number, random, this.#world.nowMs + forMs);
    return a.member?.leads === true || b.member?.leads === true;
  }

  #flap(a: number, b: number, random: SeededRandom, untilMs: number): void {
    if (a === b || this.#world.nowMs >= untilMs) return;
    this.#parts.network().breakLink(a, b);
    this.#world.after(FLAP_MS * (0.5 + random.next()), () => this.#flap(a, b, random, untilMs));
  }

  /** Everything works from now on. */
  heal(): void {
    this.#parts.tell("everything heals");
    this.#sick = null;
    this.#repair();
  }

  #repair(): void {
    this.#calm = true;
    this.#slow.clear();
    this.#hung.clear();
    this.#parts.network().heal();
    for (const machine of this.#machines) {
      machine.full = false;
      machine.recoverDisk();
      machine.resume();
      if (machine.member !== null && machine.member.fenceNow !== null) machine.kill();
      if (!machine.running && machine.joined && !machine.out) machine.start();
    }
  }

  /** Machines that take part. */
  #active(): Machine[] {
    return this.#machines.filter((machine) => machine.joined && !machine.out);
  }

  #restartFenced(): void {
    this.#world.after(FENCED_LOOK_MS, () => {
      for (const machine of this.#machines) {
        if (machine.paused || machine.member === null || machine.member.fenceNow === null) continue;
        this.#parts.tell(`${machine.number} is fenced and started again`);
        machine.kill();
        machine.start();
      }
      this.#restartFenced();
    });
  }

  #later(fault: Fault): void {
    const random = this.#randoms[fault];
    this.#world.after(random.exponential(1_000) / this.#parts.plan.faults[fault], () => {
      if (this.#calm) return;
      this.#begin(fault, this.#victim(random), random);
      this.#later(fault);
    });
  }

  /** Often the leader, or somebody who takes itself for one: that is where trouble does most harm. */
  #victim(random: SeededRandom): Machine {
    const active = this.#active();
    const leaders = active.filter(({ member }) => member?.leads === true);
    const among = random.chance(0.5) && leaders.length > 0 ? leaders : active;
    return random.pick(among);
  }

  /** Something that ends again after a while, unless everything has healed by then. */
  #forAWhile(random: SeededRandom, end: () => void): void {
    this.#world.after(random.exponential(this.#parts.plan.meanTroubleMs), () => {
      if (!this.#calm) end();
    });
  }

  #begin(fault: Fault, machine: Machine, random: SeededRandom): void {
    if (machine.out) return;
    const { number } = machine;
    this.drawn[fault] += 1;
    this.#parts.tell(`fault: ${fault} of ${number}`);
    switch (fault) {
      case "kill":
      case "powerLoss":
        if (fault === "kill") machine.kill();
        else machine.losePower();
        return this.#startLater(machine, random);
      case "crashLoop":
        return this.#crashLoop(machine, random, random.integer(2, MOST_CRASHES));
      case "pause":
        machine.pause();
        return this.#forAWhile(random, () => machine.resume());
      case "clockStep":
        return machine.stepClock(LONGEST_STEP_MS * random.next() ** 3);
      case "cutOneWay":
      case "cutBothWays": {
        const other = random.pick(this.#active()).number;
        return other === number ? undefined : this.#cut(fault === "cutOneWay" ? [[number, other]] : [[number, other], [other, number]], random);
      }
      case "partition":
        return this.#partition(machine, random);
      case "breakLink": {
        const other = random.pick(this.#active()).number;
        return other === number ? undefined : this.#parts.network().breakLink(number, other);
      }
      case "relay":
        return void new Relay({ ...this.#parts, machines: () => this.#active(), random, over: () => this.#calm });
      case "burst":
        return this.#parts.burst(machine);
      case "lull":
        return this.#parts.lull(Math.min(LONGEST_LULL_MS, random.exponential(LULL_MS)));
      case "change":
        return this.#parts.administrator.change();
      case "changeTwice":
        return this.#parts.administrator.changeTwice();
      case "replace":
        return this.#parts.administrator.replace();
      case "flap":
        return this.#flap(number, random.pick(this.#active()).number, random, this.#world.nowMs + FLAP_MS * random.integer(1, MOST_FLAPS));
      case "transfer":
        return machine.whenAwake(machine.life, () => machine.member?.transferLeadership(null));
      default:
        return this.#beginOnDisk(fault, machine, random);
    }
  }

  #beginOnDisk(fault: Extract<Fault, "slowDisk" | "hungDisk" | "fullDisk" | "failedSync" | "bitFlip" | "lostDisk" | "restoredDisk">, machine: Machine, random: SeededRandom): void {
    switch (fault) {
      case "slowDisk":
      case "hungDisk": {
        const those = fault === "slowDisk" ? this.#slow : this.#hung;
        those.add(machine);
        return this.#forAWhile(random, () => those.delete(machine));
      }
      case "fullDisk":
        machine.full = true;
        return this.#forAWhile(random, () => (machine.full = false));
      case "failedSync":
        return machine.failSync();
      case "restoredDisk":
        return this.#setBackLater(machine, random);
      case "bitFlip":
      case "lostDisk":
        if (!this.#mayLose(machine)) return;
        if (fault === "lostDisk") machine.loseDisk();
        else {
          machine.losePower();
          machine.damageDisk();
        }
        return this.#startLater(machine, random);
    }
  }

  /** Its volume is set back to what it is now, by somebody who takes that for a way to mend it. */
  #setBackLater(machine: Machine, random: SeededRandom): void {
    const copy = machine.copyDisk();
    this.#world.after(SET_BACK_MS * (0.5 + random.next()), () => {
      if (this.#calm || machine.out || !this.#mayLose(machine)) return;
      this.#parts.tell(`${machine.number}'s volume is set back`);
      machine.setBack(copy);
      machine.start();
    });
  }

  #startLater(machine: Machine, random: SeededRandom): void {
    this.#forAWhile(random, () => machine.running || machine.out || machine.start());
  }

  /** The process ends again and again soon after it was started, so that what came of earlier lives arrives in later ones. */
  #crashLoop(machine: Machine, random: SeededRandom, crashes: number): void {
    if (this.#calm || machine.out || crashes === 0) return;
    machine.kill();
    machine.start();
    this.#world.after(random.exponential(CRASHING_LIFE_MS), () => this.#crashLoop(machine, random, crashes - 1));
  }

  /** Damage is for good, so it must leave a quorum, and one that holds all that is chosen: none while the members change. */
  #mayLose(machine: Machine): boolean {
    const { watch, administrator } = this.#parts;
    if (administrator.busy || !watch.steady) return false;
    const voters = watch.configuration.voters.map(({ incarnation }) => this.#machines[memberNumber(incarnation) - 1] as Machine);
    const damaged = voters.filter((voter) => voter.damaged || voter === machine).length;
    return damaged <= Math.floor((voters.length - 1) / 2);
  }

  /** Somebody is cut off in some way, and often just then is asked to write a lot: those slots are accepted by too few. */
  #partition(machine: Machine, random: SeededRandom): void {
    const shape = random.pick(SHAPES);
    this.#parts.tell(`${machine.number}: ${shape}`);
    this.#cut(waysCut(shape, this.#active().map(({ number }) => number), machine.number, random), random);
    if (random.chance(0.5)) this.#parts.burst(machine);
  }

  #cut(ways: readonly Way[], random: SeededRandom): void {
    this.#parts.network().cut(ways);
    this.#forAWhile(random, () => this.#parts.network().mend(ways));
  }
}
