import { SynodError } from "../errors/synod-error.ts";
import { type Command, encodeCommand, type RetryToken } from "../state/commands.ts";
import type { Result } from "../state/results.ts";
import type { ClientConnection } from "./connection.ts";
import type { Session } from "./session.ts";
import type { Consistency, Query, ReadResult, Status } from "./types.ts";

export type Answer = Result | ReadResult | Status;

/** A put or delete that lacks only its retry token. */
export type Write =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array; readonly prevRevision: number | null }
  | { readonly type: "delete"; readonly key: Uint8Array; readonly prevRevision: number | null };

export type Work =
  | { readonly op: "write"; readonly write: Write; readonly idempotencyKey: string | undefined }
  | { readonly op: "read"; readonly query: Query; readonly consistency: Consistency }
  | { readonly op: "status" };

/** One call of the client, over as many attempts as it takes. */
export class Operation {
  readonly work: Work;
  readonly #settle: (outcome: Answer | SynodError) => void;
  #command: Uint8Array | null = null;
  #session: Session | null = null;
  #sequence = 0;
  #sending = false;
  #possiblyExecuted = false;
  #settled = false;
  #lastError: SynodError | null = null;
  /** Attempts that failed. */
  failures = 0;
  /** Cancels the timer that would otherwise concern this operation. */
  cancelDeadline: () => void = () => {};
  cancelRetry: () => void = () => {};

  constructor(work: Work, settle: (outcome: Answer | SynodError) => void) {
    this.work = work;
    this.#settle = settle;
    if (work.op === "write" && work.idempotencyKey !== undefined) this.#encode({ kind: "key", key: work.idempotencyKey });
  }

  get settled(): boolean {
    return this.#settled;
  }

  get session(): Session | null {
    return this.#session;
  }

  /** Whether, in a client that has sessions, it must be given a sequence number before it is sent. */
  get wantsSequence(): boolean {
    return this.work.op === "write" && this.#command === null;
  }

  /** Whether it may be sent again although it may have been executed. */
  get isRepeatable(): boolean {
    return this.work.op !== "write" || this.work.idempotencyKey !== undefined || this.#session !== null;
  }

  /** Takes the session's next sequence number, for all attempts. */
  joinSession(session: Session): void {
    const token = session.take();
    this.#session = session;
    this.#sequence = token.sequence;
    this.#encode(token);
  }

  send(connection: ClientConnection, done: (outcome: Answer | SynodError) => void): void {
    this.#sending = true;
    const ended = (outcome: Answer | SynodError): void => {
      this.#sending = false;
      done(outcome);
    };
    const { work } = this;
    if (work.op === "status") return connection.status(ended);
    if (work.op === "read") return connection.read(work.query, work.consistency, ended);
    if (this.#command === null) this.#encode({ kind: "none" });
    connection.write(this.#command as Uint8Array, ended);
  }

  /** Takes note of an attempt that failed. */
  attemptFailed(error: SynodError): void {
    this.failures += 1;
    this.#lastError = error;
    if (error.kind.outcomeUnknown) this.#possiblyExecuted = true;
  }

  /** Ends it, once. */
  settle(outcome: Answer | SynodError): void {
    if (this.#settled) return;
    this.#settled = true;
    this.cancelDeadline();
    this.cancelRetry();
    this.#session?.finish(this.#sequence);
    this.#settle(outcome);
  }

  /** The error to end with when it is given up for the reason `why`: it says whether it may have been executed. */
  givenUp(why: string): SynodError {
    const last = this.#lastError === null ? "" : ` The last error: ${this.#lastError.message}`;
    if (this.work.op !== "write") return new SynodError("SYNOD_ERR_TIMEOUT", `${why}${last}`);
    if (this.#possiblyExecuted || this.#sending) {
      return new SynodError("SYNOD_ERR_OUTCOME_UNKNOWN", `${why} It may or may not have been, or may yet be, executed.${last}`);
    }
    return new SynodError(this.#lastError?.code ?? "SYNOD_ERR_UNREACHABLE", `${why} It was not executed.${last}`);
  }

  #encode(retry: RetryToken): void {
    if (this.work.op !== "write") return;
    const command: Command = { ...this.work.write, retry };
    this.#command = encodeCommand(command);
  }
}
