import { SynodError } from "../errors/synod-error.ts";
import type { MemberAnswer } from "../node/member-requests.ts";
import type { Configuration } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import { changeConfiguration, type ConfigurationChange } from "../paxos/membership.ts";
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
  /** For second changes and replacements. */
  readonly laterRandom: SeededRandom;
  readonly tell: (line: string) => void;
}

/** An answer that says nothing for certain, or none at all, is followed by the same request to another member. */
const UNCERTAIN: ReadonlySet<string> = new Set(["SYNOD_ERR_NO_LEADER", "SYNOD_ERR_CHANGE_UNKNOWN", "SYNOD_ERR_STOPPING", "SYNOD_ERR_FENCED", "SYNOD_ERR_DIVERGED", "SYNOD_ERR_LEFT", "SYNOD_ERR_BUSY"]);
/** A replacement waits until its learner has caught up and nothing else is changed. */
const PASSING: ReadonlySet<string> = new Set(["SYNOD_ERR_LEARNER_LAGS", "SYNOD_ERR_CHANGE_PENDING", "SYNOD_ERR_NO_LIVE_QUORUM"]);
const RETRY_MS = 200;
const PATIENCE_MS = 12_000;
/** Of fewer voters than this one is seldom removed. */
const FEW = 3;

/**
 * Changes the members as operators would, mostly one step after the other: a new machine joins as a learner with the document that it is
 * handed, learners are promoted, also in place of a voter, and whoever was removed has its disk wiped as soon as the change is said to be done.
 * A machine whose disk was lost or is damaged comes back under the number of a spare one, as a number stands for an incarnation here.
 */
export class Administrator {
  readonly #parts: AdministratorParts;
  readonly #random: SeededRandom;
  /** What was asked for and has no answer yet: one change, or two of two operators that do not know of each other. */
  readonly #open = new Set<ConfigurationChange>();
  #stopped = false;

  constructor(parts: AdministratorParts) {
    this.#parts = parts;
    this.#random = parts.world.random.fork();
  }

  get busy(): boolean {
    return this.#open.size > 0;
  }

