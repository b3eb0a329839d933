import { assert } from "../codec/assert.ts";
import { DecodeError } from "../codec/byte-reader.ts";
import {
  CLOSE_SESSION, CommandFields, DELETE, OPEN_SESSION, PUT, RETRY_KEY, RETRY_NONE, UNCONDITIONAL,
} from "./command-fields.ts";
import { Digest, mix, mixInteger } from "./digest.ts";
import type { IdempotencyTable } from "./idempotency-table.ts";
import { byteStringOf, type ByteString } from "./key.ts";
import type { KeyRecord, KeyTable, StoredRecord, RangePage, RangeQuery } from "./key-table.ts";
import { DEFAULT_STATE_LIMITS, type StateLimits } from "./limits.ts";
import { answerAgain } from "./remembered.ts";
import { mixResult, refused, type Result } from "./results.ts";
import type { SessionTable } from "./session-table.ts";
import { StateSnapshot } from "./snapshot.ts";
import { emptyParts, type StateCounters, type StateParts } from "./state-parts.ts";

const SESSION_CLOSED: Result = Object.freeze({ type: "sessionClosed" });
const TIME_ADVANCED: Result = Object.freeze({ type: "timeAdvanced" });

/**
 * The replicated state: what a prefix of the chosen commands makes of nothing. A pure function of that prefix, so members that
 * applied the same prefix hold the same state and the same `checksum`. The data model is etcd's: one revision that grows by one
 * with each command that changes a key; create and mod revision and version for each key.
 */
export class StateMachine {
  readonly limits: StateLimits;
  readonly #keys: KeyTable;
  readonly #idempotency: IdempotencyTable;
  readonly #sessions: SessionTable;
  readonly #fields = new CommandFields();
  readonly #head = new Digest();
  readonly #body = new Digest();
  #slot: number;
  #revision: number;
  #logTimeMs: number;
  #checksum: number;

  constructor(limits: StateLimits = DEFAULT_STATE_LIMITS, parts: StateParts = emptyParts(limits)) {
    this.limits = limits;
    this.#keys = parts.keys;
    this.#idempotency = parts.idempotency;
    this.#sessions = parts.sessions;
    this.#slot = parts.counters.slot;
    this.#revision = parts.counters.revision;
    this.#logTimeMs = parts.counters.logTimeMs;
    this.#checksum = parts.counters.checksum;
  }

  /** The slot of the last command applied; slots without commands do not count. 0: none. */
  get slot(): number {
    return this.#slot;
  }

  /** How many commands changed a key. */
  get revision(): number {
    return this.#revision;
  }

  /** The latest time that the log told, in milliseconds since 1970; 0 until it told one. Never falls. */
  get logTimeMs(): number {
    return this.#logTimeMs;
  }

  /** A running checksum, 32 bits, over every command applied, its slot and what it came to (rule 6). */
  get checksum(): number {
    return this.#checksum >>> 0;
  }

  get keyCount(): number {
    return this.#keys.size;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get idempotencyKeyCount(): number {
    return this.#idempotency.size;
  }

  /** Applies the commands of one chosen slot, which is above every slot applied so far, in their order. */
  applySlot(slot: number, commands: readonly Uint8Array[]): Result[] {
    assert(slot > this.#slot, () => `slot ${slot} comes after slot ${this.#slot}`);
    return commands.map((command) => this.apply(slot, command));
  }

  /**
   * Applies one command of slot `slot`; slots come in order, the commands of one slot in theirs. Bytes that are no command, or
   * one beyond the limits, are refused on every member alike. Keeps no view of `command`.
   */
  apply(slot: number, command: Uint8Array): Result {
    assert(slot >= this.#slot, () => `slot ${slot} comes after slot ${this.#slot}`);
    this.#slot = slot;
    const bodyStart = this.#parse(command);
    const result = bodyStart === null ? this.#refuseUndecodable(command) : this.#applyParsed(command, bodyStart);
    this.#idempotency.expire(this.#logTimeMs);
    this.#sessions.expire(this.#logTimeMs);
    this.#fold(result);
    return result;
  }

  /** The key's record now, or null. */
  get(key: Uint8Array): KeyRecord | null {
    return this.#keys.get(key);
  }

  /** A page of keys and records in byte order. Takes time proportional to the page. */
  range(query: RangeQuery): RangePage {
    assert(query.limit >= 1, "a page without items");
    return this.#keys.range(query);
  }

  /** A frozen copy of the state as it is now, in O(1); it costs later writes a copy of each tree node they touch first. */
  snapshot(): StateSnapshot {
    const counters: StateCounters = {
      slot: this.#slot,
      revision: this.#revision,
      logTimeMs: this.#logTimeMs,
      checksum: this.checksum,
      nextIdempotencyOrdinal: this.#idempotency.nextOrdinal,
      ...this.#sessions.counters,
    };
    return new StateSnapshot(counters, this.#keys.freeze(), this.#idempotency.freeze(), this.#sessions.freeze());
  }

  /** Parses into `#fields` and returns where the body starts, or null when the bytes are no command. */
  #parse(command: Uint8Array): number | null {
    try {
      this.#fields.parse(command);
    } catch (error) {
      if (error instanceof DecodeError) return null;
      throw error;
    }
    const isWrite = this.#fields.type === PUT || this.#fields.type === DELETE;
    return isWrite ? this.#fields.bodyStart : command.length;
  }

  #refuseUndecodable(command: Uint8Array): Result {
    this.#digest(command, command.length);
    return refused("SYNOD_ERR_BAD_REQUEST");
  }

  /** The body's digest tells equal requests apart from others; together the two digests cover the command for the checksum. */
  #digest(command: Uint8Array, bodyStart: number): void {
    this.#head.of(command, 0, bodyStart, 0);
    this.#body.of(command, bodyStart, command.length, this.#fields.type);
  }

