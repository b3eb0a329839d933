import { SynodError } from "../errors/synod-error.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import { fenceError, fenceOf, noteFence, readFence } from "./fence-file.ts";
import { FolderStorage } from "./folder-storage.ts";
import {
  join, LOCK_FILE, LOG_FOLDER, segmentName, segmentNumbers, SNAPSHOT_FOLDER, snapshotSlots, TEMPORARY_SUFFIX,
} from "./folder-layout.ts";
import { loadFounding } from "./founding-file.ts";
import { drawIncarnation, loadIdentity } from "./identity-file.ts";
import type { FileSystem, Storage, StorageListener } from "./interface.ts";
import { LogWriter } from "./log-writer.ts";
import { isNoSpace } from "./no-space.ts";
import { recoverLog } from "./recovery.ts";
import { SegmentList } from "./segment-list.ts";
import { SnapshotStore } from "./snapshot-store.ts";
import { SYSTEM_TIMERS, type Timers } from "./timers.ts";

export interface StorageOptions {
  /** Size of a log file, in bytes. A batch that is larger gets a larger file. Default 8 MiB. */
  readonly segmentBytes?: number;
  /** The most bytes of records in one batch; a single larger record still makes one. Default 1 MiB. */
  readonly maxBatchBytes?: number;
  /** How long the log is idle before an empty batch marks the last one as synced. At most 100 ms (rule 14); default 50. */
  readonly markAfterMs?: number;
  readonly timers?: Timers;
  /** Draws the incarnation of a new folder; 128 random bits by default. */
  readonly drawIncarnation?: () => Incarnation;
}

export interface OpenStorage {
  readonly fileSystem: FileSystem;
  /** The data folder; made when it is not there. */
  readonly folder: string;
  /** The member's name. A folder that was made for another name is refused with `SYNOD_ERR_BAD_REQUEST`. */
  readonly member: string;
  readonly listener: StorageListener;
  readonly options?: StorageOptions;
}

const DEFAULTS = { segmentBytes: 8 * 1024 * 1024, maxBatchBytes: 1024 * 1024, markAfterMs: 50, timers: SYSTEM_TIMERS };

/**
 * Opens a member's data folder, or makes it. When this resolves, everything that was found is durable and a new log segment
 * has begun. Throws `SYNOD_ERR_FOLDER_LOCKED` while another process uses the folder, `SYNOD_ERR_CORRUPT` when bytes are
 * wrong that were once made durable, `SYNOD_ERR_FENCED` ever after, and `SYNOD_ERR_DISK` for what the disk reports.
 */
export async function openStorage(open: OpenStorage): Promise<Storage> {
  try {
    for (const folder of foldersOf(open.folder)) await open.fileSystem.makeFolder(folder);
    const unlock = await open.fileSystem.lock(join(open.folder, LOCK_FILE));
    try {
      return await openUnlessFenced(open, unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  } catch (error) {
    throw asSynodError(error);
  }
}

/** Once damage was found the incarnation never votes again, whatever the next start may read (rule 14). */
async function openUnlessFenced(open: OpenStorage, unlock: () => Promise<void>): Promise<Storage> {
  const { fileSystem, folder } = open;
  const known = await readFence(fileSystem, folder);
  if (known !== null) throw fenceError(known);
  try {
    return await openLocked(open, unlock);
  } catch (error) {
    const fence = fenceOf(error);
    // Where the note cannot be kept, the next start finds the damage itself.
    if (fence !== null) await noteFence(fileSystem, folder, fence).catch(() => {});
    throw error;
  }
}

async function openLocked(open: OpenStorage, unlock: () => Promise<void>): Promise<Storage> {
  const { fileSystem, folder, member } = open;
  await removeTemporaryFiles(fileSystem, folder);
  const founding = await loadFounding(fileSystem, folder);
  const mayCreate = founding === null && (await isUnused(fileSystem, folder));
  const identity = await loadIdentity(fileSystem, folder, member, mayCreate ? (open.options?.drawIncarnation ?? drawIncarnation) : null);
  for (const path of foldersOf(folder)) await fileSystem.syncFolder(path);
  const snapshots = await SnapshotStore.open(fileSystem, folder);
  try {
    const { log, state, bytesAboveSnapshot, segments } = await openLog(open, snapshots, identity.incarnation, founding !== null);
    await snapshots.removeOlder();
    if (snapshots.newest !== null) await segments.cut(snapshots.newest.slot, log.syncedSegment);
    return new FolderStorage({ fileSystem, folder, identity, founding, state, log, segments, snapshots, bytesAboveSnapshot, unlock });
  } catch (error) {
    await snapshots.close();
    throw error;
  }
}

async function openLog(open: OpenStorage, snapshots: SnapshotStore, incarnation: Parameters<typeof recoverLog>[2], founded: boolean) {
  const { fileSystem, listener } = open;
  const folder = join(open.folder, LOG_FOLDER);
  const recovered = await recoverLog(fileSystem, folder, incarnation, snapshots.newest, founded);
  const segments = new SegmentList(fileSystem, folder, recovered.segments);
  const { summary, synced, nextSequence, nextRecord, nextSegment, state, bytesAboveSnapshot } = recovered;
  const log = new LogWriter({
    ...DEFAULTS, ...open.options, fileSystem, folder, incarnation, listener, summary, segments,
    synced, nextSequence, nextRecord, nextSegment, snapshotSlot: () => snapshots.newest?.slot ?? (0 as Slot),
  });
  try {
    // First, so that a full disk has room for the segment with which each life begins.
    for (const segment of recovered.unopened) await fileSystem.remove(join(folder, segmentName(segment)));
    await log.begin(recovered.carried);
    for (const segment of recovered.superseded) await fileSystem.remove(join(folder, segmentName(segment)));
  } catch (error) {
    await log.close();
    throw error;
  }
  return { log, state, bytesAboveSnapshot, segments };
}

/** Whether nothing was ever kept here, so that a new member may be born in it. */
async function isUnused(fileSystem: FileSystem, folder: string): Promise<boolean> {
  const log = await fileSystem.list(join(folder, LOG_FOLDER));
  const snapshots = await fileSystem.list(join(folder, SNAPSHOT_FOLDER));
  return segmentNumbers(log).length === 0 && snapshotSlots(snapshots).length === 0;
}

async function removeTemporaryFiles(fileSystem: FileSystem, folder: string): Promise<void> {
  for (const path of [folder, join(folder, SNAPSHOT_FOLDER)]) {
    for (const name of await fileSystem.list(path)) {
      if (name.endsWith(TEMPORARY_SUFFIX)) await fileSystem.remove(join(path, name));
    }
  }
}

function foldersOf(folder: string): readonly string[] {
  return [folder, join(folder, LOG_FOLDER), join(folder, SNAPSHOT_FOLDER)];
}

/** Errors of the operating system carry a code of their own; anything else is a fault in synod and stays as it is. */
function asSynodError(error: unknown): unknown {
  if (error instanceof SynodError || !(error instanceof Error) || !("code" in error)) return error;
  if (isNoSpace(error)) return new SynodError("SYNOD_ERR_NO_SPACE", `${error.message}: there is no room for a segment of the log`);
  return new SynodError("SYNOD_ERR_DISK", error.message, { cause: String(error.code) });
}
