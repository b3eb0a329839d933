import type { Tally } from "./tally.ts";

/** How often the bar moves on a terminal, and how often a line is added to anything else. */
const BAR_MS = 500;
const LINE_MS = 10_000;

export interface ProgressOptions {
  readonly isTerminal: boolean;
  /** Milliseconds since the search began. */
  readonly nowMs: () => number;
  /** How much of all is done, from 0 to 1. */
  readonly part: (tally: Tally) => number;
  readonly write: (text: string) => void;
}

/** Shows how far a search is: on a terminal by one line that changes, elsewhere by a line now and then. */
export class Progress {
  readonly #options: ProgressOptions;
  #shownMs = 0;
  #barShown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** To be called often; most calls show nothing. */
  show(tally: Tally): void {
    const { isTerminal, nowMs, part, write } = this.#options;
    const now = nowMs();
    if (now - this.#shownMs < (isTerminal ? BAR_MS : LINE_MS)) return;
    this.#shownMs = now;
    this.#barShown = isTerminal;
    const line = tally.progress(part(tally), now);
    write(isTerminal ? `\r${line}   ` : `${line}\n`);
  }

  /** What comes next begins on a line of its own. */
  end(): void {
    if (this.#barShown) this.#options.write("\n");
  }
}
