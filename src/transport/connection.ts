import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { assert } from "../codec/assert.ts";
import { DecodeError } from "../codec/byte-reader.ts";
import type { Cancel, Clock } from "./clock.ts";
import { CLOSE } from "./handshake.ts";
import type { TransportLimits } from "./limits.ts";
import type { LinkProof } from "./link-proof.ts";
import type { LinkCounters } from "./link-status.ts";
import { MessageAssembler } from "./message-assembler.ts";
import { type Frame, type Lane, SendQueue } from "./send-queue.ts";

const MAX_REASON_BYTES = 120;

export interface ConnectionEvents {
  /** Both sides have proven that they hold a key, or none is asked for: hellos may be exchanged. */
  proven(connection: Connection): void;
  /** The peer has not proven what it must; the handler closes the connection. */
  unproven(connection: Connection, fault: string): void;
  /** The first frame of a proven connection; the handler opens the connection or closes it. */
  hello(connection: Connection, frame: Uint8Array): void;
  message(connection: Connection, message: Uint8Array): void;
  /** The peer answered `challenge`, after it was asked. */
  alive(connection: Connection, question: string): void;
  /** The connection ended by itself; not called after `close`. `code` is the ws close code, 1006 if there was none. */
  ended(connection: Connection, code: number, reason: string): void;
}

export interface ConnectionOptions {
  readonly ws: WebSocket;
  /** The socket under `ws`, whose bytes are the sign of life. */
  readonly socket: Socket;
  readonly dialledByUs: boolean;
  /** Null where members have no keys. */
  readonly proof: LinkProof | null;
  readonly limits: TransportLimits;
  readonly clock: Clock;
  readonly events: ConnectionEvents;
}

/**
 * One open ws connection: first proofs where there are keys, then a hello each way, then messages in two lanes. It knows frames, bounds and signs of life;
 * whom to talk to is decided by its owner.
 */
export class Connection {
  readonly dialledByUs: boolean;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #limits: TransportLimits;
  readonly #events: ConnectionEvents;
  readonly #queue: SendQueue;
  readonly #assembler: MessageAssembler;
  readonly #cancelHandshake: Cancel;
  readonly #proof: LinkProof | null;
  #phase: "proving" | "greeting" | "up" | "closed" = "proving";
  #proven = false;
  #counters: LinkCounters | null = null;
  #bulkHeld = false;
  #error = "";
  #bytesRead = 0;
  #silentIntervals = 0;

