import { SynodError } from "../errors/synod-error.ts";
import { encodeCommand } from "../state/commands.ts";
import { keyFromText } from "../state/key.ts";
import { MAX_IDEMPOTENCY_KEY_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES } from "../state/limits.ts";
import type { Result } from "../state/results.ts";
import type { ClientConnection } from "./connection.ts";
import { Connector } from "./connector.ts";
import { endpointUrl } from "./endpoint.ts";
import { type Answer, Operation, type Work, type Write } from "./operation.ts";
import { MAX_RANGE_LIMIT } from "./protocol.ts";
import { Session } from "./session.ts";
import { SYSTEM_TIMERS, type Timers } from "./timers.ts";
import type { Consistency, KeyRecord, RangeResult, Status } from "./types.ts";

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_OUTSTANDING = 1024;
/** Some less than a connection takes, which may still hold requests of calls whose time was up. */
const MAX_CALLS = 4000;
const DEFAULT_LIMIT = 100;
const FIRST_RETRY_MS = 10;
const MAX_RETRY_MS = 250;
const MAX_DOUBLINGS = 5;
const CLOSE_GRACE_MS = 1000;

/** Errors of a member that does not serve, where another may. */
const MEMBER_ERRORS: ReadonlySet<string> = new Set([
  "SYNOD_ERR_NO_LEADER", "SYNOD_ERR_STOPPING", "SYNOD_ERR_FENCED", "SYNOD_ERR_DIVERGED", "SYNOD_ERR_NOT_FOUNDED", "SYNOD_ERR_STARTING",
]);

export interface ClientOptions {
  /** `host:port` of one or several members; any member serves any request. */
  readonly endpoints: readonly string[];
  /** Number every write in a session, so that it is executed exactly once even when it has to be sent again. Default false. */
  readonly session?: boolean;
  /** How long a call may take, with all its attempts. Default 10 s. */
  readonly timeoutMs?: number;
  /** Calls that may be under way; those beyond are refused with `SYNOD_ERR_BUSY`. Default 1,024, at most 4,000. */
  readonly maxOutstanding?: number;
  readonly timers?: Timers;
}

export interface CallOptions {
  readonly timeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** Only write if this is the key's mod revision; 0: if there is no such key. `SYNOD_ERR_PRECONDITION` otherwise. */
  readonly prevRevision?: number;
  /** A repetition with the same key gets the first answer, from whatever client it comes. */
  readonly idempotencyKey?: string;
}

export interface ReadOptions extends CallOptions {
  readonly consistency?: Consistency;
}

export interface RangeOptions extends ReadOptions {
  /** From 1 to 10,000; default 100. Fewer come when their values are large; see `more`. */
  readonly limit?: number;
  /** Only keys above this one: the last of the page before. */
  readonly after?: string | Uint8Array;
}

/** Text stands for its UTF-8. Byte arrays must not be changed until the call has ended. */
export type Bytes = string | Uint8Array;

/**
 * A client of a synod cluster. It keeps one connection, to any member, and turns to the next member when that one is lost or does
 * not serve. Errors are `SynodError`s.
 *
 * What was certainly not executed is tried again until the call's time is up. A write that may have been executed is sent again
 * only when that is safe: in a session, or with an idempotency key. Otherwise it ends with `SYNOD_ERR_OUTCOME_UNKNOWN`.
 */
export class SynodClient {
  readonly #connector: Connector;
  readonly #timers: Timers;
  readonly #timeoutMs: number;
  readonly #maxOutstanding: number;
  readonly #usesSession: boolean;
  readonly #operations = new Set<Operation>();
  /** Those of the operations that can be sent as soon as there is a connection. */
  readonly #waiting = new Set<Operation>();
  /** Those that need a sequence number first, and so a session with room in it. */
  readonly #unnumbered = new Set<Operation>();
  #session: Session | null = null;
  #openingSession = false;
  #cancelOpening: () => void = () => {};
  #closed: Promise<void> | null = null;

