import type { ServerResponse } from "node:http";
import type { Service, ServiceEvent } from "./service.ts";

const MAX_QUEUED_BYTES = 512 * 1024;

/**
 * One reader of `GET /v1/events`. Behind the events that it asked for again it is told whom the member follows now, as event `leader`
 * without an id, so that it need not wait for the next election. It ends when the reader goes, when it reads too slowly, or when `end` is called.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #stopFollowing: () => void;
  #expectedId: number | null;

  /** `afterId` is the id of the last event the reader has seen. `onEnd` is called once. */
  constructor(response: ServerResponse, service: Service, afterId: number | undefined, onEnd: (stream: EventStream) => void) {
    this.#response = response;
    this.#expectedId = afterId === undefined ? null : afterId + 1;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    response.write("retry: 1000\n\n");
    this.#stopFollowing = service.events((event) => this.#send(event), afterId);
    const { member, incarnation } = service.identity();
    this.#write(`event: leader\ndata: ${JSON.stringify({ type: "leader", member, incarnation, ...service.leaderNews() })}\n\n`);
    response.once("close", () => {
      this.#stopFollowing();
      onEnd(this);
    });
  }

  /** A comment, so that neither proxies nor the reader take the silence for a dead connection. */
  heartbeat(): void {
    this.#write(": heartbeat\n\n");
  }

  end(): void {
    this.#stopFollowing();
    this.#response.end();
  }

  #send(event: ServiceEvent): void {
    if (this.#expectedId !== null && event.id !== this.#expectedId) {
      this.#write(`event: gap\ndata: ${JSON.stringify({ type: "gap", lastSeen: this.#expectedId - 1, next: event.id })}\n\n`);
    }
    this.#expectedId = null;
    this.#write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  /** A reader that lets this much pile up is cut off; it can come back and resume behind the last event it has. */
  #write(text: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    if (this.#response.writableLength > MAX_QUEUED_BYTES) this.#response.destroy();
    else this.#response.write(text);
  }
}
