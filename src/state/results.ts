import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { ERRORS, type ErrorCode } from "../errors/table.ts";
import { mix, mixInteger } from "./digest.ts";

/** What applying a command came to. The same on every member. */
export type Result =
  /** The key's new mod revision, which is also the state's. */
  | { readonly type: "written"; readonly revision: number }
  /** The state's revision, unchanged when there was nothing to delete. */
  | { readonly type: "deleted"; readonly revision: number; readonly deleted: 0 | 1 }
  | { readonly type: "sessionOpened"; readonly session: number }
  | { readonly type: "sessionClosed" }
  | { readonly type: "timeAdvanced" }
  /** `revision`: for `SYNOD_ERR_PRECONDITION` the key's mod revision, 0 when it does not exist; for other codes 0. */
  | { readonly type: "refused"; readonly code: ErrorCode; readonly revision: number };

const WRITTEN = 1;
const DELETED = 2;
const SESSION_OPENED = 3;
const SESSION_CLOSED = 4;
const TIME_ADVANCED = 5;
const REFUSED = 6;

export function refused(code: ErrorCode, revision = 0): Result {
  return { type: "refused", code, revision };
}

/** `state` with a result mixed in, for the running checksum. */
export function mixResult(state: number, result: Result): number {
  switch (result.type) {
    case "written":
      return mixInteger(mix(state, WRITTEN), result.revision);
    case "deleted":
      return mixInteger(mix(mix(state, DELETED), result.deleted), result.revision);
    case "sessionOpened":
      return mixInteger(mix(state, SESSION_OPENED), result.session);
    case "sessionClosed":
      return mix(state, SESSION_CLOSED);
    case "timeAdvanced":
      return mix(state, TIME_ADVANCED);
    case "refused": {
      let mixed = mixInteger(mix(state, REFUSED), result.revision);
      for (let at = 0; at < result.code.length; at++) mixed = mix(mixed, result.code.charCodeAt(at));
      return mixed;
    }
  }
}

export function encodeResult(result: Result): Uint8Array {
  return writeResult(new ByteWriter(64), result).finish();
}

/** Appends a result to `writer`. */
export function writeResult(writer: ByteWriter, result: Result): ByteWriter {
  switch (result.type) {
    case "written":
      return writer.u8(WRITTEN).u53(result.revision);
    case "deleted":
      return writer.u8(DELETED).u53(result.revision).u8(result.deleted);
    case "sessionOpened":
      return writer.u8(SESSION_OPENED).u53(result.session);
    case "sessionClosed":
      return writer.u8(SESSION_CLOSED);
    case "timeAdvanced":
      return writer.u8(TIME_ADVANCED);
    case "refused":
      return writer.u8(REFUSED).u53(result.revision).text(result.code);
  }
}

/** Throws `DecodeError`. */
export function decodeResult(bytes: Uint8Array): Result {
  const reader = new ByteReader(bytes);
  const result = readResult(reader);
  reader.end();
  return result;
}

/** Reads what `writeResult` appended. Throws `DecodeError`. */
export function readResult(reader: ByteReader): Result {
  const type = reader.u8();
  switch (type) {
    case WRITTEN:
      return { type: "written", revision: reader.u53() };
    case DELETED: {
      const revision = reader.u53();
      return { type: "deleted", revision, deleted: reader.boolean() ? 1 : 0 };
    }
    case SESSION_OPENED:
      return { type: "sessionOpened", session: reader.u53() };
    case SESSION_CLOSED:
      return { type: "sessionClosed" };
    case TIME_ADVANCED:
      return { type: "timeAdvanced" };
    case REFUSED: {
      const revision = reader.u53();
      return { type: "refused", code: readCode(reader), revision };
    }
    default:
      throw new DecodeError(`unknown result type ${type}`);
  }
}

function readCode(reader: ByteReader): ErrorCode {
  const code = reader.text();
  if (!Object.hasOwn(ERRORS, code)) throw new DecodeError("unknown error code");
  return code as ErrorCode;
}
