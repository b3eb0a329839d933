import type { SeededRandom } from "../scenario/seeded-random.ts";

const SECTOR = 512;

/** Bytes that grow at their end; memory is taken in larger and larger pieces. */
class Growing {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What there is between two places, as a view. */
  view(from = 0, to = this.#length): Uint8Array {
    return this.#bytes.subarray(from, Math.min(to, this.#length));
  }

  /** Zeros are added until there are so many bytes. */
  growTo(length: number): void {
    if (length <= this.#length) return;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      larger.set(this.view());
      this.#bytes = larger;
    }
    this.#length = length;
  }

  set(bytes: Uint8Array, position: number): void {
    this.growTo(position + bytes.length);
    this.#bytes.set(bytes, position);
  }

  /** Becomes the same as another. */
  copy(other: Growing): void {
    this.#bytes = other.view().slice();
    this.#length = this.#bytes.length;
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
    return this.#cache.view(from, to).slice();
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    this.#cache.set(bytes, position);
    const end = position + bytes.length;
    this.#dirty.push({ from: position - (position % SECTOR), to: Math.ceil(end / SECTOR) * SECTOR });
  }

  sync(): void {
    for (const { from, to } of this.#dirty) this.#disk.set(this.#cache.view(from, to), from);
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
    for (const at of sectors) if (random.chance(probability)) this.#disk.set(this.#cache.view(at, at + SECTOR), at);
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