  constructor(options: ClientOptions) {
    if (options.endpoints.length === 0) throw badRequest("A client needs an endpoint.");
    this.#timers = options.timers ?? SYSTEM_TIMERS;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#maxOutstanding = options.maxOutstanding ?? DEFAULT_OUTSTANDING;
    if (this.#maxOutstanding < 1 || this.#maxOutstanding > MAX_CALLS) throw badRequest(`maxOutstanding is from 1 to ${MAX_CALLS}.`);
    this.#usesSession = options.session ?? false;
    this.#connector = new Connector(options.endpoints.map(endpointUrl), this.#timers, () => this.#pump());
  }

  /** Resolves with the key's new revision. */
  async put(key: Bytes, value: Bytes, options: WriteOptions = {}): Promise<{ readonly revision: number }> {
    const bytes = bytesOf(value);
    if (bytes.length > MAX_VALUE_BYTES) throw new SynodError("SYNOD_ERR_VALUE_TOO_LARGE");
    const write: Write = { type: "put", key: keyOf(key), value: bytes, prevRevision: prevRevisionOf(options) };
    const result = await this.#write(write, options);
    if (result.type !== "written") throw new SynodError("SYNOD_ERR_INTERNAL", `A put was answered with ${result.type}.`);
    return { revision: result.revision };
  }

  /** Resolves with whether there was such a key, and the store's revision. */
  async delete(key: Bytes, options: WriteOptions = {}): Promise<{ readonly revision: number; readonly deleted: boolean }> {
    const result = await this.#write({ type: "delete", key: keyOf(key), prevRevision: prevRevisionOf(options) }, options);
    if (result.type !== "deleted") throw new SynodError("SYNOD_ERR_INTERNAL", `A delete was answered with ${result.type}.`);
    return { revision: result.revision, deleted: result.deleted === 1 };
  }

  /** Resolves with null when there is no such key. */
  async get(key: Bytes, options: ReadOptions = {}): Promise<KeyRecord | null> {
    const work: Work = { op: "read", query: { type: "get", key: keyOf(key) }, consistency: options.consistency ?? "linearizable" };
    const { record } = (await this.#run(work, options)) as { readonly record: KeyRecord | null };
    return record === null ? null : { ...record, value: record.value.slice() };
  }

  /** Keys that begin with `prefix`, in byte order. */
  async range(prefix: Bytes, options: RangeOptions = {}): Promise<Omit<RangeResult, "type">> {
    const limit = options.limit ?? DEFAULT_LIMIT;
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_RANGE_LIMIT)) {
      throw badRequest(`limit is from 1 to ${MAX_RANGE_LIMIT}.`);
    }
    const after = options.after === undefined ? {} : { after: bytesOf(options.after) };
    const query = { type: "range", prefix: bytesOf(prefix), limit, ...after } as const;
    const answer = await this.#run({ op: "read", query, consistency: options.consistency ?? "linearizable" }, options);
    const { revision, items, more } = answer as RangeResult;
    return { revision, more, items: items.map((item) => ({ ...item, key: item.key.slice(), value: item.value.slice() })) };
  }

