/** Bytes from outside did not have the form they should have. Always caught at the boundary that read them. */
export class DecodeError extends Error {
  override name = "DecodeError";
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads what `ByteWriter` wrote. Every read is bounds-checked and throws `DecodeError`; nothing is copied unless said. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  u32(): number {
    return this.#get32(this.#advance(4));
  }

  u53(): number {
    const at = this.#advance(8);
    const high = this.#get32(at + 4);
    if (high > 0x1fffff) throw new DecodeError("integer above 2^53 - 1");
    return high * 0x100000000 + this.#get32(at);
  }

  /** Byte by byte: a DataView for each reader costs more than it saves. */
  #get32(at: number): number {
    const bytes = this.#bytes;
    return ((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
  }

  boolean(): boolean {
    const value = this.u8();
    if (value > 1) throw new DecodeError(`not a boolean: ${value}`);
    return value === 1;
  }

  /** The next byte, which stays the next. */
  peek(): number {
    if (this.remaining === 0) throw new DecodeError("needs 1 bytes, 0 left");
    return this.#bytes[this.#position] as number;
  }

  /** Whether the next bytes are these; then they are read. */
  readsAs(expected: Uint8Array): boolean {
    const at = this.#position;
    if (expected.length > this.remaining) return false;
    for (let index = 0; index < expected.length; index++) if (this.#bytes[at + index] !== expected[index]) return false;
    this.#position = at + expected.length;
    return true;
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A view of bytes behind a u32 length. */
  bytes(): Uint8Array {
    return this.raw(this.u32());
  }

  text(): string {
    try {
      return decoder.decode(this.bytes());
    } catch (error) {
      if (error instanceof DecodeError) throw error;
      throw new DecodeError("not valid UTF-8");
    }
  }

  /** A count of items that each take at least `minimumBytes`, so that a lying count cannot make us allocate. */
  count(minimumBytes: number): number {
    const count = this.u32();
    if (count * minimumBytes > this.remaining) throw new DecodeError(`count ${count} exceeds the bytes that are left`);
    return count;
  }

  /** Throws if bytes are left over. */
  end(): void {
    if (this.remaining !== 0) throw new DecodeError(`${this.remaining} bytes left over`);
  }

  #advance(length: number): number {
    const at = this.#position;
    if (length > this.#bytes.length - at) throw new DecodeError(`needs ${length} bytes, ${this.#bytes.length - at} left`);
    this.#position = at + length;
    return at;
  }
}
