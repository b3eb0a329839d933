import type { WebSocket } from "ws";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { CONNECTION_ID, MAX_OUTSTANDING, readRequest, type Request } from "../client/protocol.ts";
import { writeErrorReply, writeReadReply, writeResultReply, writeStatusReply } from "../client/replies.ts";
import { SynodError } from "../errors/synod-error.ts";
import { ADVANCE_TIME } from "../state/command-fields.ts";
import { validateCommand } from "../state/commands.ts";
import { boundRange, checkQuery } from "./range-bounds.ts";
import { badRequest } from "./request-fields.ts";
import type { ReadResult, Service, WriteOutcome } from "./service.ts";

const BATCH_BYTES = 4096;
/** Bytes of replies that make a message of their own, before the turn ends. */
const FULL_BATCH_BYTES = 256 * 1024;
/** Unsent bytes beyond which nothing more is read from the client, and those below which it is again. */
const PAUSE_BYTES = 1024 * 1024;
const RESUME_BYTES = 256 * 1024;
/** Unsent bytes beyond which reads are refused as busy: what is outstanding could otherwise fetch gigabytes. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;
/** Requests beyond the bound, within one message, that make the connection end. */
const MAX_REFUSED = 4096;

const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;

/** What links share: the service, and the one flush at the end of a turn. */
export interface LinkHost {
  readonly service: Service;
  readonly stopping: boolean;
  /** Asks that `flush` be called once, before the turn ends. */
  scheduleFlush(link: ClientLink): void;
}

/** The server's end of one client connection. */
export class ClientLink {
  readonly #socket: WebSocket;
  readonly #host: LinkHost;
  #batch = new ByteWriter(BATCH_BYTES);
  #flushScheduled = false;
  #outstanding = 0;
  #closing = false;
  #answered = true;

  constructor(socket: WebSocket, host: LinkHost) {
    this.#socket = socket;
    this.#host = host;
    socket.on("message", (data: Buffer, isBinary) => this.#receive(data, isBinary));
    socket.on("pong", () => (this.#answered = true));
    // "close" follows every error, and there is nothing to do about one but to let go.
    socket.on("error", () => socket.terminate());
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /** Sends what waits for the end of the turn. */
  flush(): void {
    this.#flushScheduled = false;
    const last = this.#host.stopping && this.#outstanding === 0 && !this.#closing;
    if (last) writeErrorReply(this.#batch, CONNECTION_ID, new SynodError("SYNOD_ERR_STOPPING"));
    if (this.#batch.length > 0) this.#send();
    if (last) this.#close(GOING_AWAY, "stopping");
  }

  /** Lets the link end: at once if nothing is outstanding, else behind the last reply. What comes later is not executed. */
  stop(): void {
    this.#schedule();
  }

  /** Asks the client for a sign of life; ends the connection if the last one was not given. */
  probe(): void {
    if (!this.#answered) return this.#socket.terminate();
    this.#answered = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#closing) return;
    if (!isBinary) return this.#fail("a text message");
    // Plain arrays make cheaper views than Buffers do.
    const reader = new ByteReader(new Uint8Array(data.buffer, data.byteOffset, data.length));
    let refusals = 0;
    try {
      while (reader.remaining > 0 && !this.#closing) {
        if (!this.#serve(readRequest(reader))) refusals += 1;
        if (refusals > MAX_REFUSED) this.#fail(`${MAX_REFUSED} requests beyond the bound in one message`);
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#fail(error.message);
    }
  }

  /** False when the request was refused for there being too many. */
  #serve(request: Request): boolean {
    if (this.#host.stopping) {
      this.#replyError(request.id, new SynodError("SYNOD_ERR_STOPPING"));
      return true;
    }
    if (this.#outstanding >= MAX_OUTSTANDING) {
      const why = `${MAX_OUTSTANDING} requests are outstanding on this connection.`;
      this.#replyError(request.id, new SynodError("SYNOD_ERR_BUSY", why));
      return false;
    }
    try {
      this.#start(request);
    } catch (error) {
      if (!(error instanceof SynodError)) throw error;
      this.#replyError(request.id, error);
    }
    return true;
  }

  /** Throws a `SynodError` before anything is outstanding. */
  #start(request: Request): void {
    const { id } = request;
    const { service } = this.#host;
    if (request.op === "write") {
      validateCommand(request.command);
      if (request.command[0] === ADVANCE_TIME) throw badRequest("Only the leader advances the log's time.");
      this.#outstanding += 1;
      service.write(request.command, (outcome) => this.#writeEnded(id, outcome));
    } else if (request.op === "read") {
      checkQuery(request.query);
      this.#outstanding += 1;
      service.read(request.query, request.consistency, (outcome) => this.#readEnded(id, outcome));
    } else {
      writeStatusReply(this.#batch, id, service.status());
      this.#schedule();
    }
  }

  #writeEnded(id: number, outcome: WriteOutcome): void {
    this.#outstanding -= 1;
    if (outcome instanceof SynodError) return this.#replyError(id, outcome);
    writeResultReply(this.#batch, id, outcome);
    this.#schedule();
  }

  #readEnded(id: number, outcome: ReadResult | SynodError): void {
    this.#outstanding -= 1;
    if (outcome instanceof SynodError) return this.#replyError(id, outcome);
    if (this.#unsentBytes() > MAX_UNSENT_BYTES) {
      return this.#replyError(id, new SynodError("SYNOD_ERR_BUSY", "The client does not read its replies fast enough."));
    }
    writeReadReply(this.#batch, id, boundRange(outcome));
    this.#schedule();
  }

  #replyError(id: number, error: SynodError): void {
    writeErrorReply(this.#batch, id, error);
    this.#schedule();
  }

  /** A batch that one more reply could make too large for a message goes at once. */
  #schedule(): void {
    if (this.#batch.length >= FULL_BATCH_BYTES) this.#send();
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#host.scheduleFlush(this);
  }

  #send(): void {
    const bytes = this.#batch.finish();
    // A writer that has grown large is not kept: there may be thousands of links.
    if (bytes.length > FULL_BATCH_BYTES) this.#batch = new ByteWriter(BATCH_BYTES);
    else this.#batch.reset();
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(bytes, () => this.#resumeWhenSent());
    if (this.#socket.bufferedAmount > PAUSE_BYTES) this.#socket.pause();
  }

  #resumeWhenSent(): void {
    if (this.#socket.isPaused && this.#socket.bufferedAmount < RESUME_BYTES) this.#socket.resume();
  }

  #unsentBytes(): number {
    return this.#socket.bufferedAmount + this.#batch.length;
  }

  /** The client does not speak the protocol: it is told, and left. What it has outstanding goes on without it. */
  #fail(why: string): void {
    writeErrorReply(this.#batch, CONNECTION_ID, new SynodError("SYNOD_ERR_BAD_REQUEST", `Not a message of this protocol: ${why}.`));
    this.#send();
    this.#close(PROTOCOL_ERROR, "not a message of this protocol");
  }

  #close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#socket.close(code, reason);
  }
}
