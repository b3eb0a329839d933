import { type Ballot, ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { PaxosCore } from "../../src/paxos/core.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { Effects, Input, Limits } from "../../src/paxos/interface.ts";
import type { ConfigurationChange } from "../../src/paxos/membership.ts";
import type { Message, MessageType, OutgoingMessage, ReportedEntry } from "../../src/paxos/messages.ts";
import type { LogRecord, RecoveredState, SnapshotHandle } from "../../src/paxos/records.ts";
import { encodeValue } from "../../src/paxos/value.ts";
import { memberIncarnation, memberInfo, memberNumber, scenarioConfiguration, valueName } from "../../src/scenario/names.ts";

export const NOTHING: RecoveredState = { promised: ZERO_BALLOT, ownRound: 0, snapshot: null, entries: [], chosenThrough: slot(0) };

export function ballot(round: number, member: number): Ballot {
  return { round, incarnation: memberIncarnation(member) };
}

/** A value of one command, as proposed by `member` in `round`. */
export function commands(text: string, round = 1, member = 1): Uint8Array {
  return encodeValue({ kind: "commands", origin: ballot(round, member), commands: [new TextEncoder().encode(text)] });
}

export function snapshotHandle(at: number, size = 3): SnapshotHandle {
  return {
    slot: slot(at), configuration: scenarioConfiguration(size), configurationSlot: slot(0), leaderBallot: ballot(1, 1), promised: ballot(1, 1), cluster: "c".repeat(32), checksum: 0,
  };
}

export interface LoneCoreOptions {
  readonly size?: number;
  /** Instead of members 1 to `size`. */
  readonly configuration?: Configuration;
  readonly configurationSlot?: number;
  readonly recovered?: RecoveredState;
  readonly limits?: Partial<Limits>;
}

/** A configuration of members by their numbers. */
export function members(voters: readonly number[], learners: readonly number[] = [], removed: readonly number[] = []): Configuration {
  return { voters: voters.map(memberInfo), learners: learners.map(memberInfo), removed: removed.map(memberIncarnation) };
}

/** One core with nobody around it: the test plays all the others. Its disk is fast unless the test says otherwise. */
export class LoneCore {
  readonly core: PaxosCore;
  readonly records: LogRecord[] = [];
  readonly sent: OutgoingMessage[] = [];
  readonly chosen: Effects["chosen"][number][] = [];
  readonly failed: Effects["failedProposals"][number][] = [];
  readonly reads: Effects["reads"][number][] = [];
  readonly changes: Effects["changes"][number][] = [];
  readonly events: Effects["events"][number][] = [];
  readonly snapshots: NonNullable<Effects["fetchSnapshot"]>[] = [];
  fastDisk = true;
  #nowMs = 0;
  #changes = 0;

  constructor(options: LoneCoreOptions = {}) {
    const { size = 3, configuration = scenarioConfiguration(size), configurationSlot = 0, recovered = NOTHING, limits = {} } = options;
    this.core = new PaxosCore({ self: memberIncarnation(1), configuration, configurationSlot: slot(configurationSlot), recovered, limits, nonceSeed: 0 });
    this.settle();
  }

  input(input: Input): this {
    this.core.step(input);
    return this.settle();
  }

  receive(from: number, message: Message): this {
    return this.input({ type: "message", from: memberIncarnation(from), message });
  }

  /** Time passes in steps of one tick. */
  pass(ms: number, random = 0.99): this {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs;) {
      this.#nowMs += 10;
      this.input({ type: "tick", nowMs: this.#nowMs, random });
    }
    return this;
  }

  propose(proposalId: number, text: string): this {
    return this.input({ type: "propose", proposalId, commands: [new TextEncoder().encode(text)] });
  }

  /** Asks for a change; it is answered by its id, counted from 1. */
  change(change: ConfigurationChange, { force = false, plannedFrom = null }: { force?: boolean; plannedFrom?: number | null } = {}): this {
    this.#changes += 1;
    const request = { changeId: this.#changes, change, force, plannedFrom: plannedFrom === null ? null : slot(plannedFrom) };
    return this.input({ type: "changeConfiguration", request });
  }

  /** These members answer the newest heartbeat, and hold and know everything up to `through` even after a restart. */
  hears(others: readonly number[], through = 0): this {
    const { ballot: at, nonce } = this.last("heartbeat");
    for (const other of others) {
      this.receive(other, { type: "heartbeatReply", ballot: at, nonce, chosenThrough: slot(through), durableThrough: slot(through) });
    }
    return this;
  }

  /** These members promise the newest ballot that was asked for, and report `entries`. */
  promises(others: readonly number[], entries: readonly ReportedEntry[] = [], chosenThrough = 0): this {
    const { ballot: at, fromSlot } = this.last("prepare");
    for (const other of others) this.receive(other, { type: "promise", ballot: at, fromSlot, entries, nextSlot: null, chosenThrough: slot(chosenThrough) });
    return this;
  }

  /** What was proposed to a member, each slot once, as `slot=value`. */
  proposed(to: number): string[] {
    const all = this.all("accept", to).flatMap((message) => message.values.map((value, index) => `${message.firstSlot + index}=${valueName(value)}`));
    return [...new Set(all)];
  }

  sync(): this {
    return this.input({ type: "durable", record: this.records.length });
  }

  settle(): this {
    for (let before = -1; before !== this.records.length;) {
      before = this.records.length;
      const effects = this.core.takeEffects();
      this.records.push(...effects.records);
      this.sent.push(...effects.messages);
      this.chosen.push(...effects.chosen);
      this.failed.push(...effects.failedProposals);
      this.reads.push(...effects.reads);
      this.changes.push(...effects.changes);
      this.events.push(...effects.events);
      if (effects.fetchSnapshot !== null) this.snapshots.push(effects.fetchSnapshot);
      if (this.fastDisk && this.records.length > before) this.core.step({ type: "durable", record: this.records.length });
    }
    return this;
  }

  /** All messages of a type that were sent, to one member if named. */
  all<T extends MessageType>(type: T, to?: number): Extract<Message, { type: T }>[] {
    const found = this.sent.filter((each) => each.message.type === type && (to === undefined || memberNumber(each.to) === to));
    return found.map((each) => each.message as Extract<Message, { type: T }>);
  }

  /** The newest message of a type. */
  last<T extends MessageType>(type: T, to?: number): Extract<Message, { type: T }> {
    const found = this.all(type, to).at(-1);
    if (found === undefined) throw new Error(`no ${type} was sent`);
    return found;
  }

  /** Gets the pre-votes and opens a ballot; nobody has promised yet. */
  campaign(others: readonly number[] = [2]): this {
    this.input({ type: "campaign" });
    const { nonce } = this.last("preVote");
    for (const other of others) this.receive(other, { type: "preVoteReply", nonce, granted: true, promised: ZERO_BALLOT, chosenThrough: slot(0) });
    return this;
  }

  /** Wins an election in which the others report nothing; the barrier is not chosen yet. */
  lead(others: readonly number[] = [2]): this {
    this.campaign(others);
    const { ballot: at, fromSlot } = this.last("prepare");
    for (const other of others) {
      this.receive(other, { type: "promise", ballot: at, fromSlot, entries: [], nextSlot: null, chosenThrough: slot(0) });
    }
    return this;
  }

  /** Wins, and has its barrier chosen. */
  serve(others: readonly number[] = [2]): this {
    this.lead(others);
    this.acknowledge(1, others);
    return this;
  }

  /** Time passes for a leader whose heartbeats these members answer. */
  passHeard(ms: number, others: readonly number[] = [2]): this {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs;) this.pass(10).hears(others);
    return this;
  }

  /** The others acknowledge every slot of the leader's ballot up to `through`. */
  acknowledge(through: number, others: readonly number[] = [2]): this {
    const { ballot: at } = this.last("accept");
    for (const other of others) this.receive(other, { type: "accepted", ballot: at, from: slot(1), through: slot(through) });
    return this;
  }
}
