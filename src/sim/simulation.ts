import { slot } from "../paxos/ids.ts";
import { crc32 } from "../codec/crc32.ts";
import { checkHistory } from "../history/checker.ts";
import { Violation } from "../scenario/checker.ts";
import { scenarioConfiguration } from "../scenario/names.ts";
import { SeededRandom } from "../scenario/seeded-random.ts";
import { Clients } from "./clients.ts";
import { drawPlan, type Fault, Faults } from "./faults.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Watch } from "./watch.ts";
import { type Settle, World } from "./world.ts";

export interface SimulationOptions {
  readonly seed: number;
  readonly settle: Settle;
  /** How long things go wrong, in simulated milliseconds. */
  readonly troubleMs?: number;
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
  readonly faults: Readonly<Record<Fault, number>>;
  readonly reached: ReadonlyMap<string, number>;
  /** The same for the same seed: a checksum over the whole story. */
  readonly fingerprint: number;
}

/** With everything healed every client has had an answer, and a write is acknowledged, within this time: election timeouts, catch-up and the clients' own. */
const PROGRESS_MS = 15_000;
const DEFAULT_TROUBLE_MS = 20_000;
const encoder = new TextEncoder();

/**
 * One whole cluster's life from one seed: first everything goes wrong that was drawn, and nothing unsafe may happen; then everything heals,
 * and the cluster must make progress within a bound. Throws what went wrong.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const run = new Simulation(options);
  return run.run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #size: number;
  readonly #machines: Machine[];
  readonly #network: Network;
  readonly #faults: Faults;
  readonly #clients: Clients;
  readonly #watch: Watch;
  #fingerprint = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const world = (this.#world = new World(options.seed, options.settle));
    const draw = new SeededRandom(options.seed ^ 0x5bd1e995);
    const plan = drawPlan(draw);
    this.#size = draw.pick([1, 2, 3, 3, 3, 4, 5, 5, 5, 7]);
    const configuration = scenarioConfiguration(this.#size);
    const founding = { cluster: "c".repeat(32), configuration, configurationSlot: slot(0) };
    this.#watch = new Watch(configuration, (line) => this.#tell(line));
    const limits = { retainedLogBytes: draw.pick([0, 2_000, 1_000_000]), maxMessageBytes: draw.pick([500, 100_000]) };
    const sizes = { segmentBytes: draw.pick([8_192, 65_536]), snapshotBytes: draw.pick([2_000, 20_000, 1_000_000]) };
    this.#machines = Array.from({ length: this.#size }, (_, index) => {
      const rate = 1 + plan.clockDrift * (2 * draw.next() - 1);
      return new Machine(index + 1, rate, {
        world, network: () => this.#network, watch: this.#watch, founding, limits, ...sizes, syncMs: (machine) => this.#faults.syncMs(machine),
      });
    });
    this.#network = new Network(world, () => this.#faults.network, this.#machines);
    this.#faults = new Faults({ world, machines: this.#machines, network: () => this.#network, plan, tell: (line) => this.#tell(line) });
    this.#clients = new Clients({ world, machines: this.#machines, clients: draw.integer(2, 8), keys: draw.integer(1, 4), perSecond: draw.pick([20, 50, 200]) });
    this.#tell(`seed ${options.seed}: ${this.#size} members, ${JSON.stringify(plan)}`);
  }

  #tell(line: string): void {
    const told = `${this.#world.nowMs.toFixed(3)} ${line}`;
    this.#fingerprint = crc32(encoder.encode(told), this.#fingerprint);
    this.#options.tell?.(told);
  }

  async run(): Promise<SimulationReport> {
    for (const machine of this.#machines) machine.start();
    this.#clients.start();
    this.#faults.start();
    await this.#world.run(this.#options.troubleMs ?? DEFAULT_TROUBLE_MS);
    this.#faults.heal();
    await this.#mustProgress();
    this.#checkHistory();
    return this.#report();
  }

  /** After everything healed: a write is acknowledged, everybody's operations end, and all members come to the same state. */
  async #mustProgress(): Promise<void> {
    const before = this.#acknowledged();
    const limitMs = this.#world.nowMs + PROGRESS_MS;
    await this.#world.run(limitMs, () => this.#acknowledged() > before);
    if (this.#acknowledged() === before) throw new Violation(`no write was acknowledged within ${PROGRESS_MS} ms after everything had healed`);
    this.#clients.stop();
    await this.#world.run(limitMs, () => this.#clients.open === 0 && this.#isEven());
    if (this.#clients.open > 0) throw new Violation(`${this.#clients.open} operations had no end within ${PROGRESS_MS} ms after everything had healed`);
    if (!this.#isEven()) throw new Violation(`the members did not come to the same slot within ${PROGRESS_MS} ms after everything had healed`);
  }

  #isEven(): boolean {
    const slots = new Set(this.#machines.map(({ member }) => member?.appliedSlot ?? -1));
    return slots.size === 1 && !slots.has(-1 as never);
  }

  #acknowledged(): number {
    return this.#clients.operations.filter(({ op, outcome }) => op !== "read" && outcome === "ok").length;
  }

  #checkHistory(): void {
    const verdict = checkHistory(this.#clients.operations);
    if (verdict.verdict === "ok") return;
    if (verdict.verdict === "undecided") throw new Error(`the history could not be checked: ${verdict.reason}`);
    const [first] = verdict.violations;
    const lines = first?.operations.map((operation) => JSON.stringify(operation)) ?? [];
    throw new Violation(["what the clients saw is not linearizable:", first?.reason ?? "", ...lines].join("\n"));
  }

  #report(): SimulationReport {
    return {
      seed: this.#options.seed,
      size: this.#size,
      simulatedMs: this.#world.nowMs,
      events: this.#world.events,
      messages: this.#network.messages,
      operations: this.#clients.operations.length,
      acknowledged: this.#acknowledged(),
      faults: this.#faults.drawn,
      reached: this.#watch.reached,
      fingerprint: this.#fingerprint,
    };
  }
}
