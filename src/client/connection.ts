import WebSocket from "ws";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { Result } from "../state/results.ts";
import {
  CONNECTION_ID, MAX_MESSAGE_BYTES, MAX_OUTSTANDING, writeReadRequest, writeStatusRequest, writeWriteRequest,
} from "./protocol.ts";
import { type Reply, readReply } from "./replies.ts";
import type { Consistency, Query, ReadResult, Status } from "./types.ts";

/** Bytes of requests that make a message of their own, before the turn ends. */
const FULL_BATCH_BYTES = 256 * 1024;
const BATCH_BYTES = 4096;
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 2000;
const MAX_ID = 0xffffffff;

const NORMAL = 1000;
const PROTOCOL_ERROR = 1002;

export type WriteCallback = (outcome: Result | SynodError) => void;
export type ReadCallback = (outcome: ReadResult | SynodError) => void;
export type StatusCallback = (outcome: Status | SynodError) => void;

type Pending = (
  | { readonly op: "write"; readonly done: WriteCallback }
  | { readonly op: "read"; readonly done: ReadCallback }
  | { readonly op: "status"; readonly done: StatusCallback }
) & { readonly batch: number };

export interface ConnectionEvents {
  readonly onOpen?: () => void;
  /** Called once, after everything outstanding was answered with an error. Also when the connection never opened. */
  readonly onClose?: (reason: string) => void;
}

export interface ConnectionOptions {
  readonly handshakeTimeoutMs?: number;
}

/**
 * One connection to one member: any number of requests under way at once, each answered through its callback, which is called
 * exactly once and must not throw. What is asked within one turn of the event loop leaves in one message. Nothing is ever sent
 * again. Requests beyond `MAX_OUTSTANDING` are answered with `SYNOD_ERR_BUSY` before the call returns.
 *
 * When the connection is lost, writes that may have been sent end with `SYNOD_ERR_OUTCOME_UNKNOWN`, everything else with
 * `SYNOD_ERR_UNREACHABLE`, which says that it was not executed.
 */
export class ClientConnection {
  readonly url: string;
  readonly #socket: WebSocket;
  readonly #events: ConnectionEvents;
  readonly #pending = new Map<number, Pending>();
  #batch = new ByteWriter(BATCH_BYTES);
  /** Number of the message that is being filled; those before it may have been sent. */
  #batchNumber = 1;
  #flushScheduled = false;
  #lastId = 0;
  #closed = false;
  #retired = false;
  #heard = true;
  /** The member has said that it stops, and that whatever it has not answered it has not executed. */
  #stopping: SynodError | null = null;
  #reason = "the connection was closed";

