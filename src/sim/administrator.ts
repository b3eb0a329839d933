import { SynodError } from "../errors/synod-error.ts";
import type { MemberAnswer } from "../node/member-requests.ts";
import type { Configuration } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import { memberInfo, memberNumber } from "../scenario/names.ts";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { Machine } from "./machine.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

export interface AdministratorParts {
  readonly world: World;
  readonly machines: readonly Machine[];
  readonly watch: Watch;
  readonly cluster: string;
  readonly tell: (line: string) => void;
}

/** An answer that says nothing for certain, or none at all, is followed by the same request to another member. */
const UNCERTAIN: ReadonlySet<string> = new Set(["SYNOD_ERR_NO_LEADER", "SYNOD_ERR_OUTCOME_UNKNOWN", "SYNOD_ERR_STOPPING", "SYNOD_ERR_FENCED", "SYNOD_ERR_DIVERGED", "SYNOD_ERR_LEFT", "SYNOD_ERR_BUSY"]);
const RETRY_MS = 200;
const PATIENCE_MS = 12_000;

/**
 * Changes the members, one step after the other, as an operator would: a new machine joins as a learner with the document that it is
 * handed, learners are promoted, also in place of a voter, and whoever was removed has its disk wiped as soon as the change is said to be done.
 */
export class Administrator {
  readonly #parts: AdministratorParts;
  readonly #random: SeededRandom;
  #busy = false;
  #stopped = false;

  constructor(parts: AdministratorParts) {
    this.#parts = parts;
    this.#random = parts.world.random.fork();
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Begins nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Begins a change, unless one is under way. */
  change(): void {
    if (this.#busy || this.#stopped) return;
    const change = this.#random.pickIfAny(this.#possible());
    if (change === undefined) return;
    this.#busy = true;
    this.#request(change);
  }

  #possible(): ConfigurationChange[] {
    const { machines, watch } = this.#parts;
    const { configuration } = watch;
    const spares = machines.filter((machine) => !machine.joined && !machine.out);
    const adds = spares.slice(0, 1).map((machine): ConfigurationChange => ({ type: "addLearner", member: memberInfo(machine.number) }));
    const learners = configuration.learners.map(({ incarnation }) => incarnation);
    const voters = configuration.voters.map(({ incarnation }) => incarnation);
    const promotions = learners.map((incarnation): ConfigurationChange => ({
      type: "promote", incarnation, replaces: this.#random.chance(0.5) ? this.#random.pick(voters) : null,
    }));
    const removals = [...learners, ...voters].map((incarnation): ConfigurationChange => ({ type: "remove", incarnation }));
    return [...adds, ...promotions, ...promotions, this.#random.pick(removals)].filter((change) => this.#leavesQuorum(configuration, change));
  }

  /** What comes of it has more machines at work than its quorum needs, as damage is for good. */
  #leavesQuorum({ voters }: Configuration, change: ConfigurationChange): boolean {
    const leaving = change.type === "remove" ? change.incarnation : change.type === "promote" ? change.replaces : null;
    const coming = change.type === "promote" ? [change.incarnation] : [];
    const next = [...voters.map(({ incarnation }) => incarnation).filter((voter) => voter !== leaving), ...coming];
    const working = next.filter((voter) => !this.#machineOf(voter).damaged).length;
    return working > next.length / 2;
  }

  #machineOf(incarnation: Incarnation): Machine {
    return this.#parts.machines[memberNumber(incarnation) - 1] as Machine;
  }

  #request(change: ConfigurationChange): void {
    const machine = this.#random.pickIfAny(this.#parts.machines.filter((each) => each.joined && each.member !== null));
    const again = (): void => this.#parts.world.after(RETRY_MS, () => this.#request(change));
    if (machine === undefined || machine.member === null) return again();
    this.#parts.tell(`asks ${machine.number} for ${describe(change)}`);
    const { member } = machine;
    let answered = false;
    const answer = (outcome: MemberAnswer | null): void => {
      if (answered) return;
      answered = true;
      stopWatching();
      if (outcome === null || (outcome instanceof SynodError && UNCERTAIN.has(outcome.code))) return again();
      this.#end(change, outcome);
    };
    const stopWatching = machine.whenEnded(() => answer(null));
    this.#parts.world.after(PATIENCE_MS, () => answer(null));
    machine.whenAwake(machine.life, () => member.requestMembers({ type: "change", change, plannedFrom: null, force: false }, answer));
  }

  #end(change: ConfigurationChange, outcome: MemberAnswer): void {
    this.#busy = false;
    if (outcome instanceof SynodError) return this.#parts.tell(`${describe(change)} is refused: ${outcome.code}`);
    this.#parts.tell(`${describe(change)} is done at slot ${outcome.configurationSlot}`);
    this.#parts.watch.changed(change, outcome.configurationSlot);
    const { configuration, configurationSlot } = outcome;
    if (change.type === "addLearner") this.#machineOf(change.member.incarnation).join({ cluster: this.#parts.cluster, configuration, configurationSlot });
    const left = change.type === "remove" ? change.incarnation : change.type === "promote" ? change.replaces : null;
    if (left !== null) this.#machineOf(left).retire();
  }
}

function describe(change: ConfigurationChange): string {
  switch (change.type) {
    case "addLearner":
      return `${change.member.name} as a learner`;
    case "promote":
      return `${memberNumber(change.incarnation)} as a voter${change.replaces === null ? "" : ` in place of ${memberNumber(change.replaces)}`}`;
    case "remove":
      return `the removal of ${memberNumber(change.incarnation)}`;
  }
}
