import { type Configuration, isQuorum, isVoter } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Message } from "../paxos/messages.ts";
import { decodeValue } from "../paxos/value.ts";
import { growsState } from "../state/commands.ts";

/** Whose disks are full, as far as this member has heard, and whether a quorum within its reach has room (rule 15). */
export class DiskSpace {
  readonly #self: Incarnation;
  /** Whether the disk is full, of this member and of each that it has a link with. */
  readonly #disks = new Map<Incarnation, boolean>();

  constructor(self: Incarnation) {
    this.#self = self;
    this.#disks.set(self, false);
  }

  /** This member's own disk. */
  get full(): boolean {
    return this.#isFull(this.#self);
  }

  heard(member: Incarnation, full: boolean): void {
    this.#disks.set(member, full);
  }

  heardOwn(full: boolean): void {
    this.heard(this.#self, full);
  }

  /** A member that is not linked takes no part, whatever its disk is like. */
  forget(member: Incarnation): void {
    this.#disks.delete(member);
  }

  /**
   * Whether a leader here refuses what makes the state grow: it could not keep it, or no quorum that it reaches could. Without any
   * quorum within reach nobody's disk is to blame.
   */
  refusesGrowth(configuration: Configuration): boolean {
    return this.full || (isQuorum(configuration, (voter) => this.#disks.has(voter)) && !this.#reachesRoom(configuration));
  }

  /**
   * A voter with a link and with room to which a leader that refuses growth hands over, among those that fit; null: there is none, or none would be
   * better off. Whether this one is, it knows itself: see `mayLead`.
   */
  successor(configuration: Configuration, fits: (voter: Incarnation) => boolean): Incarnation | null {
    if (!isVoter(configuration, this.#self) || !this.refusesGrowth(configuration) || !this.#roomIsLeft(configuration)) return null;
    return configuration.voters.find(({ incarnation }) => incarnation !== this.#self && this.#hasRoom(incarnation) && fits(incarnation))?.incarnation ?? null;
  }

  /** Whether to take over when the leader asks: not where no quorum within reach has room, unless there is none for anybody. */
  mayLead(configuration: Configuration): boolean {
    return this.#reachesRoom(configuration) || !this.#roomIsLeft(configuration);
  }

  /** Of so many voters nothing is known against their having room that they are a quorum. */
  #roomIsLeft(configuration: Configuration): boolean {
    return isQuorum(configuration, (voter) => !this.#isFull(voter));
  }

  #reachesRoom(configuration: Configuration): boolean {
    return isQuorum(configuration, (voter) => this.#hasRoom(voter));
  }

  #hasRoom(member: Incarnation): boolean {
    return this.#disks.get(member) === false;
  }

  #isFull(member: Incarnation): boolean {
    return this.#disks.get(member) === true;
  }
}

/** Whether keeping what the message brings makes the state grow. A member with scarce space takes it for lost. */
export function bringsGrowth(message: Message): boolean {
  if (message.type !== "accept" && message.type !== "chosenEntries") return false;
  return message.values.some((bytes) => {
    const value = decodeValue(bytes);
    return value.kind === "commands" && value.commands.some(growsState);
  });
}