  constructor(options: ConnectionOptions) {
    const { ws, socket, limits } = options;
    this.dialledByUs = options.dialledByUs;
    this.#ws = ws;
    this.#socket = socket;
    this.#limits = limits;
    this.#events = options.events;
    this.#proof = options.proof;
    this.#queue = new SendQueue(limits.frameBytes);
    this.#assembler = new MessageAssembler(limits.messageBytes);
    this.#cancelHandshake = options.clock.schedule(limits.handshakeTimeoutMs, () => {
      this.#fail(CLOSE.handshakeTimeout, "no hello in time");
    });
    this.#listen();
  }

  /** Begins the handshake; `proven` or `unproven` follows, at once where there are no keys. */
  begin(): void {
    assert(this.#phase === "proving", "a handshake begins once");
    if (this.#proof === null) this.#becomeProven();
    else if (this.dialledByUs) this.#ws.send(this.#proof.question());
  }

  /** Whether what the peer says can be taken for a member's word. */
  get proven(): boolean {
    return this.#proven;
  }

  #becomeProven(): void {
    this.#phase = "greeting";
    this.#proven = true;
    this.#events.proven(this);
  }

  /** The peer's frames become messages from here on, and ours may be sent. */
  open(counters: LinkCounters): void {
    assert(this.#phase === "greeting", "a connection is opened once");
    this.#phase = "up";
    this.#counters = counters;
    this.#cancelHandshake();
  }

  sendHello(frame: Uint8Array): void {
    assert(this.#phase === "greeting", "hello comes first");
    this.#ws.send(frame);
  }

  /** Queues `message` until the next `flush`; false if the bound on what waits for this peer would be exceeded. */
  send(message: Uint8Array, lane: Lane): boolean {
    if (this.#phase !== "up") return false;
    const { queueBytes, urgentReserveBytes } = this.#limits;
    const bound = lane === "urgent" ? queueBytes : queueBytes - urgentReserveBytes;
    if (this.queuedBytes + message.length > bound) return false;
    this.#queue.push(message, lane);
    return true;
  }

  /** Hands all urgent messages to the socket, and bulk ones while little waits in it. */
  flush(): void {
    if (this.#phase !== "up") return;
    for (;;) {
      const withBulk = this.#ws.bufferedAmount < this.#limits.bulkLowWaterBytes;
      if (!this.#queue.hasUrgent && !(withBulk && this.#queue.hasBulk)) break;
      this.#sendFrame(withBulk);
    }
    this.#bulkHeld = this.#queue.hasBulk;
  }

  /** Bytes that wait for this peer, in the queue and in the socket. */
  get queuedBytes(): number {
    return this.#queue.bytes + this.#ws.bufferedAmount;
  }

  /** Messages that have not been handed to the socket. */
  get queuedMessages(): number {
    return this.#queue.messages;
  }

  /** To be called once per ping interval: counts silence, ends a dead connection, and pings a live one. */
  checkLiveness(): void {
    if (this.#phase !== "up") return;
    const alive = this.#socket.bytesRead !== this.#bytesRead;
    this.#bytesRead = this.#socket.bytesRead;
    this.#silentIntervals = alive ? 0 : this.#silentIntervals + 1;
    if (this.#silentIntervals < this.#limits.silentIntervals) {
      this.#ws.ping();
      return;
    }
    this.#ws.terminate();
    this.#ended(1006, `silent for ${this.#silentIntervals} intervals`);
  }

  /** There is doubt about this connection: it must show life within one to two ping intervals. */
  probe(): void {
    if (this.#phase !== "up") return;
    this.#bytesRead = this.#socket.bytesRead;
    this.#silentIntervals = Math.max(this.#silentIntervals, this.#limits.silentIntervals - 2);
    this.#ws.ping();
  }

  /** Asks for a sign of life that was given after this call: `alive` tells of the answer to exactly this question. */
  challenge(question: string): void {
    if (this.#phase === "up") this.#ws.ping(question);
  }

  /** Closes with a code and reason for the peer. The owner hears no more of this connection. */
  close(code: number, reason: string): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#cancelHandshake();
    this.#ws.close(code, reason.slice(0, MAX_REASON_BYTES).replace(/[^\x20-\x7e]/g, "?"));
  }

  #listen(): void {
    this.#ws.on("message", (data, isBinary) => this.#onFrame(data as Buffer, isBinary));
    this.#ws.on("pong", (question) => {
      if (this.#phase === "up" && question.length > 0) this.#events.alive(this, question.toString());
    });
    this.#ws.on("error", (error) => this.#ended(1006, error.message));
    this.#ws.on("close", (code, reason) => this.#ended(code, reason.toString() || this.#error || "closed by the peer"));
    this.#socket.on("error", (error) => (this.#error = error.message));
    // Without this a close would wait until our own unsent bytes have gone to a peer that takes none.
    this.#socket.on("end", () => this.#ws.terminate());
  }

  #onFrame(frame: Buffer, isBinary: boolean): void {
    if (this.#phase === "closed") return;
    if (this.#phase === "proving") return this.#prove(frame);
    if (this.#phase === "greeting") return this.#events.hello(this, frame);
    if (!isBinary) return this.#fail(CLOSE.malformed, "malformed frame: text");
    const messages = this.#read(frame);
    if (messages === null) return;
    for (const message of messages) {
      if (this.#isClosed()) return;
      this.#count(message);
      this.#events.message(this, message);
    }
  }

  #prove(frame: Uint8Array): void {
    assert(this.#proof !== null, "only where there are keys is anything to prove");
    const step = this.#proof.take(frame);
    if ("fault" in step) return this.#events.unproven(this, step.fault);
    if (step.send !== null) this.#ws.send(step.send);
    if (step.proven) this.#becomeProven();
  }

  /** Apart, because the listener may close the connection between two messages of a frame. */
  #isClosed(): boolean {
    return this.#phase === "closed";
  }

  #read(frame: Uint8Array): Uint8Array[] | null {
    try {
      return this.#assembler.read(frame);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#fail(CLOSE.malformed, `malformed frame: ${error.message}`);
      return null;
    }
  }

  #count(message: Uint8Array): void {
    assert(this.#counters !== null, "an open connection counts");
    this.#counters.receivedMessages += 1;
    this.#counters.receivedBytes += message.length;
  }

  #sendFrame(withBulk: boolean): void {
    assert(this.#counters !== null, "an open connection counts");
    const frame = this.#queue.nextFrame(withBulk);
    this.#counters.sentMessages += frame.messages;
    this.#counters.sentBytes += frame.messageBytes;
    this.#ws.send(frame.bytes, () => this.#written(frame));
  }

  /** Bulk frames that were held back follow as the socket drains. */
  #written(frame: Frame): void {
    this.#queue.release(frame);
    if (this.#bulkHeld) this.flush();
  }

  /** Closes for a fault of the peer, and tells the owner. */
  #fail(code: number, reason: string): void {
    if (this.#phase === "closed") return;
    this.close(code, reason);
    this.#events.ended(this, code, reason);
  }

  #ended(code: number, reason: string): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#cancelHandshake();
    this.#events.ended(this, code, reason);
  }
}
