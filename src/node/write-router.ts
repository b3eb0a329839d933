import { assert } from "../codec/assert.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { ErrorCode } from "../errors/table.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { ProposalFailure } from "../paxos/interface.ts";
import { decodeCommand, encodeCommand, growsState } from "../state/commands.ts";
import type { Result } from "../state/results.ts";

export type WriteDone = (outcome: Result | SynodError) => void;

/** Bounds of what a member holds of its clients' writes. */
export interface WriteLimits {
  /** Writes that are held at once, wherever they stand; beyond it they are refused as busy. */
  readonly maxWrites: number;
  readonly maxBytes: number;
  /** Commands and bytes in one proposal or one forward. */
  readonly batchCommands: number;
  readonly batchBytes: number;
  /** Bytes of commands that are sent on in one turn of the event loop, so that large values do not hold it up (rule 26). */
  readonly turnBytes: number;
  /** From taking a write to answering it, at the latest. */
  readonly timeoutMs: number;
  /** How often log time moves on while there are writes. */
  readonly logTimeMs: number;
}

export const DEFAULT_WRITE_LIMITS: WriteLimits = Object.freeze({
  maxWrites: 65_536,
  maxBytes: 64 * 1024 * 1024,
  batchCommands: 1_024,
  batchBytes: 256 * 1024,
  turnBytes: 1024 * 1024,
  timeoutMs: 5_000,
  logTimeMs: 1_000,
});

/** How long a member that says that it does not lead is not asked again, unless another is known to lead. */
const REFUSAL_MS = 10;
/** A write that a peer forwarded is refused so much earlier, so that the peer hears it before it gives the write up as unknown. */
const PEER_HEADSTART_MS = 500;
/** At least the bytes of a command that moves log time. */
const LOG_TIME_BYTES = 32;
/** At least what a proposal takes beside a command of which it is made, also when that is alone in it. */
const PROPOSAL_OVERHEAD_BYTES = 64;

/** With these a leader says that it did not execute a write and will not: another may. */
const NOT_SERVED: ReadonlySet<ErrorCode> = new Set(["SYNOD_ERR_NO_LEADER", "SYNOD_ERR_STOPPING", "SYNOD_ERR_FENCED", "SYNOD_ERR_DIVERGED"]);

interface Write {
  /** Writes go out in the order in which they came, as far as they go out together. */
  readonly order: number;
  readonly command: Uint8Array;
  readonly done: WriteDone;
  readonly deadlineMs: number;
  /** A peer forwarded it: it is proposed here or refused, never forwarded on. */
  readonly fromPeer: boolean;
  /** An earlier attempt may have been executed: from then on no answer may say that it was not. */
  maybeExecuted: boolean;
  answered: boolean;
}

interface Batch {
  readonly writes: readonly Write[];
  readonly startedAtMs: number;
  /** Set for a batch that was forwarded: to whom. */
  readonly leader: Incarnation | null;
  /** Commands before the first write's, put there by this member. */
  readonly prefix: number;
  /** When the first of its writes that are not answered is out of time. */
  deadlineMs: number;
}

/** What the router needs of the member around it. */
export interface WritePort {
  nowMs(): number;
  /** While this member leads: what log time should be by now. */
  logTimeMs(): number;
  leads(): boolean;
  /** While this member leads: bytes of commands that can be proposed at present (rule 26). */
  roomBytes(): number;
  /** Whether this member may lead soon: what peers forward to it waits meanwhile. */
  campaigns(): boolean;
  /** The leader to forward to, if one is known and linked. */
  linkedLeader(): Incarnation | null;
  /** A linked member that may lead soon. */
  linkedCandidate(): Incarnation | null;
  /** Whether what makes the state grow is refused at present (rule 15), so that it must not be in one batch with what does not. */
  full(): boolean;
  propose(proposalId: number, commands: readonly Uint8Array[], grows: boolean): void;
  /** False: not sent. */
  forward(to: Incarnation, id: number, commands: readonly Uint8Array[]): boolean;
  /** A batch of this many commands had this end; seconds are given when it was chosen. */
  ended(outcome: "chosen" | ProposalFailure, commands: number, seconds: number): void;
}

