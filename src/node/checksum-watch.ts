import { type Configuration, isVoter, quorumSize } from "../paxos/configuration.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";

/** Every so many slots the checksum is kept for comparison. */
const CHECKPOINT_SLOTS = 64;
/** A checkpoint of one level is this much rarer than one of the level below. */
const LEVEL_STEP = 8;
/** The rarest checkpoints are 262,144 slots apart, which is more than a cluster gets through between two tellings. */
const LEVELS = 5;
/** Checkpoints of each level that are kept; what is older is not compared any more. */
const KEPT = 16;

export type Agreement =
  | { readonly kind: "fine" }
  /** A majority has another state at `slot`: this member is wrong. */
  | { readonly kind: "minority"; readonly slot: Slot; readonly majority: readonly Incarnation[] }
  /** Voters differ, and this member cannot show a majority for its own state at present: nobody knows who is right. */
  | { readonly kind: "none"; readonly slot: Slot };

export interface Checkpoint {
  readonly slot: Slot;
  readonly checksum: number;
}

/**
 * Compares running checksums of applied state at agreed slots (rule 6): each member tells its newest checkpoints about once
 * a second, and judges itself by what a majority of voters told. Members tell at different moments, between which many slots
 * may pass, so each tells checkpoints of several levels: of one of them the newest stays the same for long enough.
 */
export class ChecksumWatch {
  readonly #self: Incarnation;
  readonly #levels: readonly Map<Slot, Map<Incarnation, number>>[] = Array.from({ length: LEVELS }, () => new Map());
  /** Own checkpoints, the newest of each level that there is one of. */
  readonly #newest = new Map<number, Checkpoint>();

  constructor(self: Incarnation) {
    this.#self = self;
  }

  /** This member applied `slot`. Cheap unless it is a checkpoint. */
  applied(slot: Slot, checksum: number): boolean {
    if (slot % CHECKPOINT_SLOTS !== 0) return false;
    this.#newest.set(levelOf(slot), { slot, checksum });
    this.#note(this.#self, slot, checksum);
    return true;
  }

  /** The newest own checkpoint of each level, to be told to the others. */
  get newest(): readonly Checkpoint[] {
    return [...this.#newest.values()];
  }

  heard(from: Incarnation, slot: Slot, checksum: number): void {
    if (slot % CHECKPOINT_SLOTS === 0) this.#note(from, slot, checksum);
  }

  #note(member: Incarnation, slot: Slot, checksum: number): void {
    const level = this.#levels[levelOf(slot)] as Map<Slot, Map<Incarnation, number>>;
    let told = level.get(slot);
    if (told === undefined) {
      told = new Map();
      level.set(slot, told);
      if (level.size > KEPT) level.delete(Math.min(...level.keys()) as Slot);
    }
    told.set(member, checksum);
  }

  /**
   * Judges this member's state, from its newest checkpoint down to one at which a majority has the same: checksums run on, so that
   * settles all before it, and whoever differed there is known to be wrong.
   */
  judge(configuration: Configuration): Agreement {
    const unsettled: { readonly slot: Slot; readonly others: readonly Incarnation[] }[] = [];
    for (let slot = this.#ownBelow(Infinity); slot !== null; slot = this.#ownBelow(slot)) {
      const told = this.#toldAt(slot) as Map<Incarnation, number>;
      const own = told.get(this.#self);
      const byChecksum = groupVoters(told, configuration);
      const majority = [...byChecksum].find(([, members]) => members.length >= quorumSize(configuration));
      const others = [...byChecksum].flatMap(([checksum, members]) => (checksum === own ? [] : members));
      if (majority === undefined) unsettled.push({ slot, others });
      else if (majority[0] !== own) return { kind: "minority", slot, majority: majority[1] };
      else return firstDifference(unsettled, new Set(others));
    }
    return firstDifference(unsettled, new Set());
  }

  /** The newest own checkpoint below `slot`: nearly always the first one settles all. */
  #ownBelow(slot: number): Slot | null {
    let newest: Slot | null = null;
    for (const level of this.#levels) {
      for (const [at, told] of level) if (at < slot && at > (newest ?? 0) && told.has(this.#self)) newest = at;
    }
    return newest;
  }

  #toldAt(slot: Slot): Map<Incarnation, number> | undefined {
    return this.#levels[levelOf(slot)]?.get(slot);
  }

  /** The state was replaced: what it was before means nothing. */
  reset(): void {
    for (const level of this.#levels) level.clear();
    this.#newest.clear();
  }
}

function groupVoters(told: ReadonlyMap<Incarnation, number>, configuration: Configuration): Map<number, Incarnation[]> {
  const byChecksum = new Map<number, Incarnation[]>();
  for (const [member, checksum] of told) {
    if (isVoter(configuration, member)) byChecksum.set(checksum, [...(byChecksum.get(checksum) ?? []), member]);
  }
  return byChecksum;
}

/** "none" where somebody differs who is not known to be wrong. */
function firstDifference(
  checkpoints: readonly { readonly slot: Slot; readonly others: readonly Incarnation[] }[], wrong: ReadonlySet<Incarnation>,
): Agreement {
  const differing = checkpoints.find(({ others }) => others.some((member) => !wrong.has(member)));
  return differing === undefined ? { kind: "fine" } : { kind: "none", slot: differing.slot };
}

/** 0 for most checkpoints, higher for rarer ones. */
function levelOf(slot: Slot): number {
  let level = 0;
  for (let step = CHECKPOINT_SLOTS * LEVEL_STEP; level < LEVELS - 1 && slot % step === 0; step *= LEVEL_STEP) level += 1;
  return level;
}
