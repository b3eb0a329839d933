import { request } from "node:http";
import { SynodError } from "../errors/synod-error.ts";

/** One server-sent event. */
export interface StreamEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** A line of more than this many characters ends the reading: no event of synod's comes near it. */
const MAX_PENDING_CHARS = 1024 * 1024;

/** Takes a server-sent event stream apart, in whatever pieces it arrives (WHATWG HTML, section 9.2.6). */
export class EventStreamParser {
  readonly #onEvent: (event: StreamEvent) => void;
  readonly #decoder = new TextDecoder();
  #pending = "";
  #id = "";
  #type = "";
  #data: string[] = [];

  constructor(onEvent: (event: StreamEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Throws `SYNOD_ERR_BAD_REQUEST` on a line without end. */
  push(bytes: Uint8Array): void {
    this.#pending += this.#decoder.decode(bytes, { stream: true });
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#pending);
      if (end === null) break;
      const line = this.#pending.slice(0, end.index);
      this.#pending = this.#pending.slice(end.index + end[0].length);
      this.#takeLine(line);
    }
    if (this.#pending.length > MAX_PENDING_CHARS) {
      throw new SynodError("SYNOD_ERR_BAD_REQUEST", "A line of the event stream does not end.");
    }
  }

  #takeLine(line: string): void {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#type = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
  }

  #dispatch(): void {
    if (this.#data.length > 0) {
      this.#onEvent({ id: this.#id, type: this.#type === "" ? "message" : this.#type, data: this.#data.join("\n") });
    }
    this.#type = "";
    this.#data = [];
  }
}

export interface FollowOptions {
  /** The stream's address. */
  readonly url: string;
  /** Kept events above this one are sent first. */
  readonly lastEventId?: string;
  readonly onOpen?: () => void;
  readonly onEvent: (event: StreamEvent) => void;
  readonly signal: AbortSignal;
  /** A connection over which nothing comes for so long, not even a heartbeat, is taken for dead. Absent: it may be silent for ever. */
  readonly idleMs?: number;
}

/**
 * Follows a stream for as long as its connection lasts; resolves when it has ended for whatever reason, the signal included.
 */
export function followStream({ url, lastEventId, onOpen, onEvent, signal, idleMs }: FollowOptions): Promise<void> {
  return new Promise((ended) => {
    const headers = { accept: "text/event-stream", ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) };
    const sent = request(url, { headers, agent: false, signal }, (response) => {
      if (response.statusCode !== 200) return void response.destroy();
      const parser = new EventStreamParser(onEvent);
      onOpen?.();
      response.on("data", (bytes: Buffer) => {
        try {
          parser.push(bytes);
        } catch {
          response.destroy();
        }
      });
      response.on("error", () => {});
    });
    if (idleMs !== undefined) sent.setTimeout(idleMs, () => sent.destroy());
    sent.on("error", () => {}).on("close", ended).end();
  });
}
