import { assert } from "./assert.ts";

const INITIAL_BYTES = 256;
/** Most texts are short and have one byte per character, which costs a fraction of what an encoder does. */
const LAST_ASCII = 0x7f;
const encoder = new TextEncoder();

/** Appends little-endian fields to a growing buffer. How its bytes are had back decides who owns them: copied, lent or given away. */
export class ByteWriter {
  readonly #initialBytes: number;
  #bytes: Uint8Array;
  /** What lies before is given away. */
  #start = 0;
  #end = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.#initialBytes = initialBytes;
    this.#bytes = new Uint8Array(initialBytes);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#end] = value;
    this.#end += 1;
    return this;
  }

  u32(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffffffff, () => `not a u32: ${value}`);
    this.#reserve(4);
    this.#put32(value);
    return this;
  }

  /** A safe integer from 0 to 2^53 - 1, as eight bytes. */
  u53(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, () => `not a safe unsigned integer: ${value}`);
    this.#reserve(8);
    this.#put32(value % 0x100000000);
    this.#put32(Math.floor(value / 0x100000000));
    return this;
  }

  /** Byte by byte: a DataView for each writer costs more than it saves. */
  #put32(value: number): void {
    const bytes = this.#bytes;
    const at = this.#end;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#end = at + 4;
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
    return this;
  }

  /** Bytes behind a u32 length. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** A string as UTF-8 behind a u32 length. */
  text(text: string): this {
    const { length } = text;
    this.#reserve(4 + length);
    const start = this.#end;
    this.#put32(length);
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > LAST_ASCII) {
        this.#end = start;
        return this.bytes(encoder.encode(text));
      }
      this.#bytes[this.#end + index] = code;
    }
    this.#end += length;
    return this;
  }

  /** What was written so far, copied out; the writer may be used again after `reset`. */
  finish(): Uint8Array {
    return this.#bytes.slice(this.#start, this.#end);
  }

  /** What was written so far, not copied: it is valid until the writer is written to again. */
  view(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /**
   * What was written so far, not copied and the caller's from now on: the writer starts anew behind it. What is taken one after the other
   * shares memory that lives as long as any of it, so it should have about the same life.
   */
  take(): Uint8Array {
    const taken = this.view();
    this.#start = this.#end;
    return taken;
  }

  /** Drops what was written and not taken. */
  reset(): this {
    this.#end = this.#start;
    return this;
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const { length } = this;
    const grown = new Uint8Array(Math.max(length + more, 2 * length, this.#initialBytes));
    grown.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = grown;
    this.#start = 0;
    this.#end = length;
  }
}
