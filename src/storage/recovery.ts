import type { Incarnation } from "../paxos/ids.ts";
import type { LogRecord, RecoveredState, SnapshotHandle } from "../paxos/records.ts";
import type { LogPosition } from "./batch-codec.ts";
import { corrupt } from "./corrupt.ts";
import { join, segmentName, segmentNumbers } from "./folder-layout.ts";
import type { FileSystem } from "./interface.ts";
import { entrySlot, type LogSummary } from "./log-summary.ts";
import { RecoveredStateBuilder } from "./recovered-state.ts";
import type { SegmentEntry } from "./segment-list.ts";
import {
  checkUnopenedSegment, readFollowingBatches, readSegmentStart, recordAfter, type ScannedBatch, type SegmentBytes, type SegmentStart,
} from "./segment-scan.ts";

export interface RecoveredLog {
  readonly state: RecoveredState;
  readonly summary: LogSummary;
  /** Bytes of records above the snapshot. */
  readonly bytesAboveSnapshot: number;
  /** The segments that stay part of the log. */
  readonly segments: readonly SegmentEntry[];
  /** Files that go once the next segment has begun: nothing in them counts that is not repeated there. */
  readonly superseded: readonly number[];
  /** Those among them in which nothing was ever made durable: they may go at once. */
  readonly unopened: readonly number[];
  /** The end of the last sync that is known to have completed. */
  readonly synced: LogPosition;
  /** Records behind `synced`: they count, and are written again at the start of the next segment. */
  readonly carried: readonly LogRecord[];
  /** How the batch that repeats them is numbered. */
  readonly nextSequence: number;
  readonly nextRecord: number;
  /** Above the number of every file there is. */
  readonly nextSegment: number;
}

interface OpenedSegment extends SegmentStart {
  readonly source: SegmentBytes;
}

/**
 * Reads the log as rules 5b and 14 say, and syncs every file of it: a killed process leaves bytes that are read but not yet
 * durable. Throws `SYNOD_ERR_CORRUPT` when bytes are wrong that were once synced.
 *
 * Each batch names the end of the last completed sync before it, which is where it begins itself. So the last batch is the
 * only one of which it is not known whether its sync completed: it may be missing in part, and then it is discarded whole.
 * If it is there, its sync may still have *failed*, and syncing it again would prove nothing. So it is written again under
 * its own number at the start of the next segment, whose header says that the log before it ends where that batch began.
 */
export async function recoverLog(
  fileSystem: FileSystem, folder: string, incarnation: Incarnation, snapshot: SnapshotHandle | null, founded: boolean,
): Promise<RecoveredLog> {
  const numbers = segmentNumbers(await fileSystem.list(folder));
  const nextSegment = (numbers.at(-1) ?? 0) + 1;
  const builder = new RecoveredStateBuilder(snapshot);
  const { chain, unopened } = await readChain(fileSystem, folder, incarnation, numbers);
  const last = chain.at(-1);
  if (last === undefined) {
    if (snapshot !== null || founded) throw corrupt(folder, 0, "there is no log in a folder that is in use");
    for (const source of unopened) checkUnopenedSegment(source, 0);
    const empty = { segments: [], superseded: numbers, unopened: numbers, synced: { segment: 0, offset: 0 }, carried: [], nextSequence: 1, nextRecord: 1, nextSegment };
    return { ...empty, state: builder.finish(), summary: builder.summary, bytesAboveSnapshot: 0 };
  }
  const { segments, tail } = readSegments(chain, incarnation, builder);
  for (const source of unopened) checkUnopenedSegment(source, tail.sequence);
  checkOldest(chain, snapshot);
  if (!founded && (snapshot !== null || recordAfter(tail) > 1)) throw corrupt(folder, 0, "there are records in a folder without the document that makes it part of a cluster");
  const state = builder.finish();
  checkChosen(folder, builder.summary, state);
  const kept = tail.offset === 0 ? segments.slice(0, -1) : segments;
  return {
    state,
    summary: builder.summary,
    bytesAboveSnapshot: builder.bytesAboveSnapshot,
    segments: kept,
    superseded: numbers.filter((segment) => !kept.some((entry) => entry.segment === segment)),
    unopened: unopened.map(({ segment }) => segment),
    synced: tail.synced,
    carried: tail.records,
    nextSequence: tail.sequence,
    nextRecord: tail.firstRecord,
    nextSegment,
  };
}

