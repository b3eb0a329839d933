import { KEY_SPACE, VALUE_BYTES } from "../rows.ts";

export const KEY_BYTES = 8;

/** Bytes of a value's stamp, a little-endian float64. */
const STAMP_BYTES = 8;

/** The text of a key, always 8 characters. */
export function keyName(index: number): string {
  return `k${String(index).padStart(KEY_BYTES - 1, "0")}`;
}

export function keyIndex(name: string): number {
  return Number(name.slice(1));
}

/** Writes the key's text at `at`, without making a string of it. */
export function writeKey(bytes: Uint8Array, at: number, index: number): void {
  let rest = index;
  for (let digit = KEY_BYTES - 1; digit >= 1; digit--) {
    bytes[at + digit] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** A value that compresses badly and begins with room for a stamp. */
export function newValue(): Uint8Array {
  const value = crypto.getRandomValues(new Uint8Array(VALUE_BYTES));
  value.fill(0, 0, STAMP_BYTES);
  return value;
}

export function writeStamp(bytes: Uint8Array, at: number, stamp: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(at, stamp, true);
}

export function readStamp(value: Uint8Array): number {
  return value.length < STAMP_BYTES ? NaN : new DataView(value.buffer, value.byteOffset).getFloat64(0, true);
}

/** Which keys are written: evenly spread, cheap to draw, the same in every run. */
export class KeyDraw {
  #state = 0x2545f491;

  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % KEY_SPACE;
  }
}
