import { join, segmentName } from "./folder-layout.ts";
import type { FileSystem } from "./interface.ts";

/** A segment of the log as far as cutting it matters. */
export interface SegmentEntry {
  readonly segment: number;
  readonly sizeBytes: number;
  /** The highest slot that an `accepted` or `learned` record in it names; 0: none. */
  highestSlot: number;
}

/** The segments that make up the log, oldest first. */
export class SegmentList {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  readonly #segments: SegmentEntry[];
  /** One cut after the other. */
  #cutting: Promise<void> = Promise.resolve();

  constructor(fileSystem: FileSystem, folder: string, segments: readonly SegmentEntry[]) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
    this.#segments = [...segments];
  }

  get count(): number {
    return this.#segments.length;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  add(segment: SegmentEntry): void {
    this.#segments.push(segment);
  }

  noteSlot(slot: number): void {
    const last = this.#segments.at(-1);
    if (last !== undefined) last.highestSlot = Math.max(last.highestSlot, slot);
  }

  /**
   * Removes the oldest segments while they hold no slot above `slot`, and only those before segment `before`, whose synced
   * header repeats their promises (rule 21). Each removal is durable before the next: a crash leaves no hole in the log.
   */
  cut(slot: number, before: number): Promise<void> {
    const done = this.#cutting.then(() => this.#cut(slot, before));
    this.#cutting = done.catch(() => {});
    return done;
  }

  async #cut(slot: number, before: number): Promise<void> {
    for (;;) {
      const oldest = this.#segments[0];
      if (oldest === undefined || oldest.segment >= before || oldest.highestSlot > slot) return;
      await this.#fileSystem.remove(join(this.#folder, segmentName(oldest.segment)));
      await this.#fileSystem.syncFolder(this.#folder);
      this.#segments.shift();
    }
  }
}
