import { type Configuration, isVoter, quorumSize } from "../paxos/configuration.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";

/** Every so many slots the checksum is kept for comparison. */
const CHECKPOINT_SLOTS = 64;
/** Checkpoints that are kept; what is older is not compared any more. */
const KEPT = 64;

export type Agreement =
  | { readonly kind: "fine" }
  /** A majority has another state at `slot`: this member is wrong. */
  | { readonly kind: "minority"; readonly slot: Slot; readonly majority: readonly Incarnation[] }
  /** Every voter told its checksum and no majority agrees: nobody knows who is right. */
  | { readonly kind: "none"; readonly slot: Slot };

/**
 * Compares running checksums of applied state at agreed slots (rule 6): each member tells its newest checkpoint about once
 * a second, and judges itself by what a majority of voters told.
 */
export class ChecksumWatch {
  readonly #self: Incarnation;
  readonly #told = new Map<Slot, Map<Incarnation, number>>();
  #newest: { readonly slot: Slot; readonly checksum: number } | null = null;

  constructor(self: Incarnation) {
    this.#self = self;
  }

  /** This member applied `slot`. Cheap unless it is a checkpoint. */
  applied(slot: Slot, checksum: number): boolean {
    if (slot % CHECKPOINT_SLOTS !== 0) return false;
    this.#newest = { slot, checksum };
    this.#note(this.#self, slot, checksum);
    return true;
  }

  /** The newest own checkpoint, to be told to the others. */
  get newest(): { readonly slot: Slot; readonly checksum: number } | null {
    return this.#newest;
  }

  heard(from: Incarnation, slot: Slot, checksum: number): void {
    if (slot % CHECKPOINT_SLOTS === 0) this.#note(from, slot, checksum);
  }

  #note(member: Incarnation, slot: Slot, checksum: number): void {
    let told = this.#told.get(slot);
    if (told === undefined) {
      told = new Map();
      this.#told.set(slot, told);
      if (this.#told.size > KEPT) this.#told.delete(Math.min(...this.#told.keys()) as Slot);
    }
    told.set(member, checksum);
  }

  /** Judges this member's state at every checkpoint that it holds. */
  judge(configuration: Configuration): Agreement {
    for (const [slot, told] of this.#told) {
      const own = told.get(this.#self);
      if (own === undefined) continue;
      const byChecksum = new Map<number, Incarnation[]>();
      for (const [member, checksum] of told) {
        if (isVoter(configuration, member)) byChecksum.set(checksum, [...(byChecksum.get(checksum) ?? []), member]);
      }
      const quorum = quorumSize(configuration);
      const majority = [...byChecksum].find(([, members]) => members.length >= quorum);
      if (majority !== undefined && majority[0] !== own) return { kind: "minority", slot, majority: majority[1] };
      const tellers = [...byChecksum.values()].reduce((sum, members) => sum + members.length, 0);
      if (majority === undefined && tellers === configuration.voters.length) return { kind: "none", slot };
    }
    return { kind: "fine" };
  }

  /** The state was replaced: what it was before means nothing. */
  reset(): void {
    this.#told.clear();
    this.#newest = null;
  }
}
