import type { IncomingHttpHeaders } from "node:http";
import { SynodError } from "../errors/synod-error.ts";
import type { Consistency } from "./service.ts";

const encoder = new TextEncoder();
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const DECIMAL = /^(0|[1-9][0-9]{0,15})$/;

/** A host name of 253 characters, or an IPv6 address in brackets, and a port. */
export const MAX_ADDRESS_LENGTH = 262;

/** The query part of a URL, percent-decoded to bytes. Reading a parameter that is not there gives undefined. */
export class QueryParameters {
  readonly #values = new Map<string, Uint8Array>();

  /**
   * Every parameter must be one of `allowed` and appear once: a misspelt `prevRevision` must not turn a compare-and-set into a
   * plain write. Throws `SYNOD_ERR_BAD_REQUEST`.
   */
  constructor(url: string, allowed: readonly string[]) {
    const mark = url.indexOf("?");
    if (mark === -1) return;
    for (const part of url.slice(mark + 1).split("&")) {
      if (part === "") continue;
      const equals = part.indexOf("=");
      const name = equals === -1 ? part : part.slice(0, equals);
      if (!allowed.includes(name)) {
        const known = allowed.length === 0 ? "none" : allowed.join(", ");
        throw badRequest(`The query parameter ${JSON.stringify(name.slice(0, 64))} is not known here; known: ${known}.`);
      }
      if (this.#values.has(name)) throw badRequest(`The query parameter ${name} appears twice.`);
      this.#values.set(name, percentDecode(equals === -1 ? "" : part.slice(equals + 1).replaceAll("+", " "), name));
    }
  }

  bytes(name: string): Uint8Array | undefined {
    return this.#values.get(name);
  }

  text(name: string): string | undefined {
    const bytes = this.#values.get(name);
    return bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  }

  /** The bytes behind a cursor that an earlier answer gave. */
  cursor(name: string): Uint8Array | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!BASE64URL.test(text)) throw badRequest(`${name} is not one that an answer gave.`);
    return Buffer.from(text, "base64url");
  }

  /** A decimal number from 0 to 2^53 - 1. */
  integer(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseInteger(text, name);
  }

  consistency(): Consistency {
    const text = this.text("consistency") ?? "linearizable";
    if (text !== "linearizable" && text !== "local") throw badRequest('consistency must be "linearizable" or "local".');
    return text;
  }
}

/** For routes that take no parameters. Throws `SYNOD_ERR_BAD_REQUEST` when there is one. */
export function refuseParameters(url: string | undefined): void {
  if (url?.includes("?") === true) void new QueryParameters(url, []);
}

/** A decimal number from 0 to 2^53 - 1, without leading zeros. Throws `SYNOD_ERR_BAD_REQUEST`, which names `what`. */
export function parseInteger(text: string, what: string): number {
  const value = Number(text);
  if (!DECIMAL.test(text) || !Number.isSafeInteger(value)) throw badRequest(`${what} must be a decimal number from 0 to 2^53 - 1.`);
  return value;
}

/** The key in a URL: what follows `prefix` up to the query, slashes included, percent-decoded. */
export function keyOfUrl(url: string, prefix: string): Uint8Array {
  const mark = url.indexOf("?");
  return percentDecode(url.slice(prefix.length, mark === -1 ? undefined : mark), "key");
}

/** Bytes of percent-encoded text. Any byte may be encoded; what is not encoded stands for its UTF-8. */
function percentDecode(text: string, what: string): Uint8Array {
  if (!text.includes("%")) return encoder.encode(text);
  const source = encoder.encode(text);
  const bytes = new Uint8Array(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index++) {
    if (source[index] !== 0x25) {
      bytes[length++] = source[index] as number;
      continue;
    }
    const high = hexDigit(source[index + 1]);
    const low = hexDigit(source[index + 2]);
    if (high === -1 || low === -1) throw badRequest(`The ${what} is not valid percent-encoding.`);
    bytes[length++] = high * 16 + low;
    index += 2;
  }
  return bytes.slice(0, length);
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Whether a request comes from elsewhere than from a page of this very server. Browsers name the page's origin; letting other
 * origins write would let any web page that somebody opens use a cluster on their network.
 */
export function isCrossOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

export function badRequest(message: string): SynodError {
  return new SynodError("SYNOD_ERR_BAD_REQUEST", message);
}
