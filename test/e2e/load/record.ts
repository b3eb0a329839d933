import type { Operation } from "../../../src/history/operation.ts";

/** Operations that were not fetched yet may be so many; beyond that the program ends, since a history with holes shows nothing. */
const MAX_KEPT = 2_000_000;

/** The operations that have returned, numbered from 0 in that order, until they are fetched. */
export class Record {
  #first = 0;
  #kept: Operation[] = [];

  add(operation: Operation): void {
    if (this.#kept.length >= MAX_KEPT) throw new Error(`${MAX_KEPT} operations were not fetched`);
    this.#kept.push(operation);
  }

  /** Operations from number `from` on, at most `limit`. Those before it are forgotten: they have been fetched. */
  take(from: number, limit: number): readonly Operation[] {
    if (from > this.#first) {
      this.#kept = this.#kept.slice(from - this.#first);
      this.#first = from;
    }
    return this.#kept.slice(0, limit);
  }
}
