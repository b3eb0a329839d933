import { checkHistory } from "../history/checker.ts";
import { PEER_CODEC, type PeerCodec } from "../node/peer-codec.ts";
import { ballotsEqual, ZERO_BALLOT } from "../paxos/ballot.ts";
import { allMembers } from "../paxos/configuration.ts";
import { slot } from "../paxos/ids.ts";
import { memberNumber, scenarioConfiguration } from "../scenario/names.ts";
import { SeededRandom } from "../scenario/seeded-random.ts";
import { Violation } from "../scenario/violation.ts";
import { Administrator } from "./administrator.ts";
import { clientStory } from "./client-story.ts";
import { Clients } from "./clients.ts";
import { Faults } from "./faults.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { drawPlan, type Plan, type Wishes } from "./plan.ts";
import { NoProgress, NotLinearizable, NotSteady } from "./violations.ts";
import { Watch } from "./watch.ts";
import { type Settle, World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly settle: Settle;
  /** What to do otherwise than the seed says. */
  readonly wishes?: Wishes;
  /** A later release writes like this: one machine after the other is upgraded to it while things go wrong. */
  readonly laterCodec?: PeerCodec;
  /** False: every tick of every member is an event, also those that would find nothing to do. */
  readonly leaveOutTicks?: boolean;
  /** Gets the run's story, line by line. */
  readonly tell?: (line: string) => void;
}

export interface SimulationReport {
  readonly seed: number;
  readonly size: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly messages: number;
  readonly operations: number;
  readonly acknowledged: number;
  /** How often each fault was begun, befell a message, or, for clocks that run at rates of their own, was there. */
  readonly faults: Readonly<Record<string, number>>;
  /** How often each event, message and effect of the protocol was seen. */
  readonly reached: ReadonlyMap<string, number>;
  /** The same for the same seed: a checksum over the whole story. */
  readonly fingerprint: number;
}

/** With a quorum healed, and clients that write, a write is acknowledged within this time, with everything healed every client has had an answer: election timeouts, catch-up and the clients' own. */
const PROGRESS_MS = 15_000;
const UNDER_WAY_MS = 1_000;
/** How long leadership is looked at then. */
const STEADY_MS = 3_000;
/** A leader that nobody asks for anything has noticed by then that its disk does not answer. */
const QUIET_MS = 3_000;

