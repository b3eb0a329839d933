import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { MAX_MESSAGE_BYTES } from "../client/protocol.ts";
import { ClientLink, type LinkHost } from "./client-link.ts";
import { refuseSocket } from "./http-errors.ts";
import { badRequest } from "./request-fields.ts";
import type { Service } from "./service.ts";

/** All client connections of a member. What one callback of the event loop answers, such as all of a slot, is sent together behind it. */
export class ClientGateway implements LinkHost {
  readonly service: Service;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  readonly #links = new Set<ClientLink>();
  readonly #probe: NodeJS.Timeout;
  #toFlush: ClientLink[] = [];
  #stopping = false;

  constructor(service: Service, probeMs: number) {
    this.service = service;
    this.#server.on("wsClientError", ({ message }, socket) => {
      refuseSocket(socket, badRequest(`Not a WebSocket handshake: ${message}.`));
    });
    this.#probe = setInterval(() => this.#probeAll(), probeMs).unref();
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Takes a socket whose HTTP request asks for this protocol. A request that is no proper handshake is answered with an error. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const link = new ClientLink(webSocket, this);
      this.#links.add(link);
      webSocket.once("close", () => this.#links.delete(link));
    });
  }

  scheduleFlush(link: ClientLink): void {
    if (this.#toFlush.length === 0) process.nextTick(() => this.#flush());
    this.#toFlush.push(link);
  }

  /** Answers what is outstanding, refuses what still comes, and closes each connection once it has nothing outstanding. */
  close(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    clearInterval(this.#probe);
    for (const link of this.#links) link.stop();
  }

  #flush(): void {
    const links = this.#toFlush;
    this.#toFlush = [];
    for (const link of links) link.flush();
  }

  #probeAll(): void {
    for (const link of this.#links) link.probe();
  }
}
