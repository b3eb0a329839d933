import type { ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import type { Digest } from "./digest.ts";
import { readResult, writeResult, type Result } from "./results.ts";

/** What a request that was executed came to, with the digest of its body: the same token with another body is a mistake. */
export interface Remembered {
  readonly low: number;
  readonly high: number;
  readonly result: Result;
}

/** The answer to a request that comes again: the first answer, or that its token was used for another request. */
export function answerAgain(remembered: Remembered, body: Digest): Result {
  if (remembered.low === body.low && remembered.high === body.high) return remembered.result;
  return { type: "refused", code: "SYNOD_ERR_IDEMPOTENCY_MISMATCH", revision: 0 };
}

export function writeRemembered(writer: ByteWriter, remembered: Remembered): ByteWriter {
  return writeResult(writer.u32(remembered.low >>> 0).u32(remembered.high >>> 0), remembered.result);
}

export function readRemembered(reader: ByteReader): Remembered {
  const low = reader.u32() | 0;
  const high = reader.u32() | 0;
  return { low, high, result: readResult(reader) };
}
