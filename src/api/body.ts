import type { Readable } from "node:stream";
import { SynodError } from "../errors/synod-error.ts";
import { MAX_VALUE_BYTES } from "../state/limits.ts";

/** Bytes of a body that is too large which are still read, so that the sender gets to see the answer before the connection ends. */
const MAX_DISCARDED_BYTES = 8 * 1024 * 1024;

/**
 * Reads a value. What counts is the bytes that arrive, whatever Content-Length says. Calls `done` once, with
 * `SYNOD_ERR_VALUE_TOO_LARGE` for more than a value may have.
 */
export function readValueBody(payload: Readable, done: (error: Error | null, body?: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let length = 0;
  const finish = (error: Error | null, body?: Buffer): void => {
    payload.off("data", onData).off("end", onEnd).off("error", onError);
    done(error, body);
  };
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length <= MAX_VALUE_BYTES) chunks.push(chunk);
    else chunks = [];
    if (length > MAX_VALUE_BYTES + MAX_DISCARDED_BYTES) finish(new SynodError("SYNOD_ERR_VALUE_TOO_LARGE"));
  };
  const onEnd = (): void => {
    if (length > MAX_VALUE_BYTES) return finish(new SynodError("SYNOD_ERR_VALUE_TOO_LARGE"));
    finish(null, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
  };
  const onError = (): void => finish(new SynodError("SYNOD_ERR_BAD_REQUEST", "The body ended before it was complete."));
  payload.on("data", onData).on("end", onEnd).on("error", onError);
}