/**
 * Takes writes from clients and peers and sees each to exactly one answer: proposed here when this member leads, else
 * forwarded, else waiting for a leader until its time is up. Where there is no leader, writes go ahead to the candidate that was
 * promised, so that they are there when it wins. A write that may have been received by a leader is never sent again unless its
 * retry token makes that safe (rule 22).
 */
export class WriteRouter {
  readonly #port: WritePort;
  readonly #limits: WriteLimits;
  /** Not proposed and not forwarded. */
  #waiting: Write[] = [];
  /** Writes came back to `#waiting` and are not in order there. */
  #disordered = false;
  readonly #batches = new Map<number, Batch>();
  #nextId: number;
  #nextOrder = 1;
  #held = 0;
  #heldBytes = 0;
  #logTimeAtMs = -Infinity;
  /** Members that said that they do not lead, and until when they are not asked again. */
  readonly #refusals = new Map<Incarnation, number>();

  /**
   * `firstId` must be drawn for each life of the process: a leader may answer what an earlier life forwarded, over a link that is
   * this life's by then, and that answer must not fit a batch of this life.
   */
  constructor(port: WritePort, firstId: number, limits: WriteLimits = DEFAULT_WRITE_LIMITS) {
    this.#port = port;
    this.#nextId = firstId;
    this.#limits = limits;
  }

