import { type Ballot, ballotsEqual, compareBallots, maxBallot, ZERO_BALLOT } from "../paxos/ballot.ts";
import { type Configuration, isMember } from "../paxos/configuration.ts";
import type { ChosenEntry } from "../paxos/interface.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import type { Accept, Accepted, Message, PromiseReply, ValueBytes } from "../paxos/messages.ts";
import type { LogRecord, RecoveredState } from "../paxos/records.ts";
import { bytesEqual } from "../paxos/replica-log.ts";
import { decodeControlValue } from "../paxos/value.ts";
import { type ConfigurationInForce, Decisions, isMajority } from "./decisions.ts";
import type { Disk } from "./disk.ts";
import { ballotName, ballotNumber, commandTexts, configurationName, memberIncarnation, memberNumber, valueDigest } from "./names.ts";
import type { ReplicaSnapshot } from "./replica.ts";
import { Violation } from "./violation.ts";

export { Violation } from "./violation.ts";

/** What left a member in any of its lives, which it may never take back. */
interface Vouched {
  promised: Ballot;
  ownRound: number;
}

/**
 * Watches a whole cluster from outside, where all disks can be seen at once. Everything that members say, propose or apply is held
 * against what the disks of those who govern a slot have decided. It shares no code with the members' own counting.
 */
export class Checker {
  readonly #decisions: Decisions;
  /** slot → ballot → the one value proposed there. */
  readonly #proposed = new Map<number, Map<number, ValueBytes>>();
  /** ballot → the highest slot in which it proposed a configuration. */
  readonly #configurationProposed = new Map<number, number>();
  /** slot → the configurations that were proposed there. */
  readonly #configurationsIn = new Map<number, Configuration[]>();
  #lastConfigurationIn = 0;
  #doneSlot = 0;
  /** ballot → who promised it, all told. */
  readonly #promisedBy = new Map<number, Set<number>>();
  /** Every command of slots 1 to n, in order; `#commandEnds[n]` is how many of them belong to slots up to n. Read when somebody asks. */
  readonly #commands: string[] = [];
  readonly #commandEnds: number[] = [0];
  /** ballot → the member and life that led in it. */
  readonly #leaders = new Map<string, string>();
  readonly #vouched = new Map<number, Vouched>();
  /** Per member, the highest ballot among the records of its life. */
  readonly #recorded = new Map<number, Ballot>();
  /** Per member, up to where its life knows slots to be chosen, as far as it recorded that. */
  readonly #knownChosen = new Map<number, number>();
  readonly #certainlyFailed = new Set<string>();
  /** Per member, the acknowledgement that was looked at last: the next one mostly goes on from there. A vote is never taken back. */
  readonly #acknowledged = new Map<number, { readonly ballot: Ballot; readonly from: number; readonly through: number }>();

  constructor(configuration: Configuration) {
    this.#decisions = new Decisions(configuration);
  }

  /** Every slot up to here is decided. */
  get decidedThrough(): number {
    return this.#decisions.through;
  }

  decided(slot: number): ValueBytes | undefined {
    return this.#decisions.decided(slot);
  }

  /** All configurations that were ever in force, the founding one first. */
  get configurations(): readonly ConfigurationInForce[] {
    return this.#decisions.configurations;
  }

  /** The slot of the newest configuration of which some leader said that its change is done. */
  get doneSlot(): number {
    return this.#doneSlot;
  }

