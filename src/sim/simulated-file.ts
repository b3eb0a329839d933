import type { SeededRandom } from "../scenario/seeded-random.ts";

const SECTOR = 512;

/** One file: what the page cache holds, what the disk holds, and which sectors the kernel would still write. */
export class SimulatedFile {
  cache = new Uint8Array(0);
  disk = new Uint8Array(0);
  readonly dirty = new Set<number>();

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.cache.length) this.cache = grown(this.cache, end);
    this.cache.set(bytes, position);
    for (let sector = Math.floor(position / SECTOR); sector * SECTOR < end; sector++) this.dirty.add(sector);
  }

  sync(): void {
    for (const sector of this.dirty) this.#keep(sector);
    if (this.disk.length < this.cache.length) this.disk = grown(this.disk, this.cache.length);
    this.dirty.clear();
  }

  /** What Linux does when a sync fails: the pages count as clean, and were never written. */
  failSync(): void {
    this.dirty.clear();
  }

  /** Any subset of the unsynced sectors arrives. */
  losePower(random: SeededRandom, probability: number): void {
    for (const sector of this.dirty) if (random.chance(probability)) this.#keep(sector);
    if (this.disk.length < this.cache.length && random.chance(probability / 2)) this.disk = grown(this.disk, this.cache.length);
    this.dirty.clear();
    this.cache = this.disk.slice();
  }

  #keep(sector: number): void {
    const end = Math.min((sector + 1) * SECTOR, this.cache.length);
    if (end > this.disk.length) this.disk = grown(this.disk, end);
    this.disk.set(this.cache.subarray(sector * SECTOR, end), sector * SECTOR);
  }
}

function grown(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}
