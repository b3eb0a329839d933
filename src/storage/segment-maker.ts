import { join, segmentName } from "./folder-layout.ts";
import type { FileHandle, FileSystem } from "./interface.ts";
import { SECTOR_BYTES } from "./sector.ts";

const ZERO_STEP_BYTES = 1024 * 1024;
const ZEROS = new Uint8Array(ZERO_STEP_BYTES);

/** A log file full of zeros whose contents, size and name are durable. */
export interface BlankSegment {
  readonly segment: number;
  readonly file: FileHandle;
  readonly sizeBytes: number;
}

/**
 * Makes blank segments. They are zeroed with real writes, so that writing a batch later changes neither the file's size nor
 * its extents, and so that a sector that was never written can be told from a damaged one (rule 14).
 */
export class SegmentMaker {
  readonly #fileSystem: FileSystem;
  readonly #folder: string;
  readonly #segmentBytes: number;
  #spare: { readonly segment: number; readonly made: Promise<BlankSegment | null> } | null = null;

  constructor(fileSystem: FileSystem, folder: string, segmentBytes: number) {
    this.#fileSystem = fileSystem;
    this.#folder = folder;
    this.#segmentBytes = Math.ceil(segmentBytes / SECTOR_BYTES) * SECTOR_BYTES;
  }

  /** Starts to make segment `segment` in the background, in steps of 1 MiB, so that rolling over to it does not stall. */
  prepare(segment: number): void {
    const made = this.#make(segment, this.#segmentBytes).catch(() => null);
    this.#spare = { segment, made };
  }

  /** Segment `segment` with at least `minimumBytes`: the prepared one, or one made now. Throws what the disk reports. */
  async take(segment: number, minimumBytes: number): Promise<BlankSegment> {
    const spare = this.#spare?.segment === segment ? await this.#spare.made : null;
    this.#spare = null;
    if (spare !== null && spare.sizeBytes >= minimumBytes) return spare;
    await spare?.file.close();
    await this.#fileSystem.remove(join(this.#folder, segmentName(segment)));
    return this.#make(segment, Math.max(this.#segmentBytes, minimumBytes));
  }

  /** Waits for what is being made and closes it. The file stays; the next start removes it. */
  async close(): Promise<void> {
    const spare = await this.#spare?.made;
    this.#spare = null;
    await spare?.file.close();
  }

  async #make(segment: number, sizeBytes: number): Promise<BlankSegment> {
    const file = await this.#fileSystem.open(join(this.#folder, segmentName(segment)), "create");
    try {
      for (let at = 0; at < sizeBytes; at += ZERO_STEP_BYTES) {
        await file.write(ZEROS.subarray(0, Math.min(ZERO_STEP_BYTES, sizeBytes - at)), at);
        await file.datasync();
      }
      await this.#fileSystem.syncFolder(this.#folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    return { segment, file, sizeBytes };
  }
}
