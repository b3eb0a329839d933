import { assert } from "../codec/assert.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import type { LogRecord } from "../paxos/records.ts";
import { type Batch, batchBytes, encodeBatch, type LogPosition } from "./batch-codec.ts";
import { join, segmentName } from "./folder-layout.ts";
import type { DurableWriter, WriteDone } from "./durable-writer.ts";
import type { FileHandle, FileSystem, StorageListener } from "./interface.ts";
import type { LogSummary } from "./log-summary.ts";
import { type EncodedRecords, encodeRecords, RecordQueue } from "./record-queue.ts";
import { SEGMENT_HEADER_BYTES, writeSegmentHeader } from "./segment-header.ts";
import { isNoSpace } from "./no-space.ts";
import { SectorBuffer } from "./sector.ts";
import type { SegmentList } from "./segment-list.ts";
import { type BlankSegment, SegmentMaker } from "./segment-maker.ts";
import type { Timers } from "./timers.ts";

/** On a full disk: what is left is scarce below this share of a segment. */
const SCARCE_SHARE = 0.25;
/** How often a batch is tried again for which there is no space at all. */
const SPACE_RETRY_MS = 500;

export interface LogWriterOptions {
  readonly fileSystem: FileSystem;
  /** The folder of the segments. */
  readonly folder: string;
  readonly incarnation: Incarnation;
  readonly listener: StorageListener;
  readonly timers: Timers;
  readonly segmentBytes: number;
  readonly maxBatchBytes: number;
  readonly markAfterMs: number;
  /** What the log holds so far. */
  readonly summary: LogSummary;
  readonly segments: SegmentList;
  /** The end of the last batch known to be durable, and what the next batch is called. */
  readonly synced: LogPosition;
  readonly nextSequence: number;
  readonly nextRecord: number;
  readonly nextSegment: number;
  /** The slot of the newest durable snapshot; 0: none. */
  readonly snapshotSlot: () => Slot;
}

interface CurrentSegment {
  readonly segment: number;
  readonly file: FileHandle;
  readonly sizeBytes: number;
  /** Where the next batch goes. */
  end: number;
}

