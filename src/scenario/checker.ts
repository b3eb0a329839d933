import { type Ballot, ballotsEqual, compareBallots, maxBallot, ZERO_BALLOT } from "../paxos/ballot.ts";
import { quorumSize, type Configuration } from "../paxos/configuration.ts";
import type { ChosenEntry } from "../paxos/interface.ts";
import type { Accept, Accepted, Message, PromiseReply, ValueBytes } from "../paxos/messages.ts";
import type { LogRecord, RecoveredState } from "../paxos/records.ts";
import { bytesEqual } from "../paxos/replica-log.ts";
import type { Disk } from "./disk.ts";
import { ballotName, commandTexts, memberNumber, valueName } from "./names.ts";
import type { ReplicaSnapshot } from "./replica.ts";

/** Something happened that Paxos rules out. */
export class Violation extends Error {
  override name = "Violation";
}

/** What left a member in any of its lives, which it may never take back. */
interface Vouched {
  promised: Ballot;
  ownRound: number;
}

/**
 * Watches a whole cluster from outside, where all disks can be seen at once. A slot is decided when a quorum's disks hold
 * it at one ballot; everything that members say or apply is held against that. It shares no code with the members' own counting.
 */
export class Checker {
  readonly #quorum: number;
  /** slot@ballot → members whose disks hold it. */
  readonly #votes = new Map<string, Set<number>>();
  /** slot@ballot → the one value proposed there. */
  readonly #proposed = new Map<string, ValueBytes>();
  readonly #decided = new Map<number, ValueBytes>();
  #decidedThrough = 0;
  /** Every command of slots 1 to n, in order; `#commandEnds[n]` is how many of them belong to slots up to n. */
  readonly #commands: string[] = [];
  readonly #commandEnds: number[] = [0];
  /** ballot → the member and life that led in it. */
  readonly #leaders = new Map<string, string>();
  readonly #vouched = new Map<number, Vouched>();
  /** Per member, the highest ballot among the records of its life. */
  readonly #recorded = new Map<number, Ballot>();
  readonly #certainlyFailed = new Set<string>();
  /** Per member, the acknowledgement that was looked at last: the next one mostly goes on from there. A vote is never taken back. */
  readonly #acknowledged = new Map<number, { readonly ballot: Ballot; readonly from: number; readonly through: number }>();

  constructor(configuration: Configuration) {
    this.#quorum = quorumSize(configuration);
  }

  /** Every slot up to here is decided. */
  get decidedThrough(): number {
    return this.#decidedThrough;
  }

  decided(slot: number): ValueBytes | undefined {
    return this.#decided.get(slot);
  }

  /** A member recorded something, not yet durably. Promises never fall (rule 1: accepting is promising). */
  recorded(member: number, record: LogRecord): void {
    if (record.type !== "promised" && record.type !== "campaign" && record.type !== "accepted") return;
    const highest = this.#recorded.get(member) ?? ZERO_BALLOT;
    if (compareBallots(record.ballot, highest) < 0) {
      throw new Violation(`member ${member} recorded ${record.type} ${ballotName(record.ballot)} below its promise ${ballotName(highest)}`);
    }
    this.#recorded.set(member, record.ballot);
  }

  /** A record is durable: an accepted value counts as this member's vote. */
  durable(member: number, record: LogRecord): void {
    if (record.type !== "accepted") return;
    const key = voteKey(record.slot, record.ballot);
    this.#propose(key, record.value);
    let members = this.#votes.get(key);
    if (members === undefined) this.#votes.set(key, (members = new Set()));
    members.add(member);
    if (members.size >= this.#quorum) this.#decide(record.slot, record.value);
  }

  #propose(key: string, value: ValueBytes): void {
    const known = this.#proposed.get(key);
    if (known === undefined) this.#proposed.set(key, value);
    else if (!bytesEqual(known, value)) throw new Violation(`two values were proposed in ${key}: ${valueName(known)} and ${valueName(value)}`);
  }