  /** `url` is the WebSocket URL, as `endpointUrl` makes it. Requests may be made before the connection is open. */
  constructor(url: string, events: ConnectionEvents = {}, { handshakeTimeoutMs }: ConnectionOptions = {}) {
    this.url = url;
    this.#events = events;
    this.#socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      generateMask: leaveUnmasked,
      handshakeTimeout: handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS,
    });
    this.#socket.on("open", () => {
      this.#flush();
      this.#events.onOpen?.();
    });
    this.#socket.on("message", (data: Buffer) => this.#receive(data));
    this.#socket.on("pong", () => (this.#heard = true));
    this.#socket.on("error", (error) => (this.#reason = error.message));
    this.#socket.on("close", (code, reason) => this.#ended(code, reason.toString()));
  }

  get isOpen(): boolean {
    return !this.#closed && this.#stopping === null && this.#socket.readyState === WebSocket.OPEN;
  }

  /** Requests that are not answered yet. */
  get outstanding(): number {
    return this.#pending.size;
  }

  /** `command` is encoded as src/state/commands.ts does. It is copied. */
  write(command: Uint8Array, done: WriteCallback): void {
    const refusal = this.#refusal();
    if (refusal !== null) return done(refusal);
    writeWriteRequest(this.#batch, this.#add({ op: "write", done, batch: this.#batchNumber }), command);
    this.#schedule();
  }

  /** Values in the answer are views into the message that brought them: copy what is kept for long. */
  read(query: Query, consistency: Consistency, done: ReadCallback): void {
    const refusal = this.#refusal();
    if (refusal !== null) return done(refusal);
    writeReadRequest(this.#batch, this.#add({ op: "read", done, batch: this.#batchNumber }), query, consistency);
    this.#schedule();
  }

  status(done: StatusCallback): void {
    const refusal = this.#refusal();
    if (refusal !== null) return done(refusal);
    writeStatusRequest(this.#batch, this.#add({ op: "status", done, batch: this.#batchNumber }));
    this.#schedule();
  }

  /**
   * Called at a regular interval, finds a member that has gone without closing: cuts the connection when, with requests
   * outstanding, nothing at all was heard since the call before. Otherwise asks for a sign of life.
   */
  probe(): void {
    if (!this.isOpen) return;
    if (!this.#heard) return this.cut("the member has gone silent");
    this.#heard = this.#pending.size === 0;
    if (!this.#heard) this.#socket.ping();
  }

  /** Takes no further requests; closes once everything outstanding is answered. */
  retire(): void {
    this.#retired = true;
    this.#closeIfDone();
  }

  /** Ends at once, without waiting for answers. */
  cut(reason: string): void {
    this.#reason = reason;
    this.#socket.terminate();
  }

  #refusal(): SynodError | null {
    if (this.#stopping !== null) return this.#stopping;
    if (this.#closed || this.#retired) return new SynodError("SYNOD_ERR_UNREACHABLE", `${this.url}: ${this.#reason}.`);
    if (this.#pending.size < MAX_OUTSTANDING) return null;
    return new SynodError("SYNOD_ERR_BUSY", `${MAX_OUTSTANDING} requests are outstanding on this connection.`);
  }

  #add(pending: Pending): number {
    this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1;
    this.#pending.set(this.#lastId, pending);
    return this.#lastId;
  }

  #schedule(): void {
    if (this.#batch.length >= FULL_BATCH_BYTES) this.#flush();
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#batch.length === 0 || this.#socket.readyState !== WebSocket.OPEN) return;
    const bytes = this.#batch.finish();
    if (bytes.length > FULL_BATCH_BYTES) this.#batch = new ByteWriter(BATCH_BYTES);
    else this.#batch.reset();
    this.#batchNumber += 1;
    this.#socket.send(bytes);
  }

  #receive(data: Buffer): void {
    this.#heard = true;
    const reader = new ByteReader(new Uint8Array(data.buffer, data.byteOffset, data.length));
    try {
      while (reader.remaining > 0) this.#settle(readReply(reader));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#reason = `the member's reply cannot be read: ${error.message}`;
      this.#socket.close(PROTOCOL_ERROR);
    }
    this.#closeIfDone();
  }

  #settle(reply: Reply): void {
    if (reply.id === CONNECTION_ID && reply.type === "error") {
      this.#reason = reply.error.message;
      if (reply.error.code === "SYNOD_ERR_STOPPING") this.#stopping = reply.error;
      return;
    }
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) throw new DecodeError(`no request has the id ${reply.id}`);
    if (!answers(reply, pending)) throw new DecodeError(`a ${pending.op} was answered with a ${reply.type}`);
    this.#pending.delete(reply.id);
    pending.done((reply.type === "error" ? reply.error : reply.type === "status" ? reply.status : reply.result) as never);
  }

  #closeIfDone(): void {
    if (this.#retired && this.#pending.size === 0) this.#socket.close(NORMAL);
  }

  #ended(code: number, reason: string): void {
    this.#closed = true;
    if (reason !== "" && this.#stopping === null) this.#reason = `closed with code ${code}: ${reason}`;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of lost) pending.done(this.#lossOf(pending));
    this.#events.onClose?.(this.#reason);
  }

  #lossOf(pending: Pending): SynodError {
    if (this.#stopping !== null) return this.#stopping;
    const unknown = pending.op === "write" && pending.batch < this.#batchNumber;
    return new SynodError(unknown ? "SYNOD_ERR_OUTCOME_UNKNOWN" : "SYNOD_ERR_UNREACHABLE", `${this.url}: ${this.#reason}.`);
  }
}

/**
 * Masks with zeros, which cost neither side anything; masking and unmasking would be a quarter of a busy member's work.
 * Random masks keep scripts in web pages from choosing the bytes that old proxies see, and this is no browser.
 */
function leaveUnmasked(mask: Buffer): void {
  mask.fill(0);
}

/** Whether a reply is of the kind that a request asks for. */
function answers(reply: Reply, pending: Pending): boolean {
  return reply.type === "error" || (pending.op === "write" ? reply.type === "result" : reply.type === pending.op);
}
