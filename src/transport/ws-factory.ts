import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { TransportLimits } from "./limits.ts";
import type { NameLookup } from "./name-lookup.ts";

/** Makes every ws of a transport, with the same options, and knows those that are not closed yet. */
export class WsFactory {
  readonly #open = new Set<WebSocket>();
  readonly #server: WebSocketServer;
  readonly #common: { readonly perMessageDeflate: false; readonly maxPayload: number; readonly closeTimeout: number };
  readonly #names: NameLookup;
  #whenClosed: (() => void) | null = null;

  constructor(limits: TransportLimits, names: NameLookup) {
    this.#names = names;
    this.#common = { perMessageDeflate: false, maxPayload: limits.frameBytes, closeTimeout: limits.closeTimeoutMs };
    this.#server = new WebSocketServer({ ...this.#common, noServer: true, clientTracking: false });
  }

  /** Begins to connect to `url`. */
  connect(url: URL): WebSocket {
    // The mask protects proxies from what scripts in browsers send; between members an empty one saves a copy of every frame.
    return this.#track(new WebSocket(url, { ...this.#common, lookup: this.#names.forSocket, generateMask: (mask) => mask.fill(0) }));
  }

  /** Answers an upgrade request; `opened` is called only if it is a proper one. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (ws: WebSocket) => void): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => opened(this.#track(ws)));
  }

  /** Resolves when every ws has closed, which the close time-out bounds once each has been told to close. */
  allClosed(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#whenClosed = resolve));
  }

  #track(ws: WebSocket): WebSocket {
    this.#open.add(ws);
    ws.on("error", () => {});
    ws.on("close", () => {
      this.#open.delete(ws);
      if (this.#open.size === 0) this.#whenClosed?.();
    });
    return ws;
  }
}
