import type { SeededRandom } from "../scenario/seeded-random.ts";
import { isZero } from "../storage/sector.ts";

const SECTOR = 512;

const NO_BYTES = new Uint8Array(0);
/** Fewer bytes than this that are all zero are written like any others. */
const FEW_BYTES = 4_096;
/** Of a file that is longer than this not all is expected to be written. */
const MOST_EXPECTED = 65_536;

/** Bytes that grow at their end. Memory is taken once something is written; behind it all is zero. */
class Growing {
  #bytes: Uint8Array<ArrayBuffer> = NO_BYTES;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A copy of what there is between two places. */
  read(from: number, to: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(to, this.#length) - from));
    bytes.set(this.#bytes.subarray(from, Math.min(to, this.#length)));
    return bytes;
  }

  /** Zeros are added until there are so many bytes. */
  growTo(length: number): void {
    this.#length = Math.max(this.#length, length);
  }

  set(bytes: Uint8Array, position: number): void {
    // Blank segments are made with large writes of zeros.
    if (position >= this.#bytes.length && bytes.length >= FEW_BYTES && isZero(bytes, 0, bytes.length)) return this.growTo(position + bytes.length);
    this.#hold(position + bytes.length);
    this.#bytes.set(bytes, position);
  }

  #hold(length: number): void {
    this.growTo(length);
    if (length <= this.#bytes.length) return;
    // A segment of the log is as long as it will be before anything is written to it.
    const expected = Math.min(this.#length, MOST_EXPECTED);
    const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length, expected));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  /** Takes over what another has between two places, and its length up to there. What lies behind its memory is zero here too. */
  takeOver(other: Growing, from: number, to: number): void {
    const end = Math.min(to, other.#length);
    const held = Math.min(end, other.#bytes.length);
    if (held > from) {
      this.#hold(held);
      this.#bytes.set(other.#bytes.subarray(from, held), from);
    }
    this.growTo(end);
  }

  /** Becomes the same as another. */
  copy(other: Growing): void {
    this.#bytes = other.#bytes.slice();
    this.#length = other.#length;
  }
}

/** One file: what the page cache holds, what the disk holds, and which sectors the kernel would still write. */
export class SimulatedFile {
  readonly #cache = new Growing();
  readonly #disk = new Growing();
  /** Sectors of the cache that are not on the disk, from one byte to another; they may overlap, and reach over the end. */
  #dirty: { readonly from: number; readonly to: number }[] = [];

  get length(): number {
    return this.#cache.length;
  }

  /** A copy of what a process reads. */
  read(from = 0, to = this.#cache.length): Uint8Array {
    return this.#cache.read(from, to);
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    this.#cache.set(bytes, position);
    const end = position + bytes.length;
    this.#dirty.push({ from: position - (position % SECTOR), to: Math.ceil(end / SECTOR) * SECTOR });
  }

  sync(): void {
    for (const { from, to } of this.#dirty) this.#disk.takeOver(this.#cache, from, to);
    this.#disk.growTo(this.#cache.length);
    this.#dirty = [];
  }

  /** What Linux does when a sync fails: the pages count as clean, and were never written. */
  failSync(): void {
    this.#dirty = [];
  }

  /** Any subset of the unsynced sectors arrives. */
  losePower(random: SeededRandom, probability: number): void {
    const sectors = new Set<number>();
    for (const { from, to } of this.#dirty) for (let at = from; at < to; at += SECTOR) sectors.add(at);
    for (const at of sectors) if (random.chance(probability)) this.#disk.takeOver(this.#cache, at, at + SECTOR);
    if (this.#disk.length < this.#cache.length && random.chance(probability / 2)) this.#disk.growTo(this.#cache.length);
    this.#dirty = [];
    this.#cache.copy(this.#disk);
  }

  /** Changes what is on the disk and in the cache behind everybody's back. */
  damage(bytes: Uint8Array, position: number): void {
    this.#cache.set(bytes, position);
    this.#disk.set(bytes, position);
  }
}
