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
      records: this.#records,
      firstRecord: this.#lastRecord - this.#records.length + 1,
      messages: this.#messages,
      chosen: this.#chosen,
      failedProposals: this.#failedProposals,
      reads: this.#reads,
      changes: this.#changes,
      fetchSnapshot: this.#fetchSnapshot,
      events: this.#events,
    };
    this.#records = [];
    this.#messages = [];
    this.#chosen = [];
    this.#failedProposals = [];
    this.#reads = [];
    this.#changes = [];
    this.#fetchSnapshot = null;
    this.#events = [];
    return effects;
  }

  #isEmpty(): boolean {
    const told = this.#failedProposals.length + this.#reads.length + this.#changes.length + this.#events.length;
    return told + this.#records.length + this.#messages.length + this.#chosen.length === 0 && this.#fetchSnapshot === null;
  }
}

const NONE: readonly never[] = Object.freeze([]);

/** Whether there is nothing to do: then nobody need look at each kind of effect. */
export function isNothing(effects: Effects): boolean {
  return effects.events === NONE;
}

/** Most turns lead to nothing, and should cost nothing. */
function nothing(firstRecord: number): Effects {
  return { records: NONE, firstRecord, messages: NONE, chosen: NONE, failedProposals: NONE, reads: NONE, changes: NONE, fetchSnapshot: null, events: NONE };
}
