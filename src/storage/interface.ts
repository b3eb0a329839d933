import type { Configuration } from "../paxos/configuration.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import type { LogRecord, RecoveredState, SnapshotHandle } from "../paxos/records.ts";
import type { DurableWriter } from "./durable-writer.ts";

/** Who this folder belongs to. Written once, when the folder is first used (rule 13). */
export interface Identity {
  readonly member: string;
  readonly incarnation: Incarnation;
}

/**
 * The document that makes an empty folder a member: drawn once by the cluster's founder, the same for every founding member
 * (rule 13); or for a member that joins later, with the configuration that added it.
 */
export interface Founding {
  /** Random cluster id, 32 lowercase hex digits. */
  readonly cluster: string;
  readonly configuration: Configuration;
  /** The slot of the entry that set `configuration`; 0: the cluster was founded with it. */
  readonly configurationSlot: Slot;
}

/** A data folder that a process holds, whether or not what is in it may still be used. */
export interface MemberFolder {
  readonly identity: Identity;
  /** Null until the cluster is founded. */
  readonly founding: Founding | null;

  /** Keeps the founding document, synced, before it resolves. Refused when there is one already, unless it is the same. */
  saveFounding(founding: Founding): Promise<void>;

  stats(): StorageStats;

  /** Waits for the sync under way, writes what waits, closes every file and releases the folder. */
  close(): Promise<void>;
}

/** What was found in a data folder and what it can be told to keep. One process owns it at a time. */
export interface Storage extends MemberFolder {
  readonly recovered: RecoveredState;

  /**
   * Takes records to be made durable in order; `records[0]` is number `firstRecord`. Returns at once. Whatever waits when
   * a sync ends goes into the next batch: one write and one fdatasync for all of it.
   */
  append(records: readonly LogRecord[], firstRecord: number): void;

  /** Streams a snapshot to disk, syncs and verifies it, and only then removes older snapshots and log segments (rule 20). */
  writeSnapshot(handle: SnapshotHandle, chunks: AsyncIterable<Uint8Array>): Promise<void>;

  /** The newest snapshot, held open until closed, or null. */
  openSnapshot(): Promise<SnapshotReader | null>;
}

export interface SnapshotReader {
  readonly handle: SnapshotHandle;
  /** Bytes of state in the snapshot. */
  readonly size: number;
  /** Up to `length` verified bytes of state from `offset` on. Throws `SYNOD_ERR_CORRUPT` when they do not match their checksum. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface StorageStats {
  readonly logBytes: number;
  readonly segments: number;
  /** Records made durable over the life of the folder; never falls (the stamp of rule 13 against copied volumes). */
  readonly records: number;
  /** Bytes of records since the last snapshot. */
  readonly bytesSinceSnapshot: number;
  /** Bytes of state in the newest snapshot; 0: there is none. */
  readonly snapshotBytes: number;
  readonly syncs: number;
  /** Bytes that wait for the sync under way to end. Whoever appends must keep this bounded. */
  readonly waitingBytes: number;
  /** The disk has no room for a further segment: what is left of this one and the reserve is all there is (rule 15). */
  readonly full: boolean;
  /** Full, and little is left: for promises, barriers and what makes the state smaller. */
  readonly scarce: boolean;
}

export interface StorageListener {
  /** Every record up to number `record` is durable. */
  onDurable(record: number): void;
  /** A sync failed and the tail could not be rewritten either (rules 5b and 15). No further onDurable comes. */
  onSyncFailed(error: Error): void;
  /** A sync failed, and what it should have made durable is written again, into a new segment (rule 5b). */
  onSyncRepeated?(error: Error): void;
  /** The disk has become full, in the sense of `StorageStats`, or has room again. */
  onSpace?(full: boolean): void;
  /** One write and fdatasync took this long, for this many records and bytes. */
  onSync?(sample: { readonly seconds: number; readonly records: number; readonly bytes: number }): void;
}

/** The disk as the storage sees it. The real one is in file-system.ts; tests and the simulator bring their own. */
export interface FileSystem {
  /** Makes a folder and its missing parents. They are durable when this resolves. */
  makeFolder(path: string): Promise<void>;
  /** The names in a folder, in no order. */
  list(path: string): Promise<string[]>;
  /** Null when there is no such file. */
  readFile(path: string): Promise<Uint8Array | null>;
  /** `create` makes a new file and fails when there is one; `read` and `write` open an existing one. */
  open(path: string, mode: "create" | "read" | "write"): Promise<FileHandle>;
  /** A file, which replaces what is there, or a folder. Durable once the folders on both sides are synced. */
  rename(from: string, to: string): Promise<void>;
  /** Nothing happens when there is no such file. A file that is open stays readable. */
  remove(path: string): Promise<void>;
  /** fsync of a folder, so that files created, renamed or removed in it stay so. */
  syncFolder(path: string): Promise<void>;
  /** For a log, which closes it. */
  durableWriter(): DurableWriter;
  /** A lock that ends with the process. Throws `SYNOD_ERR_FOLDER_LOCKED` when another process holds it. */
  lock(path: string): Promise<() => Promise<void>>;
}

export interface FileHandle {
  /** Writes all of `bytes`, which must not change before this resolves. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Fewer bytes than asked for only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  size(): Promise<number>;
  /** fdatasync: contents, and the size where it changed. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}