/**
 * Appends batches to the log, one write and one fdatasync at a time: whatever arrives meanwhile forms the next batch. A batch
 * that did not fit, or whose sync failed, goes to the start of a new segment, together with that segment's header.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  readonly #maker: SegmentMaker;
  readonly #disk: DurableWriter;
  readonly #queue = new RecordQueue();
  readonly #sectors = new SectorBuffer();
  #current: CurrentSegment | null = null;
  #synced: LogPosition;
  #nextSequence: number;
  #nextRecord: number;
  #nextSegment: number;
  /** Records numbered as the core numbers them, within this life of the process. */
  #appended = 0;
  #durable = 0;
  #busy = false;
  /** Tells who waits for that that nothing is under way any more. */
  #rested: () => void = () => {};
  #failed = false;
  #closing = false;
  #markDue = false;
  #cancelMark: (() => void) | null = null;
  #endPause: () => void = () => {};
  #syncs = 0;
  #recordBytes = 0;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    const { fileSystem, folder, segmentBytes, timers, listener } = options;
    this.#maker = new SegmentMaker({ fileSystem, folder, segmentBytes, timers, onSpace: (full) => listener.onSpace?.(full) });
    this.#disk = options.fileSystem.durableWriter();
    this.#synced = options.synced;
    this.#nextSequence = options.nextSequence;
    this.#nextRecord = options.nextRecord;
    this.#nextSegment = options.nextSegment;
  }

  get stats() {
    const records = this.#nextRecord - 1;
    const current = this.#current;
    const roomBytes = this.#maker.readyBytes + (current === null ? 0 : current.sizeBytes - current.end);
    const { full } = this.#maker;
    const scarce = full && roomBytes < this.#options.segmentBytes * SCARCE_SHARE;
    return { records, full, scarce, syncs: this.#syncs, waitingBytes: this.#queue.bytes, recordBytes: this.#recordBytes };
  }

  /** The segment whose durable header repeats all promises before it: older ones may go. */
  get syncedSegment(): number {
    return this.#synced.segment;
  }

  /** Begins the first segment of this life. `carried` are records found past the last sync known to have completed. */
  async begin(carried: readonly LogRecord[]): Promise<void> {
    const batch = encodeRecords(carried, new ByteWriter());
    await this.#openSegment(batch);
    this.#advance(batch);
    this.#scheduleMark(carried.length > 0);
  }

  /** Queues records; see `Storage.append`. After a failed sync they are dropped: nothing is promised any more. */
  append(records: readonly LogRecord[], firstRecord: number): void {
    assert(!this.#closing, "nothing is appended to a closed log");
    assert(firstRecord === this.#appended + 1, () => `record ${firstRecord} follows ${this.#appended}`);
    this.#appended += records.length;
    if (this.#failed) return;
    this.#queue.push(records);
    this.#wake();
  }

  /** Writes what waits and closes the files. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#cancelMark?.();
    this.#endPause();
    if (this.#busy) await new Promise<void>((resolve) => (this.#rested = resolve));
    await this.#disk.close();
    await this.#maker.close();
    await this.#current?.file.close();
    this.#current = null;
  }

  #wake(): void {
    if (this.#busy || this.#failed) return;
    this.#busy = true;
    // One turn of the microtask queue lets appends of the same moment share a batch.
    void Promise.resolve().then(() => this.#commitNext());
  }

  #commitNext(): void {
    if (this.#failed || (this.#queue.length === 0 && !this.#markDue)) {
      this.#busy = false;
      return this.#rested();
    }
    this.#markDue = false;
    this.#cancelMark?.();
    const { summary, timers, maxBatchBytes } = this.#options;
    const batch = this.#queue.take(maxBatchBytes);
    for (const record of batch.records) summary.note(record);
    const started = timers.now();
    this.#write(batch, (error) => {
      if (error === null) this.#committed(batch, (timers.now() - started) / 1000);
      else this.#fail(error);
      this.#commitNext();
    });
  }

  #committed(batch: EncodedRecords, seconds: number): void {
    const { listener } = this.#options;
    const records = batch.records.length;
    this.#advance(batch);
    this.#durable += records;
    listener.onSync?.({ seconds, records, bytes: batch.bytes.length });
    if (records > 0) listener.onDurable(this.#durable);
    this.#scheduleMark(records > 0);
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#options.listener.onSyncFailed(asError(error));
  }

  /** What the disk says of the first attempt makes no difference: only the second counts. */
  #write(records: EncodedRecords, tell: WriteDone): void {
    const again = (error: unknown): Promise<void> => {
      if (!isNoSpace(error)) this.#options.listener.onSyncRepeated?.(asError(error));
      return this.#rewrite(records).then(() => tell(null), tell);
    };
    const current = this.#current;
    if (current === null || current.end + batchBytes(records.bytes.length) > current.sizeBytes) {
      return void this.#openSegment(records).then(() => tell(null), again);
    }
    this.#put(current, this.#batch(records, records.bytes, false), (error) => {
      if (error !== null) return void again(error);
      this.#options.segments.noteSlot(records.highestSlot);
      tell(null);
    });
  }

  /**
   * After a failed sync the kernel may hold the pages for clean, so syncing again would prove nothing (rule 5b): the batch
   * is written once more, into a new segment, whose header says that the last one ends before it. Where there is no space
   * for a segment nothing was lost, and the batch waits until there is (rule 15).
   */
  async #rewrite(batch: EncodedRecords): Promise<void> {
    for (;;) {
      try {
        return await this.#openSegment(batch);
      } catch (error) {
        if (!isNoSpace(error) || this.#closing) throw error;
      }
      await this.#pause(SPACE_RETRY_MS);
    }
  }

  /** Ends early when the log is closed. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.timers.after(milliseconds, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  async #openSegment(records: EncodedRecords): Promise<void> {
    const { segments } = this.#options;
    const segment = this.#nextSegment;
    this.#nextSegment += 1;
    const blank = await this.#maker.take(segment, batchBytes(SEGMENT_HEADER_BYTES + records.bytes.length));
    const next: CurrentSegment = { segment, file: blank.file, sizeBytes: blank.sizeBytes, end: 0 };
    const last = this.#synced.segment;
    try {
      const batch = this.#batch(records, this.#headerPayload(blank, records.bytes), true);
      await new Promise<void>((resolve, reject) => this.#put(next, batch, (error) => (error === null ? resolve() : reject(error))));
    } catch (error) {
      await blank.file.close();
      throw error;
    }
    const previous = this.#current;
    this.#current = next;
    segments.add({ segment, sizeBytes: blank.sizeBytes, highestSlot: records.highestSlot });
    this.#maker.prepare(segment + 1);
    await previous?.file.close().catch(() => {});
    if (previous !== null) await this.#removeUnsynced(last, segment);
    // What the newest snapshot covers goes now, since on a full disk there may be no room for a later one.
    const covered = this.#options.snapshotSlot();
    if (covered > 0) void segments.cut(covered, segment).catch(() => {});
  }

  #headerPayload(blank: BlankSegment, records: Uint8Array): Uint8Array {
    const { summary, snapshotSlot } = this.#options;
    const { promised, ownRound, chosenThrough } = summary;
    const writer = new ByteWriter(SEGMENT_HEADER_BYTES + records.length);
    const { segment, sizeBytes } = blank;
    writeSegmentHeader(writer, { segment, sizeBytes, promised, ownRound, chosenThrough, snapshotSlot: snapshotSlot() });
    return writer.raw(records).take();
  }

  #batch(records: EncodedRecords, payload: Uint8Array, opensSegment: boolean): Batch {
    const recordCount = records.records.length;
    return { sequence: this.#nextSequence, opensSegment, firstRecord: this.#nextRecord, recordCount, synced: this.#synced, payload };
  }

  #put(segment: CurrentSegment, batch: Batch, tell: WriteDone): void {
    const place = { incarnation: this.#options.incarnation, segment: segment.segment, offset: segment.end };
    const bytes = encodeBatch(batch, place, this.#sectors);
    assert(segment.end + bytes.length <= segment.sizeBytes, "a batch fits its segment");
    this.#disk.write(segment.file, bytes, segment.end, (error) => {
      if (error !== null) return tell(error);
      segment.end += bytes.length;
      this.#syncs += 1;
      this.#synced = { segment: segment.segment, offset: segment.end };
      tell(null);
    });
  }

  #advance(batch: EncodedRecords): void {
    this.#nextSequence += 1;
    this.#nextRecord += batch.records.length;
    this.#recordBytes += batch.bytes.length;
  }

  /** Files that failed before anything in them was durable. What is left of them is ignored, and removed by the next start. */
  async #removeUnsynced(after: number, before: number): Promise<void> {
    const { fileSystem, folder } = this.#options;
    for (let segment = after + 1; segment < before; segment++) {
      await fileSystem.remove(join(folder, segmentName(segment))).catch(() => {});
    }
  }

  /** The last batch is covered by no mark until another follows; when idle, an empty one does (rule 14). */
  #scheduleMark(needed: boolean): void {
    this.#cancelMark?.();
    this.#cancelMark = null;
    if (!needed || this.#closing) return;
    this.#cancelMark = this.#options.timers.after(this.#options.markAfterMs, () => {
      this.#cancelMark = null;
      this.#markDue = true;
      this.#wake();
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
