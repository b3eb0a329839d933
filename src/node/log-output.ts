import { write } from "node:fs";

const STANDARD_OUTPUT = 1;
/** Lines of the same moment are written together. */
const GATHER_MS = 20;
const DEFAULT_MAX_BYTES = 1024 * 1024;

export interface LogOutputOptions {
  /** The file descriptor to write to; standard output by default. */
  readonly fd?: number;
  /** What may wait to be written; lines beyond it are dropped. */
  readonly maxBytes?: number;
}

/**
 * Writes log lines in the background, and lets nothing that becomes of them reach the member: whoever reads them slowly, not at all, or is
 * gone, and a file that cannot grow, cost lines and nothing else. What was not written when the process ends is lost; see `flush`.
 */
export class LogOutput {
  readonly #fd: number;
  readonly #maxBytes: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing = false;
  #whenIdle: (() => void)[] = [];

  constructor({ fd = STANDARD_OUTPUT, maxBytes = DEFAULT_MAX_BYTES }: LogOutputOptions = {}) {
    this.#fd = fd;
    this.#maxBytes = maxBytes;
  }

  /** Lines that were dropped, as too much waited or they could not be written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one line, with its line end. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes + bytes.length > this.#maxBytes) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#writing) this.#timer ??= setTimeout(() => this.#next(), GATHER_MS);
  }

  /** Resolves with true once everything is written, and with false when that takes longer than `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean> {
    if (!this.#writing) this.#next();
    if (!this.#writing) return Promise.resolve(true);
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), timeoutMs);
      this.#whenIdle.push(() => {
        clearTimeout(late);
        resolve(true);
      });
    });
  }

  #next(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#waiting.splice(0);
    this.#waitingBytes = 0;
    this.#writing = lines.length > 0;
    if (this.#writing) this.#put(Buffer.concat(lines), lines.length);
    else for (const tell of this.#whenIdle.splice(0)) tell();
  }

  #put(bytes: Uint8Array, lines: number): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, written) => {
      const rest = error === null ? bytes.subarray(written) : bytes;
      if (error?.code === "EAGAIN") return void setTimeout(() => this.#put(rest, lines), GATHER_MS);
      if (error !== null) this.#dropped += lines;
      else if (rest.length > 0 && written > 0) return this.#put(rest, lines);
      this.#next();
    });
  }
}
