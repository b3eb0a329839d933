import { DecodeError } from "../codec/byte-reader.ts";
import type { ErrorCode } from "../errors/table.ts";
import { keyToText } from "./key.ts";
import { MAX_IDEMPOTENCY_KEY_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES } from "./limits.ts";

export const PUT = 1;
export const DELETE = 2;
export const OPEN_SESSION = 3;
export const CLOSE_SESSION = 4;
export const ADVANCE_TIME = 5;

export const RETRY_NONE = 0;
export const RETRY_KEY = 1;
export const RETRY_SESSION = 2;

/** In `prevRevision`: the write is unconditional. */
export const UNCONDITIONAL = -1;

/**
 * Where a command's fields lie in its bytes. `parse` fills it in again and again, so that applying a command allocates
 * nothing for reading it. All integers are little-endian; u53 takes eight bytes.
 *
 *     put, delete    type u8, retry u8, retry fields, body
 *     retry fields   none; or length u32 and UTF-8; or session u53, sequence u53, acknowledged u53
 *     body           conditional u8, prevRevision u53 if conditional, key length u32, key, value (what is left; delete: none)
 *     closeSession   type u8, session u53
 *     advanceTime    type u8, time u53
 *
 * The body is what makes two requests the same request, whatever their retry token says.
 */
export class CommandFields {
  type = 0;
  retry = RETRY_NONE;
  idempotencyStart = 0;
  idempotencyEnd = 0;
  session = 0;
  sequence = 0;
  acknowledged = 0;
  bodyStart = 0;
  prevRevision = UNCONDITIONAL;
  keyStart = 0;
  /** The end of the key and the start of the value. */
  keyEnd = 0;
  timeMs = 0;

  /** Reads `bytes`, in time that does not depend on the value's size. Throws `DecodeError`. */
  parse(bytes: Uint8Array): void {
    need(bytes, 0, 1);
    this.type = bytes[0] as number;
    switch (this.type) {
      case PUT:
      case DELETE:
        return this.#parseWrite(bytes);
      case OPEN_SESSION:
        return end(bytes, 1);
      case CLOSE_SESSION:
        this.session = u53(bytes, 1);
        return end(bytes, 9);
      case ADVANCE_TIME:
        this.timeMs = u53(bytes, 1);
        return end(bytes, 9);
      default:
        throw new DecodeError(`unknown command type ${this.type}`);
    }
  }

  #parseWrite(bytes: Uint8Array): void {
    this.bodyStart = this.#parseRetry(bytes);
    need(bytes, this.bodyStart, 1);
    const conditional = bytes[this.bodyStart] as number;
    if (conditional > 1) throw new DecodeError(`not a boolean: ${conditional}`);
    this.prevRevision = conditional === 1 ? u53(bytes, this.bodyStart + 1) : UNCONDITIONAL;
    const lengthAt = this.bodyStart + (conditional === 1 ? 9 : 1);
    const length = u32(bytes, lengthAt);
    this.keyStart = lengthAt + 4;
    need(bytes, this.keyStart, length);
    this.keyEnd = this.keyStart + length;
    if (this.type === DELETE) end(bytes, this.keyEnd);
  }

  /** Returns where the body starts. */
  #parseRetry(bytes: Uint8Array): number {
    need(bytes, 1, 1);
    this.retry = bytes[1] as number;
    switch (this.retry) {
      case RETRY_NONE:
        return 2;
      case RETRY_KEY:
        return this.#parseIdempotencyKey(bytes);
      case RETRY_SESSION:
        this.session = u53(bytes, 2);
        this.sequence = u53(bytes, 10);
        this.acknowledged = u53(bytes, 18);
        // Nobody has the result of a request that is still being sent.
        if (this.acknowledged >= this.sequence) throw new DecodeError("a sequence number that is acknowledged already");
        return 26;
      default:
        throw new DecodeError(`unknown retry token ${this.retry}`);
    }
  }

  #parseIdempotencyKey(bytes: Uint8Array): number {
    const length = u32(bytes, 2);
    need(bytes, 6, length);
    this.idempotencyStart = 6;
    this.idempotencyEnd = 6 + length;
    if (!isUtf8(bytes, 6, 6 + length)) throw new DecodeError("not valid UTF-8");
    return this.idempotencyEnd;
  }

  /** The code with which a command of `size` bytes that parsed is refused for what it contains, or null. */
  violation(size: number): ErrorCode | null {
    if (this.type !== PUT && this.type !== DELETE) return null;
    const keyBytes = this.keyEnd - this.keyStart;
    if (keyBytes < 1 || keyBytes > MAX_KEY_BYTES) return "SYNOD_ERR_KEY_LENGTH";
    if (size - this.keyEnd > MAX_VALUE_BYTES) return "SYNOD_ERR_VALUE_TOO_LARGE";
    if (this.retry !== RETRY_KEY) return null;
    const idempotencyBytes = this.idempotencyEnd - this.idempotencyStart;
    return idempotencyBytes < 1 || idempotencyBytes > MAX_IDEMPOTENCY_KEY_BYTES ? "SYNOD_ERR_BAD_REQUEST" : null;
  }
}

function need(bytes: Uint8Array, at: number, length: number): void {
  if (length > bytes.length - at) throw new DecodeError(`needs ${length} bytes at ${at} of ${bytes.length}`);
}

function end(bytes: Uint8Array, at: number): void {
  if (bytes.length !== at) throw new DecodeError(`${bytes.length - at} bytes left over`);
}

function u32(bytes: Uint8Array, at: number): number {
  need(bytes, at, 4);
  return word(bytes, at);
}

function u53(bytes: Uint8Array, at: number): number {
  need(bytes, at, 8);
  const high = word(bytes, at + 4);
  if (high > 0x1fffff) throw new DecodeError("integer above 2^53 - 1");
  return high * 0x100000000 + word(bytes, at);
}

function word(bytes: Uint8Array, at: number): number {
  const top = (bytes[at + 3] as number) << 24;
  return ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | top) >>> 0;
}

function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) >= 0x80) return keyToText(bytes.subarray(start, end)) !== null;
  }
  return true;
}
