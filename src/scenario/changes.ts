import type { ChangeFailure, ChangeOutcome } from "../paxos/interface.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import { type Checker, Violation } from "./checker.ts";
import type { Disk } from "./disk.ts";
import type { SimulatedMember } from "./member.ts";
import type { Note } from "./notes.ts";

/** A change of the configuration as whoever asked for it sees it. */
export interface ChangeView {
  readonly id: number;
  readonly member: number;
  readonly change: ConfigurationChange;
  readonly force: boolean;
  readonly outcome: "open" | "done" | ChangeFailure | "crashed";
  /** The slot of the configuration that has it. */
  readonly slot: number | null;
}

interface Asked extends ChangeView {
  readonly life: number;
}

/** The operators of a scenario: which changes of the configuration they asked for, and what they were told. */
export class Changes {
  readonly #checker: Checker;
  readonly #diskOf: (member: number) => Disk;
  readonly #note: (note: Note) => void;
  readonly #asked = new Map<number, Asked>();

  constructor(checker: Checker, diskOf: (member: number) => Disk, note: (note: Note) => void) {
    this.#checker = checker;
    this.#diskOf = diskOf;
    this.#note = note;
  }

  get views(): ReadonlyMap<number, ChangeView> {
    return this.#asked;
  }

  begin({ number, life }: SimulatedMember, change: ConfigurationChange, force: boolean): number {
    const id = this.#asked.size + 1;
    const asked: Asked = { id, member: number, life, change, force, outcome: "open", slot: null };
    this.#asked.set(id, asked);
    this.#note({ type: "changeBegan", change: asked });
    return id;
  }

  answered({ number, life }: SimulatedMember, outcome: ChangeOutcome): void {
    const asked = this.#asked.get(outcome.changeId);
    if (asked?.member !== number || asked.life !== life) throw new Violation(`member ${number} answered change ${outcome.changeId}, which it was not asked for`);
    if (asked.outcome !== "open") throw new Violation(`change ${asked.id} was answered twice: ${asked.outcome} first`);
    if (outcome.ok) this.#checker.changed(asked.change, outcome.slot, this.#diskOf);
    this.#end(outcome.ok ? { ...asked, outcome: "done", slot: outcome.slot } : { ...asked, outcome: outcome.failure });
  }

  /** A member crashed: nobody ever hears of what was open there. */
  crashed({ number }: SimulatedMember): void {
    for (const asked of this.#asked.values()) if (asked.member === number && asked.outcome === "open") this.#end({ ...asked, outcome: "crashed" });
  }

  #end(asked: Asked): void {
    this.#asked.set(asked.id, asked);
    this.#note({ type: "changeEnded", change: asked });
  }
}
