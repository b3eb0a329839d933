import type { ProposalFailure } from "../paxos/interface.ts";
import { type Checker, Violation } from "./checker.ts";
import type { SimulatedMember } from "./member.ts";
import type { Note, ProposalView, ReadView } from "./notes.ts";

interface Proposal extends ProposalView {
  readonly life: number;
}

interface Read extends ReadView {
  readonly life: number;
  /** Slots that an answer must hold: all that was acknowledged, or read, before this read began. */
  readonly floor: number;
  /** What the core named; the read waits until it is applied. */
  readonly index: number | null;
}

/** The clients of a scenario: what they asked for, what they were told, and that it is linearizable. */
export class Clients {
  readonly #checker: Checker;
  readonly #note: (note: Note) => void;
  readonly #proposals = new Map<number, Proposal>();
  readonly #openProposals = new Set<number>();
  readonly #reads = new Map<number, Read>();
  readonly #openReads = new Set<number>();
  /** The highest slot that any client knows of. */
  #known = 0;

  constructor(checker: Checker, note: (note: Note) => void) {
    this.#checker = checker;
    this.#note = note;
  }

  get proposals(): ReadonlyMap<number, ProposalView> {
    return this.#proposals;
  }

  get reads(): ReadonlyMap<number, ReadView> {
    return this.#reads;
  }

  /** The highest slot that any client was told of. */
  get known(): number {
    return this.#known;
  }

  propose({ number, life }: SimulatedMember, texts: readonly string[]): number {
    const id = this.#proposals.size + 1;
    const proposal: Proposal = { id, member: number, life, texts, outcome: "open", slot: null };
    this.#proposals.set(id, proposal);
    this.#openProposals.add(id);
    this.#note({ type: "proposed", proposal });
    return id;
  }

  acknowledged(member: SimulatedMember, id: number, slot: number): void {
    const proposal = this.#open(member, id);
    this.#known = Math.max(this.#known, slot);
    this.#end({ ...proposal, outcome: "acknowledged", slot });
  }

  failed(member: SimulatedMember, id: number, failure: ProposalFailure): void {
    const proposal = this.#open(member, id);
    if (failure !== "unknown") this.#checker.failedForCertain(proposal.texts);
    this.#end({ ...proposal, outcome: failure });
  }

  #open({ number, life }: SimulatedMember, id: number): Proposal {
    const proposal = this.#proposals.get(id);
    if (proposal?.member !== number || proposal.life !== life) {
      throw new Violation(`member ${number} answered proposal ${id}, which it was not asked`);
    }
    if (proposal.outcome !== "open") throw new Violation(`proposal ${id} was answered twice: ${proposal.outcome} first`);
    return proposal;
  }

  #end(proposal: Proposal): void {
    this.#proposals.set(proposal.id, proposal);
    this.#openProposals.delete(proposal.id);
    this.#note({ type: "proposalEnded", proposal });
  }

  read({ number, life }: SimulatedMember): number {
    const id = this.#reads.size + 1;
    const read: Read = { id, member: number, life, outcome: "open", answer: [], slot: null, floor: this.#known, index: null };
    this.#reads.set(id, read);
    this.#openReads.add(id);
    this.#note({ type: "readBegan", read });
    return id;
  }

  /** The core named the slot to wait for, or refused. */
  readOutcome(member: SimulatedMember, id: number, index: number | null): void {
    const read = this.#reads.get(id);
    if (read === undefined || read.outcome !== "open" || read.index !== null) throw new Violation(`read ${id} was answered twice`);
    if (index === null) return this.#endRead({ ...read, outcome: "refused" });
    this.#reads.set(id, { ...read, index });
    this.answerReads(member);
  }

  /** Answers the reads of a member whose slot is applied there. */
  answerReads({ number, replica }: SimulatedMember): void {
    for (const id of this.#openReads) {
      const read = this.#reads.get(id) as Read;
      if (read.member !== number || read.index === null || read.index > replica.slot) continue;
      if (replica.slot < read.floor) {
        throw new Violation(`read ${id} at member ${number} saw slot ${replica.slot}; slot ${read.floor} was known before it began`);
      }
      this.#known = Math.max(this.#known, replica.slot);
      this.#endRead({ ...read, outcome: "answered", answer: [...replica.commands], slot: replica.slot });
    }
  }

  #endRead(read: Read): void {
    this.#reads.set(read.id, read);
    this.#openReads.delete(read.id);
    this.#note({ type: "readEnded", read });
  }

  /** A member crashed: its clients never hear of what was open there. */
  crashed({ number }: SimulatedMember): void {
    for (const id of this.#openProposals) {
      const proposal = this.#proposals.get(id) as Proposal;
      if (proposal.member === number) this.#end({ ...proposal, outcome: "crashed" });
    }
    for (const id of this.#openReads) {
      const read = this.#reads.get(id) as Read;
      if (read.member === number) this.#endRead({ ...read, outcome: "refused" });
    }
  }
}