  /** Configurations that were proposed and may yet be decided. */
  undecidedConfigurations(): readonly Configuration[] {
    if (this.#lastConfigurationIn <= this.decidedThrough) return [];
    return [...this.#configurationsIn].flatMap(([slot, configurations]) => (slot > this.decidedThrough ? configurations : []));
  }

  /** A member recorded something, not yet durably. Promises never fall (rule 1: accepting is promising). */
  recorded(member: number, record: LogRecord): void {
    if (record.type === "chosen") this.#knownChosen.set(member, record.through);
    if (record.type === "campaign") this.#checkMayCampaign(member, record.ballot);
    if (record.type !== "promised" && record.type !== "campaign" && record.type !== "accepted") return;
    const highest = this.#recorded.get(member) ?? ZERO_BALLOT;
    if (compareBallots(record.ballot, highest) < 0) {
      throw new Violation(`member ${member} recorded ${record.type} ${ballotName(record.ballot)} below its promise ${ballotName(highest)}`);
    }
    this.#recorded.set(member, record.ballot);
    if (record.type === "accepted" && memberNumber(record.ballot.incarnation) === member) this.#checkProposal(member, record);
  }

  /** Whoever knows that it left campaigns no more (rule 18): no later entry takes it in again under the same incarnation. */
  #checkMayCampaign(member: number, ballot: Ballot): void {
    const known = this.configurations.filter(({ slot }) => slot <= (this.#knownChosen.get(member) ?? 0));
    const belongs = ({ configuration }: ConfigurationInForce): boolean => isMember(configuration, memberIncarnation(member));
    if (known.some(belongs) && !belongs(known.at(-1) as ConfigurationInForce)) {
      throw new Violation(`member ${member} campaigns at ${ballotName(ballot)} and knows that it left`);
    }
  }

  /**
   * A leader proposes in a slot only with the promises of a majority of those who govern it, and only when it is decided who they
   * are: nothing is proposed above a configuration of its own ballot that is not decided (rule 16).
   */
  #checkProposal(member: number, { slot, ballot, value }: Extract<LogRecord, { type: "accepted" }>): void {
    const number = ballotNumber(ballot);
    const last = this.#configurationProposed.get(number) ?? 0;
    if (slot > last && last > this.decidedThrough) {
      throw new Violation(`member ${member} proposed slot ${slot} at ${ballotName(ballot)} above the configuration in slot ${last}, which is not decided`);
    }
    const { configuration } = this.#governingAt(slot, ballot);
    const promised = this.#promisedBy.get(number);
    if (!isMajority(configuration, (voter) => voter === member || promised?.has(voter) === true)) {
      throw new Violation(`member ${member} proposed slot ${slot} at ${ballotName(ballot)} without the promises of ${configurationName(configuration)}`);
    }
    this.#propose(slot, ballot, value);
    const control = decodeControlValue(value);
    if (control?.kind !== "configuration") return;
    this.#configurationProposed.set(number, Math.max(last, slot));
    this.#lastConfigurationIn = Math.max(this.#lastConfigurationIn, slot);
    this.#configurationsIn.set(slot, [...(this.#configurationsIn.get(slot) ?? []), control.configuration]);
  }

  /** Who governs `slot` for the leader of `ballot`: one that proposed another value in the slot of a configuration cannot know of it. */
  #governingAt(slot: number, ballot: Ballot): ConfigurationInForce {
    const known = this.configurations.findLast((each) => {
      const own = this.#proposed.get(each.slot)?.get(ballotNumber(ballot));
      return each.slot < slot && (own === undefined || bytesEqual(own, this.decided(each.slot) as ValueBytes));
    });
    return known as ConfigurationInForce;
  }

  /** A record is durable: an accepted value counts as this member's vote. */
  durable(member: number, record: LogRecord): void {
    if (record.type !== "accepted") return;
    this.#propose(record.slot, record.ballot, record.value);
    for (const { value } of this.#decisions.vote(member, record)) this.#checkNotFailed(value);
  }

  #checkNotFailed(value: ValueBytes): void {
    if (this.#certainlyFailed.size === 0) return;
    const failed = commandTexts(value).find((text) => this.#certainlyFailed.has(text));
    if (failed !== undefined) throw new Violation(`${failed} was decided though its proposal had failed for certain`);
  }

  #propose(slot: number, ballot: Ballot, value: ValueBytes): void {
    let proposed = this.#proposed.get(slot);
    if (proposed === undefined) this.#proposed.set(slot, (proposed = new Map()));
    const known = proposed.get(ballotNumber(ballot));
    if (known === undefined) proposed.set(ballotNumber(ballot), value);
    else if (!bytesEqual(known, value)) throw new Violation(`two values were proposed in ${slot}@${ballotName(ballot)}: ${valueDigest(known)} and ${valueDigest(value)}`);
  }

  /** Only scenarios ask for commands one by one, so they are read from the decided values when they do. */
  #readDecided(): void {
    while (this.#commandEnds.length <= this.decidedThrough) {
      this.#commands.push(...commandTexts(this.decided(this.#commandEnds.length) as ValueBytes));
      this.#commandEnds.push(this.#commands.length);
    }
  }

  /** A message leaves a member: what it vouches for must be on the member's disk (rule 5), and true. */
  leaves(member: number, message: Message, disk: Disk): void {
    switch (message.type) {
      case "prepare":
        this.#vouch(member, message.ballot, message.ballot.round);
        return this.#mustBeDurable(member, disk, message.type);
      case "promise":
        this.#vouch(member, message.ballot, 0);
        this.#mustBeDurable(member, disk, message.type);
        this.#checkReport(member, message, disk);
        return this.#promise(member, message);
      case "promiseNeedsSnapshot":
        this.#vouch(member, message.ballot, 0);
        return this.#mustBeDurable(member, disk, message.type);
      case "accepted":
        this.#vouch(member, message.ballot, 0);
        return this.#checkVotes(member, message);
      case "accept":
        return this.#checkAccept(member, message);
      case "heartbeat":
        return this.#checkChosen(member, message.chosenThrough);
      default:
    }
  }

  #promise(member: number, { ballot, nextSlot }: PromiseReply): void {
    if (nextSlot !== null) return;
    const number = ballotNumber(ballot);
    const promised = this.#promisedBy.get(number);
    if (promised === undefined) this.#promisedBy.set(number, new Set([member]));
    else promised.add(member);
  }