  #decide(slot: number, value: ValueBytes): void {
    const known = this.#decided.get(slot);
    if (known === undefined) this.#decided.set(slot, value);
    else if (!bytesEqual(known, value)) throw new Violation(`slot ${slot} was decided twice: ${valueName(known)} and ${valueName(value)}`);
    for (;;) {
      const next = this.#decided.get(this.#decidedThrough + 1);
      if (next === undefined) return;
      this.#decidedThrough += 1;
      for (const text of commandTexts(next)) {
        if (this.#certainlyFailed.has(text)) throw new Violation(`${text} was decided though its proposal had failed for certain`);
        this.#commands.push(text);
      }
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
        return this.#checkReport(member, message, disk);
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

  #vouch(member: number, ballot: Ballot, ownRound: number): void {
    const before = this.#vouched.get(member) ?? { promised: ZERO_BALLOT, ownRound: 0 };
    this.#vouched.set(member, { promised: maxBallot(before.promised, ballot), ownRound: Math.max(before.ownRound, ownRound) });
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
      if (chosen || this.#votes.get(voteKey(slot, at))?.has(member) === true) continue;
      throw new Violation(`member ${member} reported slot ${slot} at ${ballotName(at)} before that was durable`);
    }
  }

  #checkVotes(member: number, { ballot, from, through }: Accepted): void {
    const known = this.#acknowledged.get(member);
    const isMore = known !== undefined && ballotsEqual(known.ballot, ballot) && known.from <= from && known.through >= from;
    for (let slot = isMore ? known.through + 1 : from; slot <= through; slot++) {
      if (this.#votes.get(voteKey(slot, ballot))?.has(member) === true) continue;
      throw new Violation(`member ${member} acknowledged slot ${slot} at ${ballotName(ballot)} without holding it durably`);
    }
    this.#acknowledged.set(member, { ballot, from, through: isMore ? Math.max(known.through, through) : through });
  }

  #checkAccept(member: number, { ballot, firstSlot, values, chosenThrough }: Accept): void {
    values.forEach((value, index) => this.#propose(voteKey(firstSlot + index, ballot), value));
    this.#checkChosen(member, chosenThrough);
  }

  #checkChosen(member: number, through: number): void {
    if (through > this.#decidedThrough) throw new Violation(`member ${member} said chosen ≤ ${through}, decided is ≤ ${this.#decidedThrough}`);
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
    const decided = this.#decided.get(slot);
    if (decided !== undefined && bytesEqual(decided, value)) return;
    const truth = decided === undefined ? "nothing is decided there" : `${valueName(decided)} is decided there`;
    throw new Violation(`member ${member} applied ${valueName(value)} in slot ${slot}, but ${truth}`);
  }

  /** A state is that of the decided slots up to its own. */
  holds(member: number, { handle, commands }: ReplicaSnapshot): void {
    const end = this.#commandEnds[handle.slot];
    const same = end === commands.length && commands.every((text, index) => this.#commands[index] === text);
    if (!same) throw new Violation(`member ${member} holds another state than that of the decided slots up to ${handle.slot}`);
  }

  /** A proposal failed in a way that says: certainly never executed. */
  failedForCertain(texts: readonly string[]): void {
    for (const text of texts) {
      if (this.#commands.includes(text)) throw new Violation(`${text} is decided, yet its proposal failed for certain`);
      this.#certainlyFailed.add(text);
    }
  }

  /** A member begins a new life with what its disk kept. */
  recovered(member: number, { promised, ownRound }: RecoveredState): void {
    this.#recorded.set(member, promised);
    const vouched = this.#vouched.get(member);
    if (vouched === undefined) return;
    if (compareBallots(promised, vouched.promised) < 0) {
      throw new Violation(`member ${member} forgot its promise ${ballotName(vouched.promised)}: it is back at ${ballotName(promised)}`);
    }
    if (ownRound < vouched.ownRound) throw new Violation(`member ${member} forgot that it used round ${vouched.ownRound}`);
  }
}

function voteKey(slot: number, ballot: Ballot): string {
  return `${slot}@${ballotName(ballot)}`;
}