/**
 * One whole cluster's life from one seed: first everything goes wrong that was drawn, and nothing unsafe may happen; then a quorum heals, and
 * in the end everything, and the cluster must make progress within a bound. Throws what went wrong.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const run = new Simulation(options);
  return run.run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #machines: Machine[];
  readonly #network: Network;
  readonly #faults: Faults;
  readonly #clients: Clients;
  readonly #watch: Watch;
  readonly #administrator: Administrator;
  readonly #sessionRandom: SeededRandom;
  readonly #upgraded = new Set<number>();
  #fingerprint = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const world = (this.#world = new World(options.seed, options.settle));
    const plan = (this.#plan = drawPlan(options.seed, options.wishes));
    const tell = (line: string): void => this.#tell(line);
    const configuration = scenarioConfiguration(plan.size);
    const founding = { cluster: "c".repeat(32), configuration, configurationSlot: slot(0) };
    this.#watch = new Watch(configuration, plan.limits, tell);
    const { limits, stateLimits, segmentBytes, snapshotBytes, snapshotPartBytes } = plan;
    // What was added last draws from a stream of its own, so that what else a seed leads to stays.
    const laterRandom = new SeededRandom(options.seed ^ 0x1b873593);
    this.#machines = Array.from({ length: plan.size + plan.spares }, (_, index) => {
      return new Machine(index + 1, plan.clockRates[index] ?? 1, index < plan.size ? founding : null, {
        world, network: () => this.#network, watch: this.#watch, limits, stateLimits, segmentBytes, snapshotBytes, snapshotPartBytes,
        syncMs: (machine) => this.#faults.syncMs(machine), callMs: () => this.#faults.callMs(), codec: (machine) => this.#codecOf(machine),
        isRemembered: (machine, records) => this.#isRemembered(machine, records),
        leaveOutTicks: options.leaveOutTicks ?? true,
      });
    });
    const { cluster } = founding;
    this.#network = new Network(world, () => this.#faults.network, this.#machines);
    this.#clients = new Clients({ world, machines: () => this.#known(), plan });
    this.#administrator = new Administrator({ world, machines: this.#machines, watch: this.#watch, cluster, laterRandom: laterRandom.fork(), tell });
    this.#faults = new Faults({
      world, machines: this.#machines, network: () => this.#network, watch: this.#watch, administrator: this.#administrator, plan, laterRandom, tell,
      burst: (machine) => this.#clients.burst(machine), lull: (ms) => this.#clients.rest(ms),
    });
    this.#sessionRandom = world.random.fork();
    tell(`seed ${options.seed}: ${JSON.stringify(plan)}`);
  }

  #codecOf(machine: number): PeerCodec {
    return this.#upgraded.has(machine) ? (this.#options.laterCodec ?? PEER_CODEC) : PEER_CODEC;
  }

  /** Spread over the time in which things go wrong, each machine's process is ended and the later release is started in its place. */
  #upgradeOneByOne(): void {
    this.#machines.forEach((machine, index) => {
      this.#world.after((this.#plan.troubleMs * (index + 1)) / (this.#machines.length + 1), () => {
        this.#tell(`${machine.number} is upgraded`);
        this.#upgraded.add(machine.number);
        if (!machine.running || machine.paused) return;
        machine.kill();
        machine.start();
      });
    });
  }

  /** Machines that clients try: those that take part, or may. */
  #known(): Machine[] {
    return this.#machines.filter((machine) => machine.joined && !machine.out);
  }

  /** What peers remember of each other is gone when they start anew: then nobody could tell a disk that was set back (rule 13). */
  #isRemembered(number: number, records: number): boolean {
    const others = this.#known().filter((machine) => machine.number !== number);
    return others.length > 0 && others.every((machine) => machine.knownRecords(number) > records);
  }

  #tell(line: string): void {
    const told = `${this.#world.nowMs.toFixed(3)} ${line}`;
    this.#fingerprint = hashText(told, this.#fingerprint);
    this.#options.tell?.(told);
  }

  async run(): Promise<SimulationReport> {
    for (const machine of this.#known()) machine.start();
    this.#clients.start();
    this.#clients.startSessions(this.#plan.sessions, this.#sessionRandom);
    this.#faults.start();
    if (this.#options.laterCodec !== undefined) this.#upgradeOneByOne();
    await this.#world.run(this.#plan.troubleMs);
    this.#clients.probe();
    if (this.#plan.quiet) await this.#letRest();
    if (this.#faults.healQuorum(this.#plan.lasting)) await this.#mustDoWithQuorum();
    this.#faults.heal();
    await this.#mustAcknowledge("everything had healed");
    const flapsOfLeader = this.#faults.flapSomething(STEADY_MS);
    await this.#mustStaySteady("everything had healed", { most: flapsOfLeader ? 1 : 0 });
    await this.#mustComeToRest();
    this.#checkHistory();
    return this.#report();
  }

  /** Nothing is under way any more, but what had no answer, and nobody begins anything until the leader must know how its disk is. */
  async #letRest(): Promise<void> {
    this.#clients.rest(UNDER_WAY_MS + QUIET_MS);
    await this.#world.run(this.#world.nowMs + UNDER_WAY_MS);
  }

  async #mustDoWithQuorum(): Promise<void> {
    const when = "a quorum had healed";
    const stays = (): boolean => this.#faults.quorumStays;
    if (this.#plan.quiet && await this.#goesOn(QUIET_MS, stays)) this.#mustHaveLeft(this.#faults.stalled);
    await this.#mustAcknowledge(when, stays);
    if (await this.#mustStaySteady(when, { most: 1, canStay: stays })) this.#mustHaveLeft(this.#faults.stalled);
    // A disk that is full is noticed only when what was reserved before is used up.
    await this.#mustAcknowledge(when, stays);
  }

  /** A write that was begun when all that was under way before has arrived. */
  async #mustAcknowledge(when: string, canProgress: () => boolean = () => true): Promise<void> {
    const fromMs = this.#world.nowMs + UNDER_WAY_MS;
    const progressed = (): boolean => this.#clients.newestAcknowledgedMs >= fromMs;
    await this.#world.run(this.#world.nowMs + PROGRESS_MS, () => progressed() || !canProgress());
    if (!progressed() && canProgress()) throw new NoProgress(`no write was acknowledged within ${PROGRESS_MS} ms after ${when}`);
  }

  /**
   * Whoever leads goes on: neither a member that hears it no more nor a link that flaps takes that from it (rules 7 and 8). A change of the
   * members may, as a leader that is to leave hands over. Returns whether all the time nothing was in the way.
   */
  async #mustStaySteady(when: string, { most, canStay = () => true }: { readonly most: number; readonly canStay?: () => boolean }): Promise<boolean> {
    const before = this.#watch.highestWon;
    const undisturbed = await this.#goesOn(STEADY_MS, canStay);
    const began = this.#watch.servedAbove(before);
    if (began > most) throw new NotSteady(`leaders began to serve ${began} times within ${STEADY_MS} ms behind the first write after ${when}`);
    return undisturbed;
  }

  /** Returns whether no change of the members and nothing else came in between. */
  async #goesOn(ms: number, canStay: () => boolean): Promise<boolean> {
    const untilMs = this.#world.nowMs + ms;
    await this.#world.run(untilMs, () => this.#administrator.busy || !canStay());
    return this.#world.nowMs >= untilMs;
  }

  /** A leader whose disk does not answer any more steps down (rule 9), though its followers' disks are a quorum. */
  #mustHaveLeft(stalled: Machine | null): void {
    if (stalled?.member?.leads !== true) return;
    throw new Violation(`member ${stalled.number} leads, and its disk has not answered since a quorum healed`);
  }

  /** Everybody's operations end, and all members come to the same state. */
  async #mustComeToRest(): Promise<void> {
    this.#clients.stop();
    this.#administrator.stop();
    await this.#world.run(this.#world.nowMs + PROGRESS_MS, () => this.#clients.open === 0 && this.#clients.unanswered === 0 && !this.#administrator.busy && this.#isEven());
    if (this.#administrator.busy) throw new NoProgress(`a change of the members had no end within ${PROGRESS_MS} ms after everything had healed`);
    if (this.#clients.open > 0) throw new NoProgress(`${this.#clients.open} operations had no end within ${PROGRESS_MS} ms after everything had healed`);
    if (this.#clients.unanswered > 0) throw new NoProgress(`${this.#clients.unanswered} requests had no answer of members that live within ${PROGRESS_MS} ms after everything had healed`);
    if (!this.#isEven()) throw new NoProgress(`the members did not come to the same slot and ballot within ${PROGRESS_MS} ms after everything had healed`);
  }

  #isEven(): boolean {
    const members = allMembers(this.#watch.configuration).map(({ incarnation }) => this.#machines[memberNumber(incarnation) - 1] as Machine);
    const working = members.filter((machine) => machine.joined && !machine.out);
    const slots = working.map(({ member }) => member?.appliedSlot ?? -1);
    return slots[0] !== -1 && slots.every((slot) => slot === slots[0]) && this.#haveOneBallot(working);
  }

  /** Whoever promised a higher ballot than the leader's refuses it, and is of no use to it (rule 7). */
  #haveOneBallot(machines: readonly Machine[]): boolean {
    const [first, ...others] = machines.map(({ member }) => member?.status().ballot ?? ZERO_BALLOT);
    return first !== undefined && others.every((ballot) => ballotsEqual(ballot, first));
  }

  #checkHistory(): void {
    const verdict = checkHistory(this.#clients.operations);
    if (verdict.verdict === "ok") return;
    if (verdict.verdict === "undecided") throw new Error(`the history could not be checked: ${verdict.reason}`);
    const [violation] = verdict.violations;
    if (violation === undefined) throw new Error("a history is said to be violated by nothing");
    const where = violation.key === undefined ? "" : `key ${violation.key}: `;
    throw new NotLinearizable(`${where}${violation.reason}`, clientStory(violation, this.#clients.operations));
  }

  #report(): SimulationReport {
    return {
      seed: this.#options.seed,
      size: this.#plan.size,
      simulatedMs: this.#world.nowMs,
      events: this.#world.events,
      messages: this.#network.messages,
      operations: this.#clients.operations.length,
      acknowledged: this.#clients.acknowledged,
      faults: { ...this.#faults.drawn, ...this.#network.drawn, drift: this.#plan.clockRates.some((rate) => rate !== 1) ? 1 : 0 },
      reached: this.#watch.reached,
      fingerprint: this.#fingerprint,
    };
  }
}

/** FNV-1a of a text's code units, going on from `seed`: without the bytes that a checksum would need. */
function hashText(text: string, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