  /** Writes that are held, and those among them that wait for a leader. */
  get sizes(): { readonly held: number; readonly waiting: number } {
    return { held: this.#held, waiting: this.#waiting.length };
  }

  /** Whether `route` would do something, or may as time passes: something waits, and there is somebody who might take it. */
  get routable(): boolean {
    return this.#waiting.length > 0 && (this.#port.leads() || this.#port.linkedLeader() !== null || this.#port.linkedCandidate() !== null);
  }

  submit(command: Uint8Array, done: WriteDone, fromPeer = false): void {
    const { maxWrites, maxBytes, timeoutMs } = this.#limits;
    if (this.#held >= maxWrites || this.#heldBytes + command.length > maxBytes) {
      return done(new SynodError("SYNOD_ERR_BUSY"));
    }
    this.#held += 1;
    this.#heldBytes += command.length;
    const deadlineMs = this.#port.nowMs() + timeoutMs;
    this.#waiting.push({ order: this.#nextOrder, command, done, deadlineMs, fromPeer, maybeExecuted: false, answered: false });
    this.#nextOrder += 1;
  }

  /** Sends on what waits, as much as is good for one turn, if there is anywhere to send it. True: more could go at once. */
  route(): boolean {
    if (this.#waiting.length === 0) return false;
    if (this.#disordered) this.#waiting.sort((a, b) => a.order - b.order);
    this.#disordered = false;
    if (this.#port.leads()) return this.#propose();
    if (this.#port.campaigns()) return false;
    this.#refuseForwarded();
    const next = [this.#port.linkedLeader(), this.#port.linkedCandidate()].find((peer) => peer !== null && !this.#wasJustRefusedBy(peer));
    return next !== undefined && next !== null && this.#waiting.length > 0 && this.#forward(next);
  }

  /** Writes that a peer forwarded are not forwarded on: it knows better by now. */
  #refuseForwarded(): void {
    const refused = this.#waiting.filter((write) => write.fromPeer);
    if (refused.length === 0) return;
    this.#waiting = this.#waiting.filter((write) => !write.fromPeer);
    for (const write of refused) this.#answer(write, new SynodError("SYNOD_ERR_NO_LEADER"));
  }

  /** Its step down is known here before its successor is: asking it again and again would only keep both of them busy. */
  #wasJustRefusedBy(peer: Incarnation): boolean {
    return this.#port.nowMs() < (this.#refusals.get(peer) ?? -Infinity);
  }

  #propose(): boolean {
    const taken = this.#takeTurn(this.#port.roomBytes() - LOG_TIME_BYTES);
    const full = this.#port.full();
    const kinds = full ? [taken.filter(isGrowing), taken.filter((write) => !isGrowing(write))] : [taken];
    kinds.forEach((writes, kind) => this.#proposeAll(writes, full && kind === 1));
    return taken.length > 0 && this.#waiting.length > 0;
  }

  #proposeAll(all: readonly Write[], shrinking: boolean): void {
    for (const writes of this.#split(all)) {
      const commands = writes.map((write) => write.command);
      const prefix = this.#logTimeCommand();
      if (prefix !== null) commands.unshift(prefix);
      this.#port.propose(this.#open(writes, null, prefix === null ? 0 : 1), commands, !shrinking);
    }
  }

  /** What waits, up to the bound on one turn, but at least one write; and nothing for which there is no room. */
  #takeTurn(roomBytes: number): Write[] {
    let bytes = 0;
    let count = 0;
    for (const { command } of this.#waiting) {
      bytes += command.length;
      if (bytes + (count + 1) * PROPOSAL_OVERHEAD_BYTES > roomBytes || (count > 0 && bytes > this.#limits.turnBytes)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** Log time moves through the log, so that what expires does so alike everywhere. */
  #logTimeCommand(): Uint8Array | null {
    const nowMs = this.#port.nowMs();
    if (nowMs - this.#logTimeAtMs < this.#limits.logTimeMs) return null;
    this.#logTimeAtMs = nowMs;
    const command = encodeCommand({ type: "advanceTime", timeMs: this.#port.logTimeMs() });
    assert(command.length <= LOG_TIME_BYTES, "log time fits the room that is left for it");
    return command;
  }

  /** False also when the link takes no more at present: the next tick tries again. */
  #forward(leader: Incarnation): boolean {
    let taken = true;
    for (const writes of this.#split(this.#takeTurn(Infinity))) {
      const id = this.#open(writes, leader, 0);
      if (this.#port.forward(leader, id, writes.map((write) => write.command))) continue;
      taken = false;
      this.#requeue(id);
    }
    return taken && this.#waiting.length > 0;
  }

  *#split(writes: readonly Write[]): Generator<Write[]> {
    let batch: Write[] = [];
    let bytes = 0;
    for (const write of writes) {
      const full = batch.length >= this.#limits.batchCommands || bytes + write.command.length > this.#limits.batchBytes;
      if (full && batch.length > 0) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(write);
      bytes += write.command.length;
    }
    if (batch.length > 0) yield batch;
  }

  #open(writes: readonly Write[], leader: Incarnation | null, prefix: number): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#batches.set(id, { writes, startedAtMs: this.#port.nowMs(), leader, prefix, deadlineMs: firstDeadline(writes) });
    return id;
  }

  #close(id: number): Batch | undefined {
    const batch = this.#batches.get(id);
    this.#batches.delete(id);
    return batch;
  }

  #answer(write: Write, outcome: Result | SynodError): void {
    if (write.answered) return;
    write.answered = true;
    this.#held -= 1;
    this.#heldBytes -= write.command.length;
    const claimsNothing = outcome instanceof SynodError && write.maybeExecuted;
    write.done(claimsNothing ? new SynodError("SYNOD_ERR_OUTCOME_UNKNOWN") : outcome);
  }

  /** For certain not executed: waits for the next leader. What a peer forwarded goes back to it. */
  #requeue(id: number): void {
    for (const write of this.#close(id)?.writes ?? []) this.#wait(write);
  }

  #wait(write: Write): void {
    if (write.answered) return;
    this.#waiting.push(write);
    this.#disordered = true;
  }

  /** The batch was applied, with one result per command. */
  applied(proposalId: number, results: readonly Result[]): void {
    const batch = this.#close(proposalId);
    if (batch === undefined) return;
    assert(results.length === batch.writes.length + batch.prefix, "each command has one result");
    this.#port.ended("chosen", batch.writes.length, (this.#port.nowMs() - batch.startedAtMs) / 1_000);
    batch.writes.forEach((write, index) => this.#answer(write, results[index + batch.prefix] as Result));
  }

  /** The core will not get the batch chosen, or does not know. */
  failed(proposalId: number, failure: ProposalFailure): void {
    const batch = this.#batches.get(proposalId);
    if (batch === undefined) return;
    this.#port.ended(failure, batch.writes.length, 0);
    switch (failure) {
      case "notLeader":
      case "superseded":
        return this.#requeue(proposalId);
      case "busy":
        return this.#fail(proposalId, "SYNOD_ERR_BUSY");
      case "diskFull":
        return this.#fail(proposalId, "SYNOD_ERR_NO_SPACE");
      case "unknown":
        return this.#retryOrGiveUp(proposalId);
    }
  }

  #fail(id: number, code: ErrorCode): void {
    for (const write of this.#close(id)?.writes ?? []) this.#answer(write, new SynodError(code));
  }

  /** May have been executed: sent again only where the log will tell a repetition. */
  #retryOrGiveUp(id: number): void {
    for (const write of this.#close(id)?.writes ?? []) {
      write.maybeExecuted = true;
      if (isRepeatable(write.command)) this.#wait(write);
      else this.#answer(write, new SynodError("SYNOD_ERR_OUTCOME_UNKNOWN"));
    }
  }

  /** A leader answered a forwarded batch. */
  forwarded(from: Incarnation, id: number, outcomes: readonly (Result | SynodError)[]): void {
    const batch = this.#batches.get(id);
    if (batch === undefined || batch.leader !== from) return;
    if (outcomes.length !== batch.writes.length) return this.#retryOrGiveUp(id);
    this.#close(id);
    batch.writes.forEach((write, index) => {
      const outcome = outcomes[index] as Result | SynodError;
      if (outcome instanceof SynodError && NOT_SERVED.has(outcome.code)) this.#waitForAnotherLeader(write, from);
      else this.#answer(write, outcome);
    });
  }

  #waitForAnotherLeader(write: Write, refusedBy: Incarnation): void {
    this.#refusals.set(refusedBy, this.#port.nowMs() + REFUSAL_MS);
    this.#wait(write);
  }

  /** The link over which batches were forwarded closed: their answers will not come. */
  linkClosed(peer: Incarnation): void {
    for (const [id, batch] of this.#batches) if (batch.leader === peer) this.#retryOrGiveUp(id);
  }

  /** Answers what is out of time. */
  expire(): void {
    const nowMs = this.#port.nowMs();
    for (const [id, batch] of this.#batches) if (batch.deadlineMs <= nowMs) this.#expireIn(id, batch, nowMs);
    const isLate = ({ deadlineMs, fromPeer }: Write): boolean => deadlineMs - (fromPeer ? PEER_HEADSTART_MS : 0) <= nowMs;
    if (!this.#waiting.some(isLate)) return;
    const late = this.#waiting.filter(isLate);
    this.#waiting = this.#waiting.filter((write) => !isLate(write));
    const hasLeader = this.#port.leads() || this.#port.linkedLeader() !== null;
    for (const write of late) this.#answer(write, new SynodError(hasLeader ? "SYNOD_ERR_BUSY" : "SYNOD_ERR_NO_LEADER"));
  }

  /** Of a batch that is under way the writes that are out of time are answered, and the others still wait for its end. */
  #expireIn(id: number, batch: Batch, nowMs: number): void {
    for (const write of batch.writes) {
      if (write.deadlineMs <= nowMs) this.#answer(write, new SynodError("SYNOD_ERR_OUTCOME_UNKNOWN"));
    }
    batch.deadlineMs = firstDeadline(batch.writes);
    if (batch.deadlineMs === Infinity) this.#close(id);
  }

  /** Ends everything: what waits was not executed, of the rest it is not known. */
  stop(): void {
    for (const write of this.#waiting.splice(0)) this.#answer(write, new SynodError("SYNOD_ERR_STOPPING"));
    for (const id of [...this.#batches.keys()]) this.#fail(id, "SYNOD_ERR_OUTCOME_UNKNOWN");
  }
}

/** The earliest deadline of those that are not answered; Infinity when all are. */
function firstDeadline(writes: readonly Write[]): number {
  return writes.reduce((first, { answered, deadlineMs }) => (answered ? first : Math.min(first, deadlineMs)), Infinity);
}

function isGrowing({ command }: Write): boolean {
  return growsState(command);
}

function isRepeatable(command: Uint8Array): boolean {
  const decoded = decodeCommand(command);
  return (decoded.type === "put" || decoded.type === "delete") && decoded.retry.kind !== "none";
}
