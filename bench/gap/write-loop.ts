import type { Writer } from "../systems/system.ts";

/** How long the answer to one write is waited for before the next is made; the late answer still counts. */
const PATIENCE_MS = 50;
/** After a refusal. */
const RETRY_MS = 2;
const MAX_OPEN = 200;

/** Writes one value after the other. A write that hangs with a lost leader does not hide that others would be taken. */
export class WriteLoop {
  readonly #writer: Writer;
  readonly #onAck: () => void;
  #open = 0;
  #count = 0;
  #current = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(writer: Writer, onAck: () => void) {
    this.#writer = writer;
    this.#onAck = onAck;
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#writer.close();
  }

  #next(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    if (this.#open >= MAX_OPEN) return this.#later(PATIENCE_MS);
    this.#count += 1;
    const number = this.#count;
    this.#current = number;
    this.#open += 1;
    void this.#writer.write(String(number)).then((acknowledged) => this.#answered(number, acknowledged));
    this.#later(PATIENCE_MS);
  }

  #answered(number: number, acknowledged: boolean): void {
    this.#open -= 1;
    if (this.#stopped) return;
    if (acknowledged) this.#onAck();
    if (number !== this.#current) return;
    if (acknowledged) this.#next();
    else this.#later(RETRY_MS);
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), ms);
  }
}