  #applyParsed(command: Uint8Array, bodyStart: number): Result {
    this.#digest(command, bodyStart);
    const fields = this.#fields;
    const violation = fields.violation(command.length);
    if (violation !== null) return refused(violation);
    switch (fields.type) {
      case PUT:
      case DELETE:
        return this.#applyWrite(command);
      case OPEN_SESSION:
        return { type: "sessionOpened", session: this.#sessions.open(this.#logTimeMs) };
      case CLOSE_SESSION:
        this.#sessions.close(fields.session);
        return SESSION_CLOSED;
      default:
        this.#logTimeMs = Math.max(this.#logTimeMs, fields.timeMs);
        return TIME_ADVANCED;
    }
  }

  #applyWrite(command: Uint8Array): Result {
    if (this.#fields.retry === RETRY_NONE) return this.#write(command);
    return this.#fields.retry === RETRY_KEY ? this.#writeWithKey(command) : this.#writeInSession(command);
  }

  #writeWithKey(command: Uint8Array): Result {
    const { idempotencyStart, idempotencyEnd } = this.#fields;
    const key = byteStringOf(command, idempotencyStart, idempotencyEnd);
    const remembered = this.#idempotency.find(key, this.#logTimeMs);
    if (remembered !== null) return answerAgain(remembered, this.#body);
    const result = this.#write(command);
    this.#idempotency.remember(key, { low: this.#body.low, high: this.#body.high, result }, this.#logTimeMs);
    return result;
  }

  /**
   * A sequence number at or below the watermark may have been executed, so nothing that means "certainly not" may be said; the
   * session lives, so "expired" would be wrong too. One too far above it was certainly not, and is not remembered: the client may
   * send it again once it has acknowledged more.
   */
  #writeInSession(command: Uint8Array): Result {
    const { session: id, sequence, acknowledged } = this.#fields;
    const session = this.#sessions.use(id, acknowledged, this.#logTimeMs);
    if (session === null) return refused("SYNOD_ERR_SESSION_EXPIRED");
    if (sequence <= session.acknowledged) return refused("SYNOD_ERR_OUTCOME_UNKNOWN");
    const remembered = session.results.get(sequence);
    if (remembered !== undefined) return answerAgain(remembered, this.#body);
    if (this.#sessions.isBeyondWindow(session, sequence)) return refused("SYNOD_ERR_BUSY");
    const result = this.#write(command);
    this.#sessions.remember(session, sequence, { low: this.#body.low, high: this.#body.high, result });
    return result;
  }

  #write(command: Uint8Array): Result {
    const fields = this.#fields;
    const key = byteStringOf(command, fields.keyStart, fields.keyEnd);
    const existing = this.#keys.find(key);
    const modRevision = existing === undefined ? 0 : existing.modRevision;
    if (fields.prevRevision !== UNCONDITIONAL && fields.prevRevision !== modRevision) {
      return refused("SYNOD_ERR_PRECONDITION", modRevision);
    }
    return fields.type === PUT ? this.#put(key, existing, command) : this.#delete(key, existing);
  }

  #put(key: ByteString, existing: Readonly<StoredRecord> | undefined, command: Uint8Array): Result {
    this.#revision += 1;
    const record = this.#keys.put(key, existing, command, this.#fields.keyEnd, this.#revision);
    this.#checksum = mixInteger(mixInteger(this.#checksum, record.createRevision), record.version);
    return { type: "written", revision: this.#revision };
  }

  #delete(key: ByteString, existing: Readonly<StoredRecord> | undefined): Result {
    if (existing === undefined) return { type: "deleted", revision: this.#revision, deleted: 0 };
    this.#revision += 1;
    this.#keys.delete(key, existing);
    return { type: "deleted", revision: this.#revision, deleted: 1 };
  }

  /** Extends the checksum by the command whose digests were just taken and what it came to. */
  #fold(result: Result): void {
    let sum = mixInteger(this.#checksum, this.#slot);
    sum = mix(mix(mix(mix(sum, this.#head.low), this.#head.high), this.#body.low), this.#body.high);
    sum = mixInteger(mixInteger(sum, this.#revision), this.#logTimeMs);
    sum = mix(mix(sum, this.#idempotency.size), this.#sessions.size);
    this.#checksum = mixResult(sum, result);
  }
}
