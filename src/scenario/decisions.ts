import type { Ballot } from "../paxos/ballot.ts";
import type { Configuration } from "../paxos/configuration.ts";
import type { ValueBytes } from "../paxos/messages.ts";
import { bytesEqual } from "../paxos/replica-log.ts";
import { decodeControlValue } from "../paxos/value.ts";
import { ballotNumber, memberNumber, valueDigest } from "./names.ts";
import { Violation } from "./violation.ts";

/** A configuration and the slot of the entry that set it; it governs all slots above. */
export interface ConfigurationInForce {
  readonly slot: number;
  readonly configuration: Configuration;
}

export interface DecidedEntry {
  readonly slot: number;
  readonly value: ValueBytes;
}

interface Votes {
  readonly value: ValueBytes;
  readonly members: Set<number>;
}

/**
 * What is decided, seen from outside: a slot is decided when the disks of a majority of the voters that govern it held it at one
 * ballot. Who governs a slot is itself decided below it, so slots are decided in order. Shares no counting with the members.
 */
export class Decisions {
  /** In slot order; the first is the founding one. */
  readonly #configurations: ConfigurationInForce[];
  /** slot → ballot → who voted. A vote that was given is never taken back, not even when its disk is lost. */
  readonly #votes = new Map<number, Map<number, Votes>>();
  /** The value of slot n is the n-th. */
  readonly #decided: ValueBytes[] = [];

  constructor(founding: Configuration) {
    this.#configurations = [{ slot: 0, configuration: founding }];
  }

  /** Every slot up to here is decided. */
  get through(): number {
    return this.#decided.length;
  }

  decided(slot: number): ValueBytes | undefined {
    return this.#decided[slot - 1];
  }

  /** All configurations that were ever in force, the founding one first. */
  get configurations(): readonly ConfigurationInForce[] {
    return this.#configurations;
  }

  /** Who governs `slot`, as far as is decided. */
  governing(slot: number): ConfigurationInForce {
    return this.#configurations.findLast((known) => known.slot < slot) as ConfigurationInForce;
  }

  /** Whether the disk of `member` ever held `slot` at `ballot`. */
  holds(member: number, slot: number, ballot: Ballot): boolean {
    return this.#votes.get(slot)?.get(ballotNumber(ballot))?.members.has(member) === true;
  }

  /** The disk of `member` holds `value` in `slot` at `ballot`. Returns what is decided by that. */
  vote(member: number, { slot, ballot, value }: { slot: number; ballot: Ballot; value: ValueBytes }): DecidedEntry[] {
    let ballots = this.#votes.get(slot);
    if (ballots === undefined) this.#votes.set(slot, (ballots = new Map()));
    const name = ballotNumber(ballot);
    let votes = ballots.get(name);
    if (votes === undefined) ballots.set(name, (votes = { value, members: new Set() }));
    votes.members.add(member);
    if (slot > this.through + 1) return [];
    if (!this.#count(slot, votes)) return [];
    const known = this.decided(slot);
    if (known === undefined) return this.#decideFrom(value);
    if (!bytesEqual(known, value)) throw twoDecisions(slot, known, value);
    return [];
  }

  #decideFrom(value: ValueBytes): DecidedEntry[] {
    const entries: DecidedEntry[] = [];
    for (let next: ValueBytes | undefined = value; next !== undefined; next = this.#majorityAt(this.through + 1)) {
      this.#decided.push(next);
      const entry = { slot: this.through, value: next };
      entries.push(entry);
      const control = decodeControlValue(next);
      if (control?.kind === "configuration") this.#configurations.push({ slot: entry.slot, configuration: control.configuration });
    }
    return entries;
  }

  /** The value that has a majority in the first slot that is not decided. */
  #majorityAt(slot: number): ValueBytes | undefined {
    let found: ValueBytes | undefined;
    for (const votes of this.#votes.get(slot)?.values() ?? []) {
      if (!this.#count(slot, votes)) continue;
      if (found !== undefined && !bytesEqual(found, votes.value)) throw twoDecisions(slot, found, votes.value);
      found = votes.value;
    }
    return found;
  }

  #count(slot: number, { members }: Votes): boolean {
    return isMajority(this.governing(slot).configuration, (member) => members.has(member));
  }
}

function twoDecisions(slot: number, first: ValueBytes, second: ValueBytes): Violation {
  return new Violation(`slot ${slot} was decided twice: ${valueDigest(first)} and ${valueDigest(second)}`);
}

/** Whether the voters of whom `holds` is true are more than half. */
export function isMajority({ voters }: Configuration, holds: (member: number) => boolean): boolean {
  let holding = 0;
  for (const { incarnation } of voters) if (holds(memberNumber(incarnation))) holding += 1;
  return holding * 2 > voters.length;
}
