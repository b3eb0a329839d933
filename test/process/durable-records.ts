import { basename } from "node:path";
import { ByteReader } from "../../src/codec/byte-reader.ts";
import { type Ballot, compareBallots } from "../../src/paxos/ballot.ts";
import type { Incarnation } from "../../src/paxos/ids.ts";
import type { LogRecord } from "../../src/paxos/records.ts";
import { readBatch } from "../../src/storage/batch-codec.ts";
import { readRecord } from "../../src/storage/record-codec.ts";
import { readSegmentHeader } from "../../src/storage/segment-header.ts";
import type { SystemCall } from "./strace.ts";

/** A record of a member's log, and the sync that made it durable. */
export interface DurableRecord {
  readonly record: LogRecord;
  readonly sync: SystemCall;
}

/** Every record that the traced member wrote to its log and synced: the sync is the first that began after its write had returned. */
export function durableRecords(calls: readonly SystemCall[], incarnation: Incarnation): DurableRecord[] {
  const syncs = calls.filter(({ name, result }) => /^f(data)?sync$/.test(name) && result === 0);
  return calls.filter(isBatchWrite).flatMap((write) => {
    const sync = syncs.find((call) => call.target === write.target && call.began > write.returned);
    return sync === undefined ? [] : recordsOf(write, incarnation).map((record) => ({ record, sync }));
  });
}

/** A write to a log file that is not the zeros of a new one. */
function isBatchWrite({ name, target, bytes }: SystemCall): boolean {
  return name.startsWith("pwrite") && /\/log\/\d{10}\.log$/.test(target) && bytes.some((byte) => byte !== 0);
}

function recordsOf({ target, bytes, offset }: SystemCall, incarnation: Incarnation): LogRecord[] {
  if (offset === null) throw new Error("a write to the log names its place");
  const segment = new Uint8Array(offset + bytes.length);
  segment.set(bytes, offset);
  const read = readBatch(segment, { segment: Number.parseInt(basename(target), 10), offset, incarnation });
  if (read.kind !== "batch") throw new Error(`the write to ${target} at ${offset} is no batch: ${read.kind}`);
  const reader = new ByteReader(read.batch.payload);
  if (read.batch.opensSegment) readSegmentHeader(reader);
  const records: LogRecord[] = [];
  while (reader.remaining > 0) records.push(readRecord(reader));
  return records;
}

/** Whether this record alone lets its member answer that it promised `ballot`: accepting raises the promise too. */
export function promises(record: LogRecord, ballot: Ballot): boolean {
  const promised = record.type === "promised" || record.type === "campaign" || record.type === "accepted" ? record.ballot : null;
  return promised !== null && compareBallots(promised, ballot) >= 0;
}
