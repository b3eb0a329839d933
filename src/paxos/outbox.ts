import type { Incarnation, Slot } from "./ids.ts";
import type { ChangeOutcome, ChosenEntry, Effects, PaxosEvent, ProposalFailure, ReadOutcome } from "./interface.ts";
import type { Message, OutgoingMessage } from "./messages.ts";
import type { LogRecord } from "./records.ts";

/** Collects what the core wants done until its caller takes it, and numbers the records. */
export class Outbox {
  #lastRecord = 0;
  #records: LogRecord[] = [];
  #messages: OutgoingMessage[] = [];
  #chosen: ChosenEntry[] = [];
  #failedProposals: { proposalId: number; failure: ProposalFailure }[] = [];
  #reads: ReadOutcome[] = [];
  #changes: ChangeOutcome[] = [];
  #fetchSnapshot: Effects["fetchSnapshot"] = null;
  #events: PaxosEvent[] = [];
  #nothing = nothing(1);

  /** The number of the newest record; a message that must wait for all of them names it. */
  get lastRecord(): number {
    return this.#lastRecord;
  }

  get holdsRecords(): boolean {
    return this.#records.length > 0;
  }

  /** Adds a record and returns its number. */
  record(record: LogRecord): number {
    this.#records.push(record);
    this.#lastRecord += 1;
    return this.#lastRecord;
  }

  /** Sends at once: for messages that vouch for nothing durable. */
  send(to: Incarnation, message: Message): void {
    this.#messages.push({ to, message, afterRecord: 0 });
  }

  /** Sends once everything recorded so far is durable (rule 5). */
  sendWhenDurable(to: Incarnation, message: Message): void {
    this.#messages.push({ to, message, afterRecord: this.#lastRecord });
  }

  apply(entry: ChosenEntry): void {
    this.#chosen.push(entry);
  }

  failProposal(proposalId: number, failure: ProposalFailure): void {
    this.#failedProposals.push({ proposalId, failure });
  }

  answerRead(outcome: ReadOutcome): void {
    this.#reads.push(outcome);
  }

  answerChange(outcome: ChangeOutcome): void {
    this.#changes.push(outcome);
  }

  fetchSnapshot(from: Incarnation, slot: Slot): void {
    this.#fetchSnapshot = { from, slot };
  }

  emit(event: PaxosEvent): void {
    this.#events.push(event);
  }

  /** Hands everything over and starts anew. */
  take(): Effects {
    if (this.#isEmpty()) {
      if (this.#nothing.firstRecord !== this.#lastRecord + 1) this.#nothing = nothing(this.#lastRecord + 1);
      return this.#nothing;
    }
    const effects: Effects = {
      records: given(this.#records),
      firstRecord: this.#lastRecord - this.#records.length + 1,
      messages: given(this.#messages),
      chosen: given(this.#chosen),
      failedProposals: given(this.#failedProposals),
      reads: given(this.#reads),
      changes: given(this.#changes),
      fetchSnapshot: this.#fetchSnapshot,
      events: given(this.#events),
    };
    this.#startAnew();
    return effects;
  }

  /** A list that was handed over is not added to any more; one that was empty is kept, as most are. */
  #startAnew(): void {
    if (this.#records.length > 0) this.#records = [];
    if (this.#messages.length > 0) this.#messages = [];
    if (this.#chosen.length > 0) this.#chosen = [];
    if (this.#failedProposals.length > 0) this.#failedProposals = [];
    if (this.#reads.length > 0) this.#reads = [];
    if (this.#changes.length > 0) this.#changes = [];
    if (this.#events.length > 0) this.#events = [];
    this.#fetchSnapshot = null;
  }

  #isEmpty(): boolean {
    const told = this.#failedProposals.length + this.#reads.length + this.#changes.length + this.#events.length;
    return told + this.#records.length + this.#messages.length + this.#chosen.length === 0 && this.#fetchSnapshot === null;
  }
}

const NONE: readonly never[] = Object.freeze([]);
/** What is sent when there are no effects at all. */
const NOTHING_SENT: readonly never[] = Object.freeze([]);

function given<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? NONE : list;
}

/** Whether there is nothing to do: then nobody need look at each kind of effect. */
export function isNothing(effects: Effects): boolean {
  return effects.messages === NOTHING_SENT;
}

/** Most turns lead to nothing, and should cost nothing. */
function nothing(firstRecord: number): Effects {
  return { records: NONE, firstRecord, messages: NOTHING_SENT, chosen: NONE, failedProposals: NONE, reads: NONE, changes: NONE, fetchSnapshot: null, events: NONE };
}
