/** One step of MurmurHash3 (32 bits): `state` with `word` mixed in. */
export function mix(state: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51);
  mixed = (mixed << 15) | (mixed >>> 17);
  const next = state ^ Math.imul(mixed, 0x1b873593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

/** `state` with a safe unsigned integer mixed in. */
export function mixInteger(state: number, value: number): number {
  return mix(mix(state, value | 0), Math.floor(value / 0x100000000));
}

/**
 * A 64-bit digest of bytes in one pass, as two 32-bit halves whose errors are independent (two CRCs of one polynomial would
 * not be). Not cryptographic: a client that looks for a collision harms only its own retries. The object is reused, so that
 * the hot path allocates nothing.
 */
export class Digest {
  low = 0;
  high = 0;

  /** Digests the bytes from `start` to `end`. `seed` keeps apart what means different things. */
  of(bytes: Uint8Array, start: number, end: number, seed: number): void {
    let low = seed ^ 0x9e3779b9;
    let high = (end - start) ^ 0x85ebca6b;
    let at = start;
    for (; at < end - 3; at += 4) {
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      low = Math.imul(((low << 13) | (low >>> 19)) ^ word, 0x85ebca77);
      high = Math.imul(high ^ word, 0xc2b2ae3d);
      high = (high << 15) | (high >>> 17);
    }
    for (; at < end; at++) {
      low = Math.imul(((low << 13) | (low >>> 19)) ^ (bytes[at] as number), 0x9e3779b1);
      high = Math.imul(high ^ (bytes[at] as number), 0x5f356495);
      high = (high << 15) | (high >>> 17);
    }
    this.#finish(low, high);
  }

  /** Spreads every bit over both halves. */
  #finish(low: number, high: number): void {
    const first = Math.imul(low ^ (low >>> 16) ^ (high >>> 7), 0x85ebca6b);
    const second = Math.imul(high ^ (high >>> 15) ^ (first >>> 13), 0xc2b2ae35);
    this.low = (first ^ (first >>> 16) ^ (second << 5)) | 0;
    this.high = (second ^ (second >>> 16)) | 0;
  }
}
