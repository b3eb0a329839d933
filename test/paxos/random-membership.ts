import type { Configuration, MemberInfo } from "../../src/paxos/configuration.ts";
import { allMembers } from "../../src/paxos/configuration.ts";
import type { ConfigurationChange } from "../../src/paxos/membership.ts";
import { isMajority } from "../../src/scenario/decisions.ts";
import type { SimulatedCluster } from "../../src/scenario/cluster.ts";
import { memberIncarnation, memberInfo, memberNumber } from "../../src/scenario/names.ts";
import type { SeededRandom } from "../../src/scenario/seeded-random.ts";

export const MEMBERSHIP_ACTIONS = ["add", "join", "promote", "replace", "remove", "forceRemove", "retire", "loseDisk"] as const;
export type MembershipAction = (typeof MEMBERSHIP_ACTIONS)[number];

/** How often each of them happens, on the scale of the other actions of a random run. */
export const USUAL_CHANGES: Readonly<Record<MembershipAction, number>> = {
  add: 4, join: 12, promote: 6, replace: 5, remove: 4, forceRemove: 0.3, retire: 6, loseDisk: 1.5,
};

/** Operators who change the members of a cluster, and the failures for which they do. */
export class RandomMembership {
  readonly #cluster: SimulatedCluster;
  readonly #random: SeededRandom;

  constructor(cluster: SimulatedCluster, random: SeededRandom) {
    this.#cluster = cluster;
    this.#random = random;
  }

  act(action: MembershipAction): void {
    const { voters, learners } = this.#newest;
    const voter = this.#random.pick(voters);
    const learner = this.#random.pickIfAny(learners.filter((member) => this.#member(member).founded));
    switch (action) {
      case "add":
        return this.#add();
      case "join":
        return this.#join();
      case "promote":
        return this.#promote(learner, null);
      case "replace":
        return this.#promote(learner, this.#random.pickIfAny(voters.filter((member) => !this.#member(member).exists)) ?? voter);
      case "remove":
      case "forceRemove": {
        const leaver = this.#random.chance(0.2) ? this.#random.pick(allMembers(this.#newest)) : voter;
        return this.#ask({ type: "remove", incarnation: leaver.incarnation }, action === "forceRemove");
      }
      case "retire":
        return this.#retire();
      case "loseDisk":
        return this.#loseDisk();
    }
  }

  /** Starts everybody who belongs to the newest configuration and never joined. */
  joinAll(): void {
    for (const info of allMembers(this.#newest)) if (!this.#member(info).founded) this.#cluster.join(memberNumber(info.incarnation));
  }

  /** Whether the disks of a majority are left of every configuration that somebody may still need or get chosen (rule 16a). */
  get canServe(): boolean {
    return this.#needed().every((configuration) => isMajority(configuration, (number) => this.#cluster.member(number).exists));
  }

  get #newest(): Configuration {
    return (this.#cluster.checker.configurations.at(-1) as { configuration: Configuration }).configuration;
  }

  #member({ incarnation }: MemberInfo): ReturnType<SimulatedCluster["member"]> {
    return this.#cluster.member(memberNumber(incarnation));
  }

  /** Every configuration from the last one on whose change is done, and those that are proposed. */
  #needed(): Configuration[] {
    const { checker } = this.#cluster;
    const decided = checker.configurations.filter(({ slot }) => slot >= checker.doneSlot).map(({ configuration }) => configuration);
    return [...decided, ...checker.undecidedConfigurations()];
  }

  #add(): void {
    const spare = this.#random.pickIfAny(this.#cluster.members.filter(({ founded }) => !founded));
    if (spare !== undefined) this.#ask({ type: "addLearner", member: memberInfo(spare.number) });
  }

  #join(): void {
    const waiting = allMembers(this.#newest).filter((info) => !this.#member(info).founded);
    const joining = this.#random.pickIfAny(waiting);
    if (joining !== undefined) this.#cluster.join(memberNumber(joining.incarnation));
  }

  #promote(learner: MemberInfo | undefined, replaced: MemberInfo | null): void {
    if (learner === undefined) return;
    this.#ask({ type: "promote", incarnation: learner.incarnation, replaces: replaced?.incarnation ?? null });
  }

  /** Asks the leader mostly; with a plan made from some member's view now and then. */
  #ask(change: ConfigurationChange, force = false): void {
    const { running } = this.#cluster;
    const leaders = running.filter(({ leads }) => leads);
    const asked = this.#random.chance(0.9) && leaders.length > 0 ? this.#random.pick(leaders) : this.#random.pickIfAny(running);
    if (asked === undefined) return;
    const plannedFrom = this.#random.chance(0.2) ? asked.status().configurationSlot : null;
    this.#cluster.change(asked.number, change, { force, plannedFrom });
  }

  /** Whoever left is deleted as soon as somebody says that this is done. */
  #retire(): void {
    const { members } = this.#cluster;
    const needed = this.#needed();
    for (const member of members) {
      const belongs = needed.some((configuration) => allMembers(configuration).some(({ incarnation }) => incarnation === memberIncarnation(member.number)));
      if (member.exists && !belongs) this.#cluster.loseDisk(member.number);
    }
  }

  /** One disk more is lost, if the cluster must survive that. */
  #loseDisk(): void {
    const { number } = this.#random.pick(this.#cluster.members.filter(({ exists }) => exists));
    const survives = this.#needed().every((configuration) => isMajority(configuration, (each) => each !== number && this.#cluster.member(each).exists));
    if (survives) this.#cluster.loseDisk(number);
  }
}
