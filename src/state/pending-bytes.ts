const INITIAL_BYTES = 4096;

/** Bytes that came in pieces and wait to be read whole. */
export class PendingBytes {
  #buffer = new Uint8Array(INITIAL_BYTES);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length > this.#buffer.length - this.#end) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The u32 that comes next, which stays; four bytes must be there. */
  peekU32(): number {
    return new DataView(this.#buffer.buffer, this.#start, 4).getUint32(0, true);
  }

  skip(length: number): void {
    this.#start += length;
  }

  /** A view of the next `length` bytes, valid until the next `push`; they must be there. */
  take(length: number): Uint8Array {
    const taken = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    return taken;
  }

  #makeRoom(more: number): void {
    const kept = this.#buffer.subarray(this.#start, this.#end);
    const needed = kept.length + more;
    const target = needed > this.#buffer.length ? new Uint8Array(Math.max(needed, this.#buffer.length * 2)) : this.#buffer;
    target.set(kept);
    this.#buffer = target;
    this.#end = kept.length;
    this.#start = 0;
  }
}
