import { type ByteReader, DecodeError } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { SynodError } from "../errors/synod-error.ts";
import { ERRORS, type ErrorCode } from "../errors/table.ts";
import { readResult, type Result, writeResult } from "../state/results.ts";
import type { KeyRecord, RangeItem, ReadResult, Status } from "./types.ts";

/*
 *     reply     kind u8, id u32, then by kind:
 *       result  as src/state/results.ts encodes it
 *       get     revision u53, found u8, record if found
 *       range   revision u53, more u8, count u32, (key bytes, record) each
 *       status  JSON text
 *       error   code text, message text, retryable u8, outcomeUnknown u8, details JSON text (empty: none)
 *     record    createRevision u53, modRevision u53, version u53, value bytes
 */

export type Reply =
  | { readonly type: "result"; readonly id: number; readonly result: Result }
  | { readonly type: "read"; readonly id: number; readonly result: ReadResult }
  | { readonly type: "status"; readonly id: number; readonly status: Status }
  | { readonly type: "error"; readonly id: number; readonly error: SynodError };

const RESULT = 1;
const GET = 2;
const RANGE = 3;
const STATUS = 4;
const ERROR = 5;

const MINIMUM_ITEM_BYTES = 32;

export function writeResultReply(writer: ByteWriter, id: number, result: Result): void {
  writeResult(writer.u8(RESULT).u32(id), result);
}

export function writeReadReply(writer: ByteWriter, id: number, result: ReadResult): void {
  if (result.type === "get") {
    writer.u8(GET).u32(id).u53(result.revision);
    if (result.record === null) writer.u8(0);
    else writeRecord(writer.u8(1), result.record);
    return;
  }
  const { revision, more, items } = result;
  writer.u8(RANGE).u32(id).u53(revision).u8(more ? 1 : 0).u32(items.length);
  for (const item of items) writeRecord(writer.bytes(item.key), item);
}

export function writeStatusReply(writer: ByteWriter, id: number, status: Status): void {
  writer.u8(STATUS).u32(id).text(JSON.stringify(status));
}

export function writeErrorReply(writer: ByteWriter, id: number, error: SynodError): void {
  const { retryable, outcomeUnknown } = error.kind;
  writer.u8(ERROR).u32(id).text(error.code).text(error.message).u8(retryable ? 1 : 0).u8(outcomeUnknown ? 1 : 0);
  writer.text(error.details === undefined ? "" : JSON.stringify(error.details));
}

/** Reads the next reply of a message; values are views into the message. Throws `DecodeError`. */
export function readReply(reader: ByteReader): Reply {
  const kind = reader.u8();
  const id = reader.u32();
  switch (kind) {
    case RESULT:
      return { type: "result", id, result: readResult(reader) };
    case GET:
      return { type: "read", id, result: readGetResult(reader) };
    case RANGE:
      return { type: "read", id, result: readRangeResult(reader) };
    case STATUS:
      return { type: "status", id, status: readJson(reader.text()) as Status };
    case ERROR:
      return { type: "error", id, error: readError(reader) };
    default:
      throw new DecodeError(`unknown reply ${kind}`);
  }
}

function writeRecord(writer: ByteWriter, record: KeyRecord): void {
  writer.u53(record.createRevision).u53(record.modRevision).u53(record.version).bytes(record.value);
}

function readRecord(reader: ByteReader): KeyRecord {
  const createRevision = reader.u53();
  const modRevision = reader.u53();
  const version = reader.u53();
  return { createRevision, modRevision, version, value: reader.bytes() };
}

function readGetResult(reader: ByteReader): ReadResult {
  const revision = reader.u53();
  return { type: "get", revision, record: reader.boolean() ? readRecord(reader) : null };
}

function readRangeResult(reader: ByteReader): ReadResult {
  const revision = reader.u53();
  const more = reader.boolean();
  const count = reader.count(MINIMUM_ITEM_BYTES);
  const items: RangeItem[] = [];
  for (let index = 0; index < count; index++) {
    const key = reader.bytes();
    const { createRevision, modRevision, version, value } = readRecord(reader);
    items.push({ key, value, createRevision, modRevision, version });
  }
  return { type: "range", revision, items, more };
}

/** A code that this version does not know becomes one that says the same about repeating the request. */
function readError(reader: ByteReader): SynodError {
  const code = reader.text();
  const message = reader.text();
  const retryable = reader.boolean();
  const outcomeUnknown = reader.boolean();
  const text = reader.text();
  const details = text === "" ? undefined : (readJson(text) as Record<string, unknown>);
  if (Object.hasOwn(ERRORS, code)) return new SynodError(code as ErrorCode, message, details);
  const nearest = outcomeUnknown ? "SYNOD_ERR_OUTCOME_UNKNOWN" : retryable ? "SYNOD_ERR_BUSY" : "SYNOD_ERR_BAD_REQUEST";
  return new SynodError(nearest, `${code}: ${message}`, details);
}

function readJson(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DecodeError("not valid JSON");
  }
  if (typeof value !== "object" || value === null) throw new DecodeError("not a JSON object");
  return value;
}
