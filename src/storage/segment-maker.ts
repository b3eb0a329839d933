import { join, RESERVE_FILE, segmentName } from "./folder-layout.ts";
import type { FileHandle, FileSystem } from "./interface.ts";
import { isNoSpace } from "./no-space.ts";
import { isZero, SECTOR_BYTES } from "./sector.ts";
import type { Timers } from "./timers.ts";

const ZERO_STEP_BYTES = 1024 * 1024;
const ZEROS = new Uint8Array(ZERO_STEP_BYTES);
/** How often a full disk is asked whether there is room again. */
const RETRY_MS = 1_000;

/** A log file full of zeros whose contents, size and name are durable. */
export interface BlankSegment {
  readonly segment: number;
  readonly file: FileHandle;
  readonly sizeBytes: number;
}

export interface SegmentMakerOptions {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  readonly segmentBytes: number;
  readonly timers: Timers;
  /** Told when the disk has no room for a further segment, and when it has room again. */
  readonly onSpace: (full: boolean) => void;
}

/**
 * Makes blank segments. They are zeroed with real writes, so that writing a batch later changes neither the file's size nor
 * its extents, and so that a sector that was never written can be told from a damaged one (rule 14).
 *
 * One more blank file is kept as the reserve of rule 15: it becomes a segment when the disk has no room for one. From the
 * moment that a file cannot be made the disk counts as full, and until both the next segment and the reserve are there again.
 */
export class SegmentMaker {
  readonly #options: SegmentMakerOptions;
  readonly #segmentBytes: number;
  readonly #reservePath: string;
  #spare: { readonly segment: number; made: Promise<BlankSegment | null> } | null = null;
  #spareReady = false;
  #reserveReady = false;
  /** What is done in the background, one thing after the other. */
  #working: Promise<void> = Promise.resolve();
  #full = false;
  #closed = false;
  #cancelRetry: () => void = () => {};

  constructor(options: SegmentMakerOptions) {
    this.#options = options;
    this.#segmentBytes = Math.ceil(options.segmentBytes / SECTOR_BYTES) * SECTOR_BYTES;
    this.#reservePath = join(options.folder, RESERVE_FILE);
  }

  get full(): boolean {
    return this.#full;
  }

  /** Bytes of files that wait to be used. */
  get readyBytes(): number {
    return (this.#spareReady ? this.#segmentBytes : 0) + (this.#reserveReady ? this.#segmentBytes : 0);
  }

  /** Starts to make segment `segment` in the background, in steps of 1 MiB, so that rolling over to it does not stall. */
  prepare(segment: number): void {
    this.#spareReady = false;
    this.#spare = { segment, made: this.#inTurn(() => this.#makeSpare(segment)) };
    void this.#inTurn(() => this.#makeReserve());
  }

  /**
   * Segment `segment` with at least `minimumBytes`: the prepared one, one made now, or the reserve. Throws what the disk
   * reports; after an error that says that there is no space it may be called again later.
   */
  async take(segment: number, minimumBytes: number): Promise<BlankSegment> {
    const spare = this.#spare?.segment === segment ? await this.#spare.made : null;
    this.#spare = null;
    this.#spareReady = false;
    if (spare !== null && spare.sizeBytes >= minimumBytes) return spare;
    await spare?.file.close();
    return this.#inTurn(() => this.#makeNow(segment, minimumBytes));
  }

  async #makeNow(segment: number, minimumBytes: number): Promise<BlankSegment> {
    const path = join(this.#options.folder, segmentName(segment));
    await this.#options.fileSystem.remove(path);
    try {
      return { segment, ...(await this.#make(path, Math.max(this.#segmentBytes, minimumBytes))) };
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      this.#setFull(true);
      const reserve = minimumBytes <= this.#segmentBytes ? await this.#useReserve(path) : null;
      if (reserve === null) throw error;
      return { segment, ...reserve };
    }
  }

  /** Waits for what is being made and closes it. The file stays; the next start removes it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    await this.#working;
    const spare = await this.#spare?.made;
    this.#spare = null;
    await spare?.file.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.then(work);
    this.#working = done.then(() => {}, () => {});
    return done;
  }

  /** Null when it could not be made: who takes it hears why. */
  async #makeSpare(segment: number): Promise<BlankSegment | null> {
    if (this.#closed) return null;
    try {
      const made = await this.#make(join(this.#options.folder, segmentName(segment)), this.#segmentBytes);
      this.#spareReady = this.#spare?.segment === segment;
      return { segment, ...made };
    } catch (error) {
      if (isNoSpace(error)) this.#setFull(true);
      return null;
    }
  }

  async #makeReserve(): Promise<void> {
    if (this.#reserveReady || this.#closed) return;
    try {
      const file = (await this.#openReserve()) ?? (await this.#make(this.#reservePath, this.#segmentBytes)).file;
      await file.close();
      this.#reserveReady = true;
    } catch (error) {
      if (isNoSpace(error)) this.#setFull(true);
    }
  }

  /** The reserve that an earlier life left, made durable. Null, and no such file any more, when it is not as it must be. */
  async #openReserve(): Promise<FileHandle | null> {
    const { fileSystem, folder } = this.#options;
    if (!(await fileSystem.list(folder)).includes(RESERVE_FILE)) return null;
    const file = await fileSystem.open(this.#reservePath, "write");
    const bytes = (await file.size()) === this.#segmentBytes ? await file.read(0, this.#segmentBytes) : null;
    if (bytes !== null && isZero(bytes, 0, bytes.length)) {
      await file.datasync();
      return file;
    }
    await file.close();
    await fileSystem.remove(this.#reservePath);
    return null;
  }

  async #useReserve(path: string): Promise<{ readonly file: FileHandle; readonly sizeBytes: number } | null> {
    const { fileSystem, folder } = this.#options;
    const file = await this.#openReserve();
    if (file === null) return null;
    this.#reserveReady = false;
    await fileSystem.rename(this.#reservePath, path);
    await fileSystem.syncFolder(folder);
    return { file, sizeBytes: this.#segmentBytes };
  }

  /** What could not be made is removed: a part of it would only take the last of the space. */
  async #make(path: string, sizeBytes: number): Promise<{ readonly file: FileHandle; readonly sizeBytes: number }> {
    const { fileSystem, folder } = this.#options;
    const file = await fileSystem.open(path, "create");
    try {
      for (let at = 0; at < sizeBytes; at += ZERO_STEP_BYTES) {
        await file.write(ZEROS.subarray(0, Math.min(ZERO_STEP_BYTES, sizeBytes - at)), at);
        await file.datasync();
      }
      await fileSystem.syncFolder(folder);
    } catch (error) {
      await file.close();
      await fileSystem.remove(path).catch(() => {});
      throw error;
    }
    return { file, sizeBytes };
  }

  #setFull(full: boolean): void {
    if (full && !this.#closed) {
      this.#cancelRetry();
      this.#cancelRetry = this.#options.timers.after(RETRY_MS, () => void this.#inTurn(() => this.#retry()));
    }
    if (this.#full === full) return;
    this.#full = full;
    this.#options.onSpace(full);
  }

  /** The disk has room again once the next segment and the reserve could be made. */
  async #retry(): Promise<void> {
    const spare = this.#spare;
    if (spare !== null && !this.#spareReady) {
      const made = await this.#makeSpare(spare.segment);
      if (made === null) return this.#setFull(true);
      if (this.#spare === spare) spare.made = Promise.resolve(made);
      else await made.file.close();
    }
    await this.#makeReserve();
    if (!this.#closed) this.#setFull(!this.#reserveReady);
  }
}
