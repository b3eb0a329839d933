import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import { type Shape, type Way, waysCut } from "./partitions.ts";
import type { World } from "./world.ts";

export interface RelayParts {
  readonly world: World;
  readonly machines: () => readonly Machine[];
  readonly network: () => Network;
  readonly random: SeededRandom;
  readonly burst: (machine: Machine) => void;
  readonly tell: (line: string) => void;
  /** Everything is to heal, so the relay ends. */
  readonly over: () => boolean;
}

/** How a leader is cut off: often so that somebody still hears it, and holds what nobody else does. */
const CUTS: readonly Shape[] = ["alone", "minority", "minority", "mute", "deaf"];
const MOST_LEGS = 6;
const LOOK_MS = 10;
const PATIENCE_MS = 3_000;
/** How long a leader is in office, and how long after the burst it still reaches the others: too short for all that it began to be known as chosen. */
const OFFICE_MS = 60;
const BURST_MS = 12;

/**
 * One leader after the other is asked to write a lot and cut off in the middle of it, just when the one before comes back. So logs differ:
 * several members hold several values for the same slots, some chosen and some not, and whoever is elected next has to tell them apart (rule 3).
 */
export class Relay {
  readonly #parts: RelayParts;
  #legsLeft: number;
  #cutOff: { readonly machine: Machine; readonly ways: readonly Way[] } | null = null;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#legsLeft = parts.random.integer(2, MOST_LEGS);
    this.#lookForLeader(PATIENCE_MS);
  }

  #lookForLeader(patienceMs: number): void {
    if (this.#parts.over()) return;
    const leader = this.#parts.machines().find((machine) => machine !== this.#cutOff?.machine && machine.member?.leads === true);
    if (leader !== undefined) return this.#after(OFFICE_MS, () => this.#strike(leader));
    if (patienceMs <= 0) return this.#mend();
    this.#parts.world.after(LOOK_MS, () => this.#lookForLeader(patienceMs - LOOK_MS));
  }

  #strike(leader: Machine): void {
    this.#parts.burst(leader);
    this.#after(BURST_MS, () => {
      const { random, machines, tell } = this.#parts;
      const before = this.#cutOff;
      const shape = random.pick(CUTS);
      tell(`relay: ${leader.number} is cut off (${shape})${before === null ? "" : `, ${before.machine.number} is back`}`);
      this.#mend();
      this.#cutOff = { machine: leader, ways: waysCut(shape, machines().map(({ number }) => number), leader.number, random) };
      this.#parts.network().cut(this.#cutOff.ways);
      this.#legsLeft -= 1;
      if (this.#legsLeft > 0) this.#lookForLeader(PATIENCE_MS);
      else this.#after(PATIENCE_MS / 4, () => this.#mend());
    });
  }

  #after(meanMs: number, task: () => void): void {
    this.#parts.world.after(this.#parts.random.exponential(meanMs), () => {
      if (!this.#parts.over()) task();
    });
  }

  #mend(): void {
    if (this.#cutOff !== null) this.#parts.network().mend(this.#cutOff.ways);
    this.#cutOff = null;
  }
}
