const SLAB_BYTES = 64 * 1024;
/** So that emptying a slab of tiny values stays short. */
const SLAB_VALUES = 1024;
/** Longer values get a buffer of their own. */
const MAX_SHARED_BYTES = 16 * 1024;
/** A full slab is emptied when less than one part in this many of it is still held. */
const THIN = 4;

/** A stretch of memory that is filled once, front to back, and never overwritten: views of it stay true. */
export class Slab {
  readonly bytes: Uint8Array;
  /** Whose values were put here; some have moved on since. */
  readonly holders: ValueHolder[] = [];
  used = 0;
  held = 0;
  full = false;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  fits(length: number): boolean {
    return this.used + length <= this.bytes.length && this.holders.length < SLAB_VALUES;
  }

  get isThin(): boolean {
    return this.full && this.held * THIN < this.used;
  }
}

/** Where a value lies. The arena may move it, with the same bytes, while it is held. */
export interface ValueHolder {
  slab: Slab;
  start: number;
  length: number;
  /** False once the arena no longer counts the value; it can be read for as long as the holder exists. */
  held: boolean;
}

/** Where empty values lie, and values not stored yet. */
export const NO_SLAB = new Slab(0);

/** A view of a value's bytes, which never change. It keeps up to 64 KiB around it in memory. */
export function valueOf(holder: Readonly<ValueHolder>): Uint8Array {
  return holder.slab.bytes.subarray(holder.start, holder.start + holder.length);
}

/**
 * Memory for many small values. A buffer for each would cost more time than all the rest of a write, and long collections of
 * garbage. Slabs share one buffer among many values, and one whose values are mostly gone is emptied into the newest, so that
 * what is no longer held takes at most three times as much memory as what is.
 */
export class ValueArena {
  #current = new Slab(SLAB_BYTES);

  /** Copies the bytes from `from` on into the arena as the value of `holder`, which must not be held. */
  store(holder: ValueHolder, bytes: Uint8Array, from: number): void {
    this.#place(holder, bytes, from, bytes.length);
  }

  /** Stops counting a value, because its key was deleted or is about to get another. */
  release(holder: ValueHolder): void {
    holder.held = false;
    holder.slab.held -= holder.length;
    if (holder.slab.isThin) this.#empty(holder.slab);
  }

  #place(holder: ValueHolder, bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    const slab = length === 0 ? NO_SLAB : length > MAX_SHARED_BYTES ? new Slab(length) : this.#slabFor(length);
    holder.slab = slab;
    holder.start = slab.used;
    holder.length = length;
    holder.held = true;
    if (length === 0) return;
    slab.bytes.set(bytes.subarray(from, to), slab.used);
    slab.used += length;
    slab.held += length;
    if (length <= MAX_SHARED_BYTES) slab.holders.push(holder);
  }

  #slabFor(length: number): Slab {
    if (this.#current.fits(length)) return this.#current;
    const full = this.#current;
    this.#current = new Slab(SLAB_BYTES);
    full.full = true;
    if (full.isThin) this.#empty(full);
    return this.#current.fits(length) ? this.#current : this.#slabFor(length);
  }

  /** Moves what is still held elsewhere, so that nothing in the table keeps the slab. */
  #empty(slab: Slab): void {
    for (const holder of slab.holders) {
      if (!holder.held || holder.slab !== slab) continue;
      this.#place(holder, slab.bytes, holder.start, holder.start + holder.length);
    }
  }
}
