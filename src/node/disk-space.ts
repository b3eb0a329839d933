import { type Configuration, isVoter, quorumSize } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Message } from "../paxos/messages.ts";
import { decodeValue } from "../paxos/value.ts";
import { growsState } from "../state/commands.ts";

/** Whose disks are full, as far as this member has heard (rule 15). */
export class DiskSpace {
  readonly #self: Incarnation;
  readonly #fullMembers = new Set<Incarnation>();

  constructor(self: Incarnation) {
    this.#self = self;
  }

  /** This member's own disk. */
  get full(): boolean {
    return this.#fullMembers.has(this.#self);
  }

  heard(member: Incarnation, full: boolean): void {
    if (full) this.#fullMembers.add(member);
    else this.#fullMembers.delete(member);
  }

  heardOwn(full: boolean): void {
    this.heard(this.#self, full);
  }

  /** A member that is not linked takes no part, whatever its disk is like. */
  forget(member: Incarnation): void {
    this.#fullMembers.delete(member);
  }

  /** Whether a leader here refuses what makes the state grow: it could not keep it, or no quorum could. */
  refusesGrowth(configuration: Configuration): boolean {
    const withRoom = configuration.voters.filter(({ incarnation }) => !this.#fullMembers.has(incarnation)).length;
    return this.full || withRoom < quorumSize(configuration);
  }

  /** A linked voter to which a leader with a full disk hands over; null: there is none that would be better off. */
  successor(configuration: Configuration, linked: ReadonlySet<Incarnation>): Incarnation | null {
    if (!this.full || !isVoter(configuration, this.#self)) return null;
    const withRoom = configuration.voters.filter(({ incarnation }) => !this.#fullMembers.has(incarnation));
    if (withRoom.length < quorumSize(configuration)) return null;
    return withRoom.find(({ incarnation }) => linked.has(incarnation))?.incarnation ?? null;
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