  #vouch(member: number, ballot: Ballot, ownRound: number): void {
    let vouched = this.#vouched.get(member);
    if (vouched === undefined) this.#vouched.set(member, (vouched = { promised: ZERO_BALLOT, ownRound: 0 }));
    vouched.promised = maxBallot(vouched.promised, ballot);
    vouched.ownRound = Math.max(vouched.ownRound, ownRound);
  }

  #mustBeDurable(member: number, disk: Disk, what: string): void {
    const { promised, ownRound } = this.#vouched.get(member) as Vouched;
    if (compareBallots(disk.promised, promised) >= 0 && disk.ownRound >= ownRound) return;
    throw new Violation(`member ${member} sent ${what} for ${ballotName(promised)} before that was durable`);
  }

  /**
   * A promise tells everything that was accepted below its ballot in the slots it covers (rules 3 and 21). What was accepted
   * at its ballot, or learned, may have come after it was written, while it waited for the disk.
   */
  #checkReport(member: number, { ballot, fromSlot, nextSlot, entries }: PromiseReply, disk: Disk): void {
    const reported = new Map(entries.map((entry) => [entry.slot as number, entry]));
    for (const [slot, held] of disk.entries) {
      if (slot < fromSlot || slot >= (nextSlot ?? Infinity) || held.learned || compareBallots(held.ballot, ballot) >= 0) continue;
      const entry = reported.get(slot);
      const told = entry !== undefined && (entry.chosen || compareBallots(entry.ballot, held.ballot) >= 0);
      if (!told) throw new Violation(`member ${member} promised ${ballotName(ballot)} and kept slot ${slot} to itself`);
    }
    for (const { slot, ballot: at, chosen } of entries) {
      if (chosen || this.#decisions.holds(member, slot, at)) continue;
      throw new Violation(`member ${member} reported slot ${slot} at ${ballotName(at)} before that was durable`);
    }
  }

  #checkVotes(member: number, { ballot, from, through }: Accepted): void {
    const known = this.#acknowledged.get(member);
    const isMore = known !== undefined && ballotsEqual(known.ballot, ballot) && known.from <= from && known.through >= from;
    for (let slot = isMore ? known.through + 1 : from; slot <= through; slot++) {
      if (this.#decisions.holds(member, slot, ballot)) continue;
      throw new Violation(`member ${member} acknowledged slot ${slot} at ${ballotName(ballot)} without holding it durably`);
    }
    this.#acknowledged.set(member, { ballot, from, through: isMore ? Math.max(known.through, through) : through });
  }

  #checkAccept(member: number, { ballot, firstSlot, values, chosenThrough }: Accept): void {
    values.forEach((value, index) => this.#propose(firstSlot + index, ballot, value));
    this.#checkChosen(member, chosenThrough);
  }

  #checkChosen(member: number, through: number): void {
    if (through > this.decidedThrough) throw new Violation(`member ${member} said chosen ≤ ${through}, decided is ≤ ${this.decidedThrough}`);
  }

  won(member: number, life: number, ballot: Ballot): void {
    const name = ballotName(ballot);
    const leader = `member ${member} in life ${life}`;
    const known = this.#leaders.get(name);
    if (known !== undefined) throw new Violation(`${known} and ${leader} both won ballot ${name}`);
    if (memberNumber(ballot.incarnation) !== member) throw new Violation(`${leader} won ballot ${name}, which is not its own`);
    this.#leaders.set(name, leader);
  }

  /** A member applies an entry: it must be what was decided. */
  applied(member: number, { slot, value }: ChosenEntry): void {
    const decided = this.decided(slot);
    if (decided !== undefined && bytesEqual(decided, value)) return;
    const truth = decided === undefined ? "nothing is decided there" : `${valueDigest(decided)} is decided there`;
    throw new Violation(`member ${member} applied ${valueDigest(value)} in slot ${slot}, but ${truth}`);
  }

  /** A state is that of the decided slots up to its own. */
  holds(member: number, { handle, commands }: ReplicaSnapshot): void {
    this.#readDecided();
    const end = this.#commandEnds[handle.slot];
    const same = end === commands.length && commands.every((text, index) => this.#commands[index] === text);
    if (!same) throw new Violation(`member ${member} holds another state than that of the decided slots up to ${handle.slot}`);
  }

  /**
   * A leader says that the change at `slot` is done (rule 16a): by then the disks of a majority of those who govern what follows hold
   * every slot up to it and the record that they are chosen, and something above is decided.
   */
  done(member: number, slot: number, diskOf: (member: number) => Disk): void {
    this.#checkDone(`member ${member} said that the change at slot ${slot} is done`, slot, diskOf);
    this.#doneSlot = Math.max(this.#doneSlot, slot);
  }

  #checkDone(claim: string, slot: number, diskOf: (member: number) => Disk): void {
    const set = this.configurations.find((known) => known.slot === slot);
    if (set === undefined) throw new Violation(`${claim}, but no configuration is decided there`);
    if (this.decidedThrough <= slot) throw new Violation(`${claim}, but nothing above is decided`);
    const { configuration } = set;
    const holding = isMajority(configuration, (voter) => diskOf(voter).chosenThrough >= slot);
    if (!holding) throw new Violation(`${claim}, but too few of ${configurationName(configuration)} hold what lies below and know it chosen`);
  }

  /** A change was answered as done at `slot`: the configuration set there has it, and it is done by whatever leader's word (rule 16a). */
  changed(change: ConfigurationChange, slot: number, diskOf: (member: number) => Disk): void {
    const set = this.configurations.find((known) => known.slot === slot);
    const { voters, learners } = set?.configuration ?? { voters: [], learners: [] };
    const votes = (incarnation: string | null): boolean => voters.some((member) => member.incarnation === incarnation);
    const learns = (incarnation: string): boolean => learners.some((member) => member.incarnation === incarnation);
    const made = change.type === "addLearner" ? votes(change.member.incarnation) || learns(change.member.incarnation)
      : change.type === "promote" ? votes(change.incarnation) && !votes(change.replaces)
      : !votes(change.incarnation) && !learns(change.incarnation);
    if (set === undefined || !made) throw new Violation(`a change was answered as done at slot ${slot}, and the configuration there is without it`);
    this.#checkDone(`a change was answered as done at slot ${slot}`, slot, diskOf);
  }

  /** A proposal failed in a way that says: certainly never executed. */
  failedForCertain(texts: readonly string[]): void {
    this.#readDecided();
    for (const text of texts) {
      if (this.#commands.includes(text)) throw new Violation(`${text} is decided, yet its proposal failed for certain`);
      this.#certainlyFailed.add(text);
    }
  }

  /** A member begins a new life with what its disk kept. */
  recovered(member: number, { promised, ownRound, chosenThrough }: RecoveredState): void {
    this.#recorded.set(member, promised);
    this.#knownChosen.set(member, chosenThrough);
    const vouched = this.#vouched.get(member);
    if (vouched === undefined) return;
    if (compareBallots(promised, vouched.promised) < 0) {
      throw new Violation(`member ${member} forgot its promise ${ballotName(vouched.promised)}: it is back at ${ballotName(promised)}`);
    }
    if (ownRound < vouched.ownRound) throw new Violation(`member ${member} forgot that it used round ${vouched.ownRound}`);
  }
}
