/** One line of a scenario: a word that says what to do, and the words behind it. A comment has the name `#` and one word. */
export interface Command {
  /** Counted from 1, for messages to people. */
  readonly line: number;
  readonly name: string;
  readonly words: readonly string[];
  /** The commands of a `repeat` up to its `end`; empty for all others. */
  readonly body: readonly Command[];
}

export interface Script {
  /** The comment at the top, which says what the scenario shows. */
  readonly about: readonly string[];
  readonly commands: readonly Command[];
}

/** A line that is not understood or cannot be done, or an expectation that is not met. */
export class ScenarioError extends Error {
  override name = "ScenarioError";
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

/** A script is read whole into memory, so it is bounded. */
const MAX_SCRIPT_LENGTH = 1_000_000;

/** Reads a script: one command a line, `#` begins a comment, `repeat N` … `end` encloses commands. Throws `ScenarioError`. */
export function parseScript(text: string): Script {
  if (text.length > MAX_SCRIPT_LENGTH) throw new ScenarioError(1, "the script is too long");
  const lines = text.split(/\r?\n/);
  const about: string[] = [];
  for (const line of lines) {
    if (!line.startsWith("#")) break;
    about.push(line.replace(/^#\s?/, ""));
  }
  const reader = new CommandReader(lines);
  return { about, commands: reader.readUntilEnd(null) };
}

class CommandReader {
  readonly #lines: readonly string[];
  #next = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Reads commands until `end` of the `repeat` at `opened`, or until the script ends when there is none. */
  readUntilEnd(opened: number | null): Command[] {
    const commands: Command[] = [];
    while (this.#next < this.#lines.length) {
      const line = this.#next + 1;
      const text = this.#lines[this.#next] as string;
      const [name, ...words] = wordsOf(text);
      this.#next += 1;
      if (text.startsWith("#")) commands.push({ line, name: "#", words: [text.replace(/^#\s?/, "")], body: [] });
      if (name === undefined) continue;
      if (name === "end") {
        if (opened === null) throw new ScenarioError(line, "end without repeat");
        return commands;
      }
      commands.push({ line, name, words, body: name === "repeat" ? this.readUntilEnd(line) : [] });
    }
    if (opened !== null) throw new ScenarioError(opened, "repeat without end");
    return commands;
  }
}

function wordsOf(line: string): string[] {
  return line.replace(/(^|\s)#.*$/, "").split(/\s+/).filter((word) => word !== "");
}