/**
 * Finds the segments that make up the log, from the newest with a valid header down to the oldest: each header names the one
 * before it. Files between two of them failed before anything in them was durable. All files found are synced.
 */
async function readChain(fileSystem: FileSystem, folder: string, incarnation: Incarnation, numbers: readonly number[]) {
  const chain: OpenedSegment[] = [];
  const unopened: SegmentBytes[] = [];
  let expected = Number.POSITIVE_INFINITY;
  for (const segment of numbers.toReversed()) {
    const source = await readAndSync(fileSystem, join(folder, segmentName(segment)), segment);
    if (segment > expected && chain.length > 0) continue;
    const start = readSegmentStart(source, incarnation);
    if (start !== null) {
      if (chain.length > 0 && segment !== expected) throw corrupt(source.file, 0, `segment ${expected}, which follows, is missing`);
      chain.push({ ...start, source });
      expected = start.batch.synced.segment;
    } else if (chain.length === 0) {
      unopened.push(source);
    } else {
      throw corrupt(source.file, 0, "a segment of the log has no header");
    }
  }
  return { chain: chain.toReversed(), unopened };
}

async function readAndSync(fileSystem: FileSystem, file: string, segment: number): Promise<SegmentBytes> {
  const handle = await fileSystem.open(file, "write");
  try {
    const bytes = await handle.read(0, await handle.size());
    await handle.datasync();
    return { file, segment, bytes };
  } finally {
    await handle.close();
  }
}

/** Reads every batch of the log in order. The tail is its last valid batch. */
function readSegments(chain: readonly OpenedSegment[], incarnation: Incarnation, builder: RecoveredStateBuilder) {
  const segments: SegmentEntry[] = [];
  let tail: ScannedBatch | null = null;
  for (const [index, opened] of chain.entries()) {
    const end = chain[index + 1]?.batch.synced.offset ?? null;
    checkContinues(opened, tail);
    const batches = [opened.batch, ...readFollowingBatches(opened.source, incarnation, opened.batch, end)];
    builder.noteHeader(opened.header);
    for (const batch of batches) for (const record of batch.records) builder.note(record);
    const highestSlot = batches.reduce((highest, batch) => batch.records.reduce((h, r) => Math.max(h, entrySlot(r)), highest), 0);
    segments.push({ segment: opened.source.segment, sizeBytes: opened.source.bytes.length, highestSlot });
    tail = batches.at(-1) ?? opened.batch;
  }
  return { segments, tail: tail as ScannedBatch };
}

/** A segment goes on where the one before it ended. */
function checkContinues({ source, batch }: OpenedSegment, previous: ScannedBatch | null): void {
  if (previous === null) return;
  if (batch.sequence !== previous.sequence + 1) {
    throw corrupt(source.file, 0, `batch ${batch.sequence} follows batch ${previous.sequence}`);
  }
  if (batch.firstRecord !== recordAfter(previous)) {
    throw corrupt(source.file, 0, "records are missing before this segment");
  }
}

/** The log begins with its first segment, or older ones were cut after a snapshot that must still be there. */
function checkOldest(chain: readonly OpenedSegment[], snapshot: SnapshotHandle | null): void {
  const oldest = chain[0] as OpenedSegment;
  const before = oldest.batch.synced.segment;
  if (before !== 0 && snapshot === null) throw corrupt(oldest.source.file, 0, `segment ${before} is missing, and so is a snapshot`);
  for (const { header, source } of chain) {
    if (header.snapshotSlot > (snapshot?.slot ?? 0)) throw corrupt(source.file, 0, `the snapshot of slot ${header.snapshotSlot} is missing`);
  }
}

/**
 * A member records as chosen only what it holds by then, in the log or in a snapshot. So a gap among that is a segment that is
 * missing: one at the log's beginning, whose slots the snapshot does not cover.
 */
function checkChosen(folder: string, { chosenThrough }: LogSummary, held: RecoveredState): void {
  if (chosenThrough <= held.chosenThrough) return;
  throw corrupt(folder, 0, `slot ${held.chosenThrough + 1} is missing, and is known to be chosen like all up to ${chosenThrough}`);
}
