import { assert } from "../codec/assert.ts";
import type { LogRecord, RecoveredState, SnapshotHandle } from "../paxos/records.ts";
import { saveFounding } from "./founding-file.ts";
import type { FileSystem, Founding, Identity, SnapshotReader, Storage, StorageStats } from "./interface.ts";
import type { LogWriter } from "./log-writer.ts";
import type { SegmentList } from "./segment-list.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

export interface FolderStorageParts {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  readonly identity: Identity;
  readonly founding: Founding | null;
  readonly state: RecoveredState;
  readonly log: LogWriter;
  readonly segments: SegmentList;
  readonly snapshots: SnapshotStore;
  readonly bytesAboveSnapshot: number;
  readonly unlock: () => Promise<void>;
}

/** An open data folder. Made by `openStorage`. */
export class FolderStorage implements Storage {
  readonly identity: Identity;
  readonly recovered: RecoveredState;
  readonly #parts: FolderStorageParts;
  #founding: Founding | null;
  /** Founding and snapshots are written one after the other. */
  #writing: Promise<void> = Promise.resolve();
  /** Bytes of records in the log when the last snapshot was begun, counted from the start of this process. */
  #bytesAtSnapshot: number;
  #closed: Promise<void> | null = null;

  constructor(parts: FolderStorageParts) {
    this.#parts = parts;
    this.identity = parts.identity;
    this.recovered = parts.state;
    this.#founding = parts.founding;
    this.#bytesAtSnapshot = parts.log.stats.recordBytes - parts.bytesAboveSnapshot;
  }

  get founding(): Founding | null {
    return this.#founding;
  }

  saveFounding(founding: Founding): Promise<void> {
    return this.#inTurn(async () => {
      await saveFounding(this.#parts.fileSystem, this.#parts.folder, this.#founding, founding);
      this.#founding ??= founding;
    });
  }

  append(records: readonly LogRecord[], firstRecord: number): void {
    this.#parts.log.append(records, firstRecord);
  }

  writeSnapshot(handle: SnapshotHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#inTurn(async () => {
      const { log, segments, snapshots } = this.#parts;
      if (handle.slot <= (snapshots.newest?.slot ?? 0)) return;
      const recordBytes = log.stats.recordBytes;
      await snapshots.write(handle, chunks);
      this.#bytesAtSnapshot = recordBytes;
      await snapshots.removeOlder();
      await segments.cut(handle.slot, log.syncedSegment);
    });
  }

  async openSnapshot(): Promise<SnapshotReader | null> {
    return this.#parts.snapshots.reader();
  }

  stats(): StorageStats {
    const { log, segments, snapshots } = this.#parts;
    const { records, syncs, waitingBytes, recordBytes, full, scarce } = log.stats;
    const bytesSinceSnapshot = recordBytes - this.#bytesAtSnapshot;
    return {
      logBytes: segments.bytes, segments: segments.count, records, bytesSinceSnapshot, snapshotBytes: snapshots.newestBytes, syncs, waitingBytes, full, scarce,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    assert(this.#closed === null, "the storage is open");
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => {});
    return done;
  }

  async #close(): Promise<void> {
    const { log, segments, snapshots, unlock } = this.#parts;
    await this.#writing;
    await log.close();
    await segments.cut(0, 0);
    await snapshots.close();
    await unlock();
  }
}
