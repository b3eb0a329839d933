const BUFFER_BYTES = 64 * 1024;
const MAX_FREE = 4;

/**
 * Memory for frames, used again once a socket has taken their bytes. Under load new memory for each frame would be much of
 * what the garbage collector has to find and free.
 */
export class FrameBuffers {
  readonly #free: Buffer[] = [];

  /** `length` bytes of any content, the caller's until it gives them back; it need not. */
  take(length: number): Buffer {
    if (length > BUFFER_BYTES) return Buffer.allocUnsafeSlow(length);
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
    return buffer.subarray(0, length);
  }

  /** Nobody reads or writes these bytes any more. */
  give(bytes: Buffer): void {
    if (bytes.buffer.byteLength !== BUFFER_BYTES || this.#free.length >= MAX_FREE) return;
    this.#free.push(Buffer.from(bytes.buffer));
  }
}
