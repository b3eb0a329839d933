/** Where the view is shown. */
export interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const ESCAPES = /\u001b\[[0-9;]*m/y;

/** Text that scrolls by, above a block of lines that is redrawn in place. Without a terminal there is no block: only text. */
export class Screen {
  readonly #terminal: Terminal;
  #block: readonly string[] = [];
  #drawn = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get live(): boolean {
    return this.#terminal.isTTY === true;
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#terminal.write(this.#erase() + lines.map((line) => `${line}\n`).join("") + this.#draw());
  }

  /** Shows these lines instead of the block's present ones. */
  setBlock(lines: readonly string[]): void {
    if (!this.live || (this.#drawn > 0 && lines.join("\n") === this.#block.join("\n"))) return;
    this.#block = lines;
    this.#terminal.write(this.#erase() + this.#draw());
  }

  /** The terminal has another width: what was drawn may be broken over more lines, so it stays as it is and is drawn anew below. */
  resized(): void {
    this.#drawn = 0;
    this.setBlock([...this.#block]);
  }

  #erase(): string {
    return this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A\r\u001b[J`;
  }

  #draw(): string {
    this.#drawn = this.#block.length;
    const columns = this.#terminal.columns ?? 80;
    return this.#block.map((line) => `${cut(line, columns - 1)}\n`).join("");
  }
}

/** The first `columns` characters; colour codes do not count, and are kept, so that no colour runs on. */
export function cut(line: string, columns: number): string {
  let shown = 0;
  let kept = "";
  for (let index = 0; index < line.length; ) {
    ESCAPES.lastIndex = index;
    const escape = ESCAPES.exec(line)?.[0];
    if (escape !== undefined) {
      kept += escape;
      index += escape.length;
      continue;
    }
    if (shown < columns) kept += line[index];
    shown += 1;
    index += 1;
  }
  return kept;
}
