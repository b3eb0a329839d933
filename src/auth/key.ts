import { createHash, createHmac } from "node:crypto";
import { SynodError } from "../errors/synod-error.ts";

/** What the members of one cluster, and whoever may change them, share: 32 random bytes. */
export type Key = Uint8Array;

const TEXT_PATTERN = /^[0-9a-f]{64}$/;
const FINGERPRINT_DIGITS = 16;

/** Reads a key's text, 64 hex digits; space around it, such as an editor's line end, is left out. `source` is named in the `SYNOD_ERR_BAD_REQUEST`. */
export function parseKey(text: string, source: string): Key {
  const digits = text.trim().toLowerCase();
  if (!TEXT_PATTERN.test(digits)) throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${source} is not a key: a key is 32 random bytes, written as 64 hex digits.`);
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

/** By this a key can be named in public: 16 hex digits of a hash, from which nothing of a random key can be found. */
export function fingerprint(key: Key): string {
  return createHash("sha256").update("synod key fingerprint").update(key).digest("hex").slice(0, FINGERPRINT_DIGITS);
}

/** HMAC-SHA256 of `text`: 32 bytes that only a holder of the key can make. */
export function hmac(key: Key, text: Uint8Array | string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

/** The `Authorization` header of a call that changes members or leadership. Over a wire without TLS who listens can use it too. */
export function authorization(key: Key): string {
  return `Bearer ${Buffer.from(hmac(key, "synod membership")).toString("hex")}`;
}
