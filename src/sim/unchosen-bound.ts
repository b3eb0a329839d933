import { type Ballot, ballotsEqual, ZERO_BALLOT } from "../paxos/ballot.ts";
import type { ValueBytes } from "../paxos/messages.ts";
import { decodeValue } from "../paxos/value.ts";
import { OutOfBounds } from "./violations.ts";

interface Proposed {
  readonly slot: number;
  readonly value: ValueBytes;
}

/**
 * What one member proposed in its ballot and is not chosen yet, held against its bound (rule 26): commands of several proposals stay below
 * it together; a single one may be larger. What it adopted does not count, as that many bytes may be reported to it.
 */
export class UnchosenBound {
  readonly #member: number;
  readonly #maxBytes: number;
  #ballot: Ballot = ZERO_BALLOT;
  #proposed: Proposed[] = [];
  #bytes = 0;

  constructor(member: number, maxBytes: number) {
    this.#member = member;
    this.#maxBytes = maxBytes;
  }

  /** The member proposes `value` in `slot` at its own `ballot`, and all slots up to `decidedThrough` are decided. */
  proposed(slot: number, ballot: Ballot, value: ValueBytes, decidedThrough: number): void {
    if (!ballotsEqual(ballot, this.#ballot)) {
      this.#ballot = ballot;
      this.#proposed = [];
      this.#bytes = 0;
    }
    this.#proposed.push({ slot, value });
    this.#bytes += value.length;
    this.#forget(decidedThrough);
    // The values are a little longer than their commands, which are looked at only when they may be too many.
    if (this.#proposed.length < 2 || this.#bytes <= this.#maxBytes) return;
    const commands = this.#proposed.map((each) => commandBytes(each.value, ballot)).filter((bytes) => bytes > 0);
    const bytes = commands.reduce((sum, each) => sum + each, 0);
    if (commands.length < 2 || bytes <= this.#maxBytes) return;
    throw new OutOfBounds(`member ${this.#member} proposed ${bytes} bytes in ${commands.length} slots of which none is chosen`);
  }

  #forget(decidedThrough: number): void {
    const left = this.#proposed.findIndex(({ slot }) => slot > decidedThrough);
    for (const { value } of this.#proposed.splice(0, left === -1 ? this.#proposed.length : left)) this.#bytes -= value.length;
  }
}

/** Bytes of the commands that were first proposed at `ballot`. */
function commandBytes(value: ValueBytes, ballot: Ballot): number {
  const decoded = decodeValue(value);
  if (decoded.kind !== "commands" || !ballotsEqual(decoded.origin, ballot)) return 0;
  return decoded.commands.reduce((sum, command) => sum + command.length, 0);
}