  /** Begins nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Begins a change, unless one is under way. */
  change(): void {
    if (this.busy || this.#stopped) return;
    const change = this.#random.pickIfAny(this.#possible(this.#random));
    if (change !== undefined) this.#ask(change);
  }

  /** Begins a change, unless one is under way, and another one at the same time: it is refused, or comes after (rule 16). */
  changeTwice(): void {
    this.change();
    const { laterRandom, watch } = this.#parts;
    const [first, ...more] = this.#open;
    if (first === undefined || more.length > 0 || this.#stopped) return;
    const second = laterRandom.pickIfAny(this.#possible(laterRandom).filter((change) => this.#bothLeaveQuorum(watch.configuration, first, change)));
    if (second !== undefined) this.#ask(second);
  }

  #bothLeaveQuorum(configuration: Configuration, first: ConfigurationChange, second: ConfigurationChange): boolean {
    return [[first, second] as const, [second, first] as const].every(([one, other]) => {
      const changed = changeConfiguration(configuration, one);
      return !("configuration" in changed) || this.#leavesQuorum(changed.configuration, other);
    });
  }

  /** A voter that is out for good is replaced, as `synod member replace` does it: by a new learner of its name and address, that takes its place. */
  replace(): void {
    if (this.busy || this.#stopped) return;
    const { machines, watch } = this.#parts;
    const gone = watch.configuration.voters.find(({ incarnation }) => this.#machineOf(incarnation).out);
    const spare = machines.find((machine) => !machine.joined && !machine.out);
    if (gone === undefined || spare === undefined) return;
    const { incarnation } = memberInfo(spare.number);
    this.#parts.tell(`${spare.number} comes in place of ${memberNumber(gone.incarnation)}`);
    this.#ask({ type: "addLearner", member: { ...gone, incarnation } }, (outcome) => {
      if (!(outcome instanceof SynodError)) this.#takePlace({ type: "promote", incarnation, replaces: gone.incarnation });
    });
  }

  /** Whoever was added to replace a voter takes its place as soon as that is possible. */
  #takePlace(change: ConfigurationChange): void {
    this.#parts.world.after(RETRY_MS, () => {
      if (this.#stopped || !this.#leavesQuorum(this.#parts.watch.configuration, change)) return;
      if (this.busy) return this.#takePlace(change);
      this.#ask(change, (outcome) => {
        if (outcome instanceof SynodError && PASSING.has(outcome.code)) this.#takePlace(change);
      });
    });
  }

  #possible(random: SeededRandom): ConfigurationChange[] {
    const { machines, watch } = this.#parts;
    const { configuration } = watch;
    const spares = machines.filter((machine) => !machine.joined && !machine.out);
    const adds = spares.slice(0, 1).map((machine): ConfigurationChange => ({ type: "addLearner", member: memberInfo(machine.number) }));
    const learners = configuration.learners.map(({ incarnation }) => incarnation);
    const voters = configuration.voters.map(({ incarnation }) => incarnation);
    const promotions = learners.map((incarnation): ConfigurationChange => ({
      type: "promote", incarnation, replaces: random.chance(0.5) ? random.pick(voters) : null,
    }));
    const removals = [...learners, ...voters].map((incarnation): ConfigurationChange => ({ type: "remove", incarnation }));
    // Whoever was removed does not come back, so that without this most clusters would end as one of one or two.
    const leaving = voters.length >= FEW || random.chance(0.2) ? [random.pick(removals)] : [];
    return [...adds, ...promotions, ...promotions, ...leaving].filter((change) => this.#leavesQuorum(configuration, change));
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

  #ask(change: ConfigurationChange, ended: (outcome: MemberAnswer) => void = () => {}): void {
    this.#open.add(change);
    this.#request(change, (outcome) => {
      this.#open.delete(change);
      this.#end(change, outcome);
      ended(outcome);
    });
  }

  #request(change: ConfigurationChange, ended: (outcome: MemberAnswer) => void): void {
    const machine = this.#random.pickIfAny(this.#parts.machines.filter((each) => each.joined && each.member !== null));
    const again = (): void => this.#parts.world.after(RETRY_MS, () => this.#request(change, ended));
    if (machine === undefined || machine.member === null) return again();
    this.#parts.tell(`asks ${machine.number} for ${describe(change)}`);
    const { member } = machine;
    let answered = false;
    const answer = (outcome: MemberAnswer | null): void => {
      if (answered) return;
      answered = true;
      stopWatching();
      if (outcome === null || (outcome instanceof SynodError && UNCERTAIN.has(outcome.code))) return again();
      ended(outcome);
    };
    const stopWatching = machine.whenEnded(() => answer(null));
    this.#parts.world.after(PATIENCE_MS, () => answer(null));
    machine.whenAwake(machine.life, () => member.requestMembers({ type: "change", change, plannedFrom: null, force: false }, answer));
  }

  #end(change: ConfigurationChange, outcome: MemberAnswer): void {
    if (outcome instanceof SynodError) return this.#refused(change, outcome);
    this.#parts.tell(`${describe(change)} is done at slot ${outcome.configurationSlot}`);
    this.#parts.watch.changed(change, outcome.configurationSlot);
    const { configuration, configurationSlot } = outcome;
    if (change.type === "addLearner") this.#machineOf(change.member.incarnation).join({ cluster: this.#parts.cluster, configuration, configurationSlot });
    const left = change.type === "remove" ? change.incarnation : change.type === "promote" ? change.replaces : null;
    if (left === null) return;
    if (this.#machineOf(left).out) this.#parts.watch.came("replaced");
    this.#machineOf(left).retire();
  }

  #refused(change: ConfigurationChange, { code }: SynodError): void {
    this.#parts.watch.came(`refused:${code}`);
    this.#parts.tell(`${describe(change)} is refused: ${code}`);
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
