import { type Key, parseKey } from "../../src/auth/key.ts";

/** The text of a key, by number. */
export function keyText(number: number): string {
  return number.toString(16).padStart(2, "0").repeat(32);
}

export function key(number: number): Key {
  return parseKey(keyText(number), "a test's key");
}
