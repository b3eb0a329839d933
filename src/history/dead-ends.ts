import type { RegisterState } from "./register-state.ts";

/**
 * Points of a search from which everything was tried, by position. What is left to place and the register's revision make the position; floor
 * and used unseen writes are what a way to it has cost. A dearer way to a position leads nowhere that a cheaper one would not: a lower floor and
 * fewer used writes leave at least the same continuations open. So only the cheapest visits of a position are kept and compared.
 */
export class DeadEnds {
  readonly #costs = new Map<string, RegisterState[]>();

  /** Notes a visit. False when a visit that cost no more was noted before, so that this one need not be followed. */
  visit(position: string, state: RegisterState): boolean {
    const known = this.#costs.get(position);
    if (known === undefined) this.#costs.set(position, [state]);
    else if (known.some((other) => costsNoMore(other, state))) return false;
    else this.#costs.set(position, [...known.filter((other) => !costsNoMore(state, other)), state]);
    return true;
  }
}

const costsNoMore = (one: RegisterState, other: RegisterState): boolean =>
  one.floor <= other.floor && one.putsUsed <= other.putsUsed && one.createsUsed <= other.createsUsed && one.deletesUsed <= other.deletesUsed;
