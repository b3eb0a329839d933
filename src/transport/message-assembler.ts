import { assert } from "../codec/assert.ts";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { FIRST, REST, WHOLE, itemKind, itemLength } from "./frame-format.ts";

/** Turns the frames of one link back into messages. After it has thrown it must not be used again. */
export class MessageAssembler {
  readonly #messageBytes: number;
  #partial: Uint8Array | null = null;
  #filled = 0;

  /** `messageBytes` is the most that a message in pieces may claim to have. */
  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  /**
   * The messages that are complete with this frame, in order. Those that came in one piece are views of the frame.
   * Throws `DecodeError` if the frame breaks the format or a limit.
   */
  read(frame: Uint8Array): Uint8Array[] {
    const reader = new ByteReader(frame);
    const messages: Uint8Array[] = [];
    if (reader.remaining === 0) throw new DecodeError("a frame without items");
    while (reader.remaining > 0) {
      const header = reader.u32();
      const bytes = reader.raw(itemLength(header));
      const message = this.#item(itemKind(header), bytes);
      if (message !== null) messages.push(message);
    }
    return messages;
  }

  #item(kind: number, bytes: Uint8Array): Uint8Array | null {
    switch (kind) {
      case WHOLE:
        return bytes;
      case FIRST:
        return this.#begin(bytes);
      case REST:
        return this.#continue(bytes);
      default:
        throw new DecodeError(`no such kind of item: ${kind}`);
    }
  }

  #begin(bytes: Uint8Array): null {
    if (this.#partial !== null) throw new DecodeError("a message begins inside another");
    const reader = new ByteReader(bytes);
    const totalBytes = reader.u32();
    const piece = reader.raw(reader.remaining);
    if (totalBytes > this.#messageBytes) throw new DecodeError(`a message of ${totalBytes} bytes exceeds ${this.#messageBytes}`);
    if (piece.length === 0 || piece.length >= totalBytes) throw new DecodeError("a first fragment holds none or all of its message");
    // Not zeroed: it is handed over only when every byte has been written, and pages never written cost no memory.
    this.#partial = Buffer.allocUnsafeSlow(totalBytes);
    this.#partial.set(piece);
    this.#filled = piece.length;
    return null;
  }

  #continue(bytes: Uint8Array): Uint8Array | null {
    const partial = this.#partial;
    if (partial === null) throw new DecodeError("a fragment of no message");
    if (bytes.length === 0) throw new DecodeError("an empty fragment");
    if (bytes.length > partial.length - this.#filled) throw new DecodeError("a fragment exceeds its message");
    partial.set(bytes, this.#filled);
    this.#filled += bytes.length;
    assert(this.#filled <= partial.length, "fragments stay within their message");
    if (this.#filled < partial.length) return null;
    this.#partial = null;
    return partial;
  }
}
