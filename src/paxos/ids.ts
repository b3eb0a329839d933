import { assert } from "../codec/assert.ts";

/**
 * One life of one member's disk: 32 lowercase hex digits drawn when the data folder was made (rule 13).
 * This, never the name, is what promises, votes and ballots belong to.
 */
export type Incarnation = string & { readonly __brand: "Incarnation" };

/** A place in the log. Slots start at 1; 0 stands for "before the first". */
export type Slot = number & { readonly __brand: "Slot" };

const INCARNATION_PATTERN = /^[0-9a-f]{32}$/;

/** The incarnation that no member has: the owner of the ballot below all ballots. */
export const NO_INCARNATION = "00000000000000000000000000000000" as Incarnation;

/** Whether `text` has the form of an incarnation id. */
export function isIncarnation(text: string): text is Incarnation {
  return INCARNATION_PATTERN.test(text);
}

/** Checks and brands an incarnation id. */
export function incarnation(text: string): Incarnation {
  assert(isIncarnation(text), `not an incarnation id: ${text}`);
  return text;
}

/** Checks and brands a slot number. */
export function slot(value: number): Slot {
  assert(Number.isSafeInteger(value) && value >= 0, `not a slot: ${value}`);
  return value as Slot;
}
