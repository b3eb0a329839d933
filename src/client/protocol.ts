import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import type { Consistency, Query } from "./types.ts";

/*
 * The client protocol, version 1: binary WebSocket messages at CLIENT_PATH, both ways. A message holds any number of requests (or
 * replies) one behind the other. Requests carry an id that the client chooses; replies carry it back, in any order. Integers are
 * little-endian, `bytes` and `text` stand behind a u32 length, u53 takes eight bytes.
 *
 *     request   op u8, id u32 (not 0), then by op:
 *       write   command bytes, as src/state/commands.ts encodes them
 *       get     local u8, key bytes
 *       range   local u8, limit u32, prefix bytes, hasAfter u8, after bytes if so
 *       status  nothing
 *
 * Replies are in replies.ts. An error with id 0 concerns the connection, which then ends: SYNOD_ERR_BAD_REQUEST for a message that
 * is none of this; SYNOD_ERR_STOPPING behind the last reply of a member that stops, which has not executed what is unanswered.
 */

export const CLIENT_PATH = "/v1/client";

/** Bytes that a message may have, in either direction. */
export const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/** Requests of one connection that may be unanswered; those beyond are refused with `SYNOD_ERR_BUSY`. */
export const MAX_OUTSTANDING = 4096;

/** The id of an error that concerns the connection. */
export const CONNECTION_ID = 0;

/** Items that one range may ask for. */
export const MAX_RANGE_LIMIT = 10_000;

export type Request =
  | { readonly op: "write"; readonly id: number; readonly command: Uint8Array }
  | { readonly op: "read"; readonly id: number; readonly consistency: Consistency; readonly query: Query }
  | { readonly op: "status"; readonly id: number };

const WRITE = 1;
const GET = 2;
const RANGE = 3;
const STATUS = 4;

export function writeWriteRequest(writer: ByteWriter, id: number, command: Uint8Array): void {
  writer.u8(WRITE).u32(id).bytes(command);
}

export function writeReadRequest(writer: ByteWriter, id: number, query: Query, consistency: Consistency): void {
  const local = consistency === "local" ? 1 : 0;
  if (query.type === "get") {
    writer.u8(GET).u32(id).u8(local).bytes(query.key);
    return;
  }
  writer.u8(RANGE).u32(id).u8(local).u32(query.limit).bytes(query.prefix);
  if (query.after === undefined) writer.u8(0);
  else writer.u8(1).bytes(query.after);
}

export function writeStatusRequest(writer: ByteWriter, id: number): void {
  writer.u8(STATUS).u32(id);
}

/** Reads the next request of a message; byte fields are views into the message. Throws `DecodeError`. */
export function readRequest(reader: ByteReader): Request {
  const op = reader.u8();
  const id = reader.u32();
  if (id === CONNECTION_ID) throw new DecodeError("a request's id is 0");
  switch (op) {
    case WRITE:
      return { op: "write", id, command: reader.bytes() };
    case GET:
      return { op: "read", id, consistency: readConsistency(reader), query: { type: "get", key: reader.bytes() } };
    case RANGE:
      return { op: "read", id, consistency: readConsistency(reader), query: readRange(reader) };
    case STATUS:
      return { op: "status", id };
    default:
      throw new DecodeError(`unknown request ${op}`);
  }
}

function readConsistency(reader: ByteReader): Consistency {
  return reader.boolean() ? "local" : "linearizable";
}

function readRange(reader: ByteReader): Query {
  const limit = reader.u32();
  const prefix = reader.bytes();
  return reader.boolean() ? { type: "range", prefix, limit, after: reader.bytes() } : { type: "range", prefix, limit };
}
