import { MAX_SCENARIO_MEMBERS } from "./names.ts";
import type { PayloadType, Selector } from "./network.ts";
import { type Command, ScenarioError } from "./script.ts";

/** Every name that a selector can call a message by. */
const PAYLOAD_TYPES = [
  "preVote", "preVoteReply", "prepare", "promise", "promiseNeedsSnapshot", "reject", "accept", "accepted", "acceptGap",
  "heartbeat", "heartbeatReply", "catchUp", "chosenEntries", "needsSnapshot", "readIndexRequest", "readIndexReply",
  "transferLeadership", "snapshot",
] as const satisfies readonly PayloadType[];

/** The words behind a command, read one after the other. Whatever is missing, wrong or left over is a `ScenarioError`. */
export class Words {
  readonly #command: Command;
  #next = 0;

  constructor(command: Command) {
    this.#command = command;
  }

  get line(): number {
    return this.#command.line;
  }

  get more(): boolean {
    return this.#next < this.#command.words.length;
  }

  peek(): string | undefined {
    return this.#command.words[this.#next];
  }

  word(what: string): string {
    const word = this.#command.words[this.#next];
    if (word === undefined) throw this.error(`${this.#command.name} needs ${what}`);
    this.#next += 1;
    return word;
  }

  /** Takes the next word if it is this one. */
  skip(word: string): boolean {
    if (this.peek() !== word) return false;
    this.#next += 1;
    return true;
  }

  rest(): string[] {
    const words = this.#command.words.slice(this.#next);
    this.#next = this.#command.words.length;
    return words;
  }

  number(what: string): number {
    const word = this.word(what);
    if (!/^\d{1,9}$/.test(word)) throw this.error(`${word} is not ${what}`);
    return Number(word);
  }

  member(): number {
    return this.#memberOf(this.word("a member"));
  }

  /** `1,2,4` */
  members(): number[] {
    return this.#membersOf(this.word("members"));
  }

  #membersOf(list: string): number[] {
    return list.split(",").map((name) => this.#memberOf(name));
  }

  #memberOf(word: string): number {
    if (!/^[1-9]$/.test(word) || Number(word) > MAX_SCENARIO_MEMBERS) throw this.error(`${word} is not a member`);
    return Number(word);
  }

  /** `1>2` one way, `1-2` both ways. */
  directions(): [number, number][] {
    const word = this.word("a direction");
    const match = /^([1-9])([>-])([1-9])$/.exec(word);
    if (match === null) throw this.error(`${word} is not a direction like 1>2 or 1-2`);
    const [a, b] = [Number(match[1]), Number(match[3])];
    return match[2] === ">" ? [[a, b]] : [[a, b], [b, a]];
  }

  /**
   * The rest as a selector: `3` or `to=3`, `from=1`, `1>3`, a message type, `slot=5`, `count=1`, `held`. Words that begin
   * with `drop=` are given to `onDrop`.
   */
  selector(onDrop: ((members: number[]) => void) | null = null): Selector {
    let selector: Selector = {};
    while (this.more) {
      const word = this.word("a selector");
      const [key, value] = word.split("=") as [string, string | undefined];
      if (value === undefined) selector = { ...selector, ...this.#bare(word, selector) };
      else if (key === "drop" && onDrop !== null) onDrop(this.#membersOf(value));
      else if (key === "from") selector = { ...selector, from: this.#membersOf(value) };
      else if (key === "to") selector = { ...selector, to: this.#membersOf(value) };
      else if (key === "slot") selector = { ...selector, slot: this.#count(value) };
      else if (key === "count") selector = { ...selector, count: this.#count(value) };
      else throw this.error(`${word} selects nothing`);
    }
    return selector;
  }

  #bare(word: string, selector: Selector): Selector {
    if (word === "held") return { held: true };
    if (/^[1-9](,[1-9])*$/.test(word)) return { to: this.#membersOf(word) };
    const match = /^([1-9])>([1-9])$/.exec(word);
    if (match !== null) return { from: [Number(match[1])], to: [Number(match[2])] };
    const type = PAYLOAD_TYPES.find((known) => known === word);
    if (type === undefined) throw this.error(`${word} is not a kind of message`);
    return { types: [...(selector.types ?? []), type] };
  }

  #count(value: string): number {
    if (!/^\d{1,9}$/.test(value)) throw this.error(`${value} is not a number`);
    return Number(value);
  }

  end(): void {
    if (this.more) throw this.error(`${this.rest().join(" ")} is left over`);
  }

  error(message: string): ScenarioError {
    return new ScenarioError(this.line, message);
  }
}
