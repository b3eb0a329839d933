import { closeSync, openSync, renameSync, writeSync } from "node:fs";

/** The log of one node: what its process prints. Bounded to two files of `maxBytes`, the older one named `.1`. */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: number | null = null;
  #bytes = 0;

  constructor(path: string, maxBytes = 8 * 1024 * 1024) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Begins a new file; what the last run printed becomes the older one. */
  rotate(): void {
    this.close();
    try {
      renameSync(this.#path, `${this.#path}.1`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    this.#file = openSync(this.#path, "w");
    this.#bytes = 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#file === null) return;
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#maxBytes) this.rotate();
    writeSync(this.#file, bytes);
    this.#bytes += bytes.length;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
