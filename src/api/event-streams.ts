import type { FastifyInstance } from "fastify";
import { SynodError } from "../errors/synod-error.ts";
import { EventStream } from "./event-stream.ts";
import { parseInteger, refuseParameters } from "./request-fields.ts";
import type { Service } from "./service.ts";

const MAX_STREAMS = 256;

/** All readers of `GET /v1/events`. One timer serves them all. */
export class EventStreams {
  readonly #service: Service;
  readonly #streams = new Set<EventStream>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(service: Service, heartbeatMs: number) {
    this.#service = service;
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  get count(): number {
    return this.#streams.size;
  }

  addRoute(app: FastifyInstance): void {
    app.get("/v1/events", (request, reply) => {
      refuseParameters(request.raw.url);
      const lastSeen = request.headers["last-event-id"];
      const afterId = lastSeen === undefined ? undefined : parseInteger(String(lastSeen), "Last-Event-ID");
      if (this.#streams.size >= MAX_STREAMS) {
        throw new SynodError("SYNOD_ERR_BUSY", `${MAX_STREAMS} readers follow the events already.`);
      }
      reply.hijack();
      this.#streams.add(new EventStream(reply.raw, this.#service, afterId, (stream) => this.#streams.delete(stream)));
    });
  }

  /** Ends every stream. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const stream of this.#streams) stream.end();
  }

  #beat(): void {
    for (const stream of this.#streams) stream.heartbeat();
  }
}
