import { DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { SynodError } from "../errors/synod-error.ts";
import {
  ADVANCE_TIME, CLOSE_SESSION, CommandFields, DELETE, OPEN_SESSION, PUT, RETRY_KEY, RETRY_NONE, RETRY_SESSION, UNCONDITIONAL,
} from "./command-fields.ts";
import { keyFromText, keyToText } from "./key.ts";

/** How a repeated write is recognised (rule 22). */
export type RetryToken =
  /** It is not: repeated, it is executed again. */
  | { readonly kind: "none" }
  /** By a key that the client drew, for a stated window. */
  | { readonly kind: "key"; readonly key: string }
  /**
   * By a sequence number from 1 on, for as long as the session lives. The client has, or gave up, the result of each
   * sequence number up to `acknowledged`, which is below `sequence`.
   */
  | { readonly kind: "session"; readonly session: number; readonly sequence: number; readonly acknowledged: number };

/** `prevRevision` null: unconditional; 0: the key must not exist; else it must be the key's mod revision. */
export type Command =
  | {
      readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array;
      readonly prevRevision: number | null; readonly retry: RetryToken;
    }
  | { readonly type: "delete"; readonly key: Uint8Array; readonly prevRevision: number | null; readonly retry: RetryToken }
  | { readonly type: "openSession" }
  | { readonly type: "closeSession"; readonly session: number }
  /** Log time becomes `timeMs` unless it is later already. */
  | { readonly type: "advanceTime"; readonly timeMs: number };

const NO_RETRY: RetryToken = Object.freeze({ kind: "none" });

/** Smaller commands are written in memory that is used again and copied out of it, as memory of their own costs more. */
const LARGEST_SHARING = 2_048;
const shared = new ByteWriter(2 * LARGEST_SHARING);
/** Bytes of a write beside its key, value and idempotency key, at most. */
const WRITE_OVERHEAD = 48;

/**
 * A command as the bytes that are proposed, logged and applied. Sizes are not checked here: see `validateCommand`.
 * Throws `SYNOD_ERR_BAD_REQUEST` for an idempotency key that is not well-formed Unicode.
 */
export function encodeCommand(command: Command): Uint8Array {
  const bytes = WRITE_OVERHEAD + ("key" in command ? command.key.length : 0) + ("value" in command ? command.value.length : 0);
  return bytes > LARGEST_SHARING ? writeCommand(new ByteWriter(bytes), command).take() : writeCommand(shared.reset(), command).finish();
}

function writeCommand(writer: ByteWriter, command: Command): ByteWriter {
  switch (command.type) {
    case "put":
      return writeBody(writeRetry(writer.u8(PUT), command.retry), command.key, command.prevRevision).raw(command.value);
    case "delete":
      return writeBody(writeRetry(writer.u8(DELETE), command.retry), command.key, command.prevRevision);
    case "openSession":
      return writer.u8(OPEN_SESSION);
    case "closeSession":
      return writer.u8(CLOSE_SESSION).u53(command.session);
    case "advanceTime":
      return writer.u8(ADVANCE_TIME).u53(command.timeMs);
  }
}

function writeRetry(writer: ByteWriter, retry: RetryToken): ByteWriter {
  switch (retry.kind) {
    case "none":
      return writer.u8(RETRY_NONE);
    case "key":
      return writer.u8(RETRY_KEY).bytes(keyFromText(retry.key));
    case "session":
      return writer.u8(RETRY_SESSION).u53(retry.session).u53(retry.sequence).u53(retry.acknowledged);
  }
}

function writeBody(writer: ByteWriter, key: Uint8Array, prevRevision: number | null): ByteWriter {
  if (prevRevision === null) return writer.u8(0).bytes(key);
  return writer.u8(1).u53(prevRevision).bytes(key);
}

/** Reads a command; key and value are views into `bytes`. Throws `DecodeError`. Sizes are not checked: see `validateCommand`. */
export function decodeCommand(bytes: Uint8Array): Command {
  const fields = new CommandFields();
  fields.parse(bytes);
  switch (fields.type) {
    case PUT: {
      const value = bytes.subarray(fields.keyEnd);
      const retry = retryOf(fields, bytes);
      return { type: "put", key: keyOf(fields, bytes), value, prevRevision: prevRevisionOf(fields), retry };
    }
    case DELETE:
      return { type: "delete", key: keyOf(fields, bytes), prevRevision: prevRevisionOf(fields), retry: retryOf(fields, bytes) };
    case OPEN_SESSION:
      return { type: "openSession" };
    case CLOSE_SESSION:
      return { type: "closeSession", session: fields.session };
    default:
      return { type: "advanceTime", timeMs: fields.timeMs };
  }
}

function keyOf(fields: CommandFields, bytes: Uint8Array): Uint8Array {
  return bytes.subarray(fields.keyStart, fields.keyEnd);
}

function prevRevisionOf(fields: CommandFields): number | null {
  return fields.prevRevision === UNCONDITIONAL ? null : fields.prevRevision;
}

function retryOf(fields: CommandFields, bytes: Uint8Array): RetryToken {
  const { session, sequence, acknowledged } = fields;
  if (fields.retry === RETRY_NONE) return NO_RETRY;
  if (fields.retry === RETRY_SESSION) return { kind: "session", session, sequence, acknowledged };
  return { kind: "key", key: keyToText(bytes.subarray(fields.idempotencyStart, fields.idempotencyEnd)) as string };
}

/** Whether applying the command may make the state larger: such commands are refused on a full disk (rule 15). */
export function growsState(command: Uint8Array): boolean {
  return command[0] === PUT || command[0] === OPEN_SESSION;
}

/**
 * Checks a command before it is proposed. Throws `SYNOD_ERR_BAD_REQUEST` when it does not decode or its idempotency key
 * has not 1 to 256 bytes, `SYNOD_ERR_KEY_LENGTH` and `SYNOD_ERR_VALUE_TOO_LARGE`. Applying refuses the same.
 */
export function validateCommand(bytes: Uint8Array): void {
  const fields = new CommandFields();
  try {
    fields.parse(bytes);
  } catch (error) {
    if (error instanceof DecodeError) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `Not a command: ${error.message}.`);
    throw error;
  }
  const code = fields.violation(bytes.length);
  if (code === "SYNOD_ERR_BAD_REQUEST") throw new SynodError(code, "An idempotency key has 1 to 256 bytes.");
  if (code !== null) throw new SynodError(code);
}
