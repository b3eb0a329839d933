import type { SeededRandom } from "../../../src/scenario/seeded-random.ts";

/** How many operations of a hundred read a key of an earlier epoch: what was acknowledged long ago must be there as well. */
const OLD_PERCENT = 5;

/** The keys in use. Each epoch has keys of its own, so that no key's history grows too long to be checked. */
export class Epochs {
  readonly #prefix: string;
  readonly #keys: number;
  #current = 0;

  constructor(prefix: string, keys: number) {
    this.#prefix = prefix;
    this.#keys = keys;
  }

  begin(): void {
    this.#current += 1;
  }

  draw(random: SeededRandom): { readonly key: string; readonly old: boolean } {
    const old = this.#current > 0 && random.chance(OLD_PERCENT / 100);
    const epoch = old ? random.below(this.#current) : this.#current;
    return { key: this.#name(epoch, random.below(this.#keys)), old };
  }

  /** Every key of every epoch. */
  all(): readonly string[] {
    return Array.from({ length: (this.#current + 1) * this.#keys }, (_, index) => this.#name(Math.floor(index / this.#keys), index % this.#keys));
  }

  #name(epoch: number, key: number): string {
    return `${this.#prefix}e${epoch}-k${key}`;
  }
}