  /** What the member that this client is connected to says of itself. */
  async status(options: CallOptions = {}): Promise<Status> {
    return (await this.#run({ op: "status" }, options)) as Status;
  }

  /** Ends what is under way with an error, closes the session, and resolves once no connection is left, within about a second. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#cancelOpening();
    for (const operation of [...this.#operations]) operation.settle(operation.givenUp("The client was closed."));
    const session = this.#session;
    if (session !== null) this.#connector.current?.write(encodeCommand({ type: "closeSession", session: session.id }), () => {});
    await this.#connector.close(CLOSE_GRACE_MS);
  }

  #write(write: Write, options: WriteOptions): Promise<Result> {
    const { idempotencyKey } = options;
    if (idempotencyKey !== undefined) {
      const length = keyFromText(idempotencyKey).length;
      if (length < 1 || length > MAX_IDEMPOTENCY_KEY_BYTES) throw badRequest("An idempotency key has 1 to 256 bytes.");
    }
    return this.#run({ op: "write", write, idempotencyKey }, options) as Promise<Result>;
  }

  #run(work: Work, { timeoutMs }: CallOptions): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== null) return reject(new SynodError("SYNOD_ERR_UNREACHABLE", "The client is closed."));
      if (this.#operations.size >= this.#maxOutstanding) {
        return reject(new SynodError("SYNOD_ERR_BUSY", `${this.#maxOutstanding} calls of this client are under way.`));
      }
      const operation = new Operation(work, (outcome) => {
        this.#operations.delete(operation);
        this.#waiting.delete(operation);
        this.#unnumbered.delete(operation);
        if (outcome instanceof SynodError) reject(outcome);
        else resolve(outcome);
      });
      this.#add(operation, timeoutMs ?? this.#timeoutMs);
    });
  }

  #add(operation: Operation, timeoutMs: number): void {
    operation.cancelDeadline = this.#timers.after(timeoutMs, () => {
      const failure = this.#connector.current === null ? ` There is no connection: ${this.#connector.lastFailure}.` : "";
      operation.settle(operation.givenUp(`There was no answer within ${timeoutMs} ms.${failure}`));
      this.#pump();
    });
    this.#operations.add(operation);
    if (this.#usesSession && operation.wantsSequence) this.#unnumbered.add(operation);
    else this.#waiting.add(operation);
    this.#pump();
  }

  /** Sends whatever can be sent now. */
  #pump(): void {
    const connection = this.#connector.current;
    if (connection === null || this.#closed !== null) return;
    if (this.#unnumbered.size > 0) this.#number(connection);
    for (const operation of this.#waiting) {
      this.#waiting.delete(operation);
      operation.send(connection, (outcome) => this.#ended(operation, connection, outcome));
    }
  }

  /** Gives sequence numbers to as many writes as the session has room for; opens one if there is none. */
  #number(connection: ClientConnection): void {
    if (this.#session === null) return this.#openSession(connection);
    for (const operation of this.#unnumbered) {
      if (!this.#session.hasRoom) return;
      operation.joinSession(this.#session);
      this.#unnumbered.delete(operation);
      this.#waiting.add(operation);
    }
  }

  /** A session that was opened without our learning its id ends by itself, being idle. */
  #openSession(connection: ClientConnection): void {
    if (this.#openingSession) return;
    this.#openingSession = true;
    connection.write(encodeCommand({ type: "openSession" }), (outcome) => {
      this.#openingSession = false;
      if (!(outcome instanceof SynodError) && outcome.type === "sessionOpened") {
        this.#session = new Session(outcome.session);
        return this.#pump();
      }
      if (outcome instanceof SynodError && MEMBER_ERRORS.has(outcome.code)) this.#connector.abandon(connection);
      if (this.#closed === null) this.#cancelOpening = this.#timers.after(MAX_RETRY_MS, () => this.#pump());
    });
  }

  #ended(operation: Operation, connection: ClientConnection, outcome: Answer | SynodError): void {
    const error = errorOf(outcome);
    if (error === null) {
      this.#connector.succeeded();
      operation.settle(outcome);
    } else {
      this.#attemptFailed(operation, connection, error);
    }
    if (this.#unnumbered.size > 0) this.#pump();
  }

  #attemptFailed(operation: Operation, connection: ClientConnection, error: SynodError): void {
    operation.attemptFailed(error);
    if (MEMBER_ERRORS.has(error.code)) this.#connector.abandon(connection);
    if (error.code === "SYNOD_ERR_SESSION_EXPIRED" && operation.session === this.#session) this.#session = null;
    if (operation.settled) return;
    if (!mayRepeat(operation, error)) return operation.settle(error);
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(operation.failures - 1, MAX_DOUBLINGS));
    operation.cancelRetry = this.#timers.after(delayMs * (0.5 + this.#timers.random() / 2), () => {
      this.#waiting.add(operation);
      this.#pump();
    });
  }
}

/**
 * A fenced member's answer is final there, but not what another member says. What may have been executed is repeated only where that
 * cannot execute it twice, whatever else its code allows.
 */
function mayRepeat({ isRepeatable }: Operation, { code, kind }: SynodError): boolean {
  if (kind.outcomeUnknown && !isRepeatable) return false;
  return kind.retryable || code === "SYNOD_ERR_OUTCOME_UNKNOWN" || code === "SYNOD_ERR_FENCED";
}

/** The error that an attempt ended with, refusals by the state machine included. */
function errorOf(outcome: Answer | SynodError): SynodError | null {
  if (outcome instanceof SynodError) return outcome;
  if (!("type" in outcome) || outcome.type !== "refused") return null;
  const details = outcome.code === "SYNOD_ERR_PRECONDITION" ? { revision: outcome.revision } : undefined;
  return new SynodError(outcome.code, undefined, details);
}

function bytesOf(bytes: Bytes): Uint8Array {
  return typeof bytes === "string" ? keyFromText(bytes) : bytes;
}

function keyOf(key: Bytes): Uint8Array {
  const bytes = bytesOf(key);
  if (bytes.length < 1 || bytes.length > MAX_KEY_BYTES) throw new SynodError("SYNOD_ERR_KEY_LENGTH");
  return bytes;
}

function prevRevisionOf({ prevRevision }: WriteOptions): number | null {
  if (prevRevision === undefined) return null;
  if (!Number.isSafeInteger(prevRevision) || prevRevision < 0) throw badRequest("prevRevision is an integer from 0 on.");
  return prevRevision;
}

function badRequest(message: string): SynodError {
  return new SynodError("SYNOD_ERR_BAD_REQUEST", message);
}
