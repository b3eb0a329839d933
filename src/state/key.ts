import { utf8 } from "../codec/utf8.ts";
import { SynodError } from "../errors/synod-error.ts";

/**
 * Bytes as a string of one character per byte, so that the order of strings is the order of bytes and a lookup hashes
 * or compares no byte array. Only used inside the state machine.
 */
export type ByteString = string;

const CHUNK = 1024;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes from `start` to `end` as a byte string. */
export function byteStringOf(bytes: Uint8Array, start = 0, end = bytes.length): ByteString {
  if (end - start === 8) return eightBytes(bytes, start);
  let text = "";
  for (let at = start; at < end; at += CHUNK) {
    // apply takes any array-like; the type of fromCharCode only knows number[].
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(at + CHUNK, end)) as unknown as number[]);
  }
  return text;
}

/** A quarter of the general way's cost, for what benchmarks and generated ids commonly use. */
function eightBytes(bytes: Uint8Array, at: number): ByteString {
  return String.fromCharCode(
    bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number, bytes[at + 3] as number,
    bytes[at + 4] as number, bytes[at + 5] as number, bytes[at + 6] as number, bytes[at + 7] as number,
  );
}

/** The bytes of a byte string. */
export function bytesOf(text: ByteString): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A key's bytes: the UTF-8 of `text`. Throws `SYNOD_ERR_BAD_REQUEST` for a lone surrogate, which has no UTF-8. */
export function keyFromText(text: string): Uint8Array {
  const bytes = utf8(text);
  // Where each character takes one byte there is none.
  if (bytes.length !== text.length && !text.isWellFormed()) throw new SynodError("SYNOD_ERR_BAD_REQUEST", "The text is not well-formed Unicode.");
  return bytes;
}

/** The text of a key, or null when its bytes are not valid UTF-8. `keyFromText` of the text gives the same bytes again. */
export function keyToText(key: Uint8Array): string | null {
  try {
    return decoder.decode(key);
  } catch {
    return null;
  }
}
