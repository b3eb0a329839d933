import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import fastify, { type FastifyInstance } from "fastify";
import { CLIENT_PATH } from "../client/protocol.ts";
import { SynodError } from "../errors/synod-error.ts";
import { ClientGateway } from "./client-gateway.ts";
import { EventStreams } from "./event-streams.ts";
import { type Authorizes, makeGuard } from "./guard.ts";
import { refuseSocket, sendError, toSynodError } from "./http-errors.ts";
import { addKvRoutes } from "./kv-routes.ts";
import { addMemberRoutes } from "./member-routes.ts";
import { addMembershipRoutes } from "./membership-routes.ts";
import { badRequest, isCrossOrigin } from "./request-fields.ts";
import type { Service } from "./service.ts";

export const PEER_PATH = "/v1/peer";

/** Methods that change nothing, so that any page may use them. */
const READS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const MAX_URL_PART_LENGTH = 8192;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const DEFAULT_MAX_CONNECTIONS = 10_000;
const DEFAULT_CLOSE_GRACE_MS = 1000;
const DEFAULT_EVENT_HEARTBEAT_MS = 15_000;
const DEFAULT_CLIENT_PROBE_MS = 30_000;

export interface ApiOptions {
  /** Takes the WebSocket handshakes of peers, at `/v1/peer`. The sockets are then the handler's; `close` cuts those still open. */
  readonly onPeerUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Told of faults in our own code that a request met; the caller of the API only gets `SYNOD_ERR_INTERNAL`. */
  readonly onFault?: (error: unknown, request: { readonly method: string; readonly url: string }) => void;
  /** Judges every call that changes members or leadership; absent: all are allowed. */
  readonly authorizes?: Authorizes;
  readonly maxConnections?: number;
  /** How long `close` waits for answers that are under way. */
  readonly closeGraceMs?: number;
  readonly eventHeartbeatMs?: number;
  readonly clientProbeMs?: number;
}

export interface Api {
  readonly server: Server;
  /** Resolves with the port it listens on; 0 asks for a free one. Rejects as `net.Server` does, with EADDRINUSE for instance. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly host: string; readonly port: number }>;
  /**
   * Stops accepting at once, answers what is under way, ends event streams, and closes client connections with code 1001. After
   * `closeGraceMs` whatever is open is cut, so that it ends within that bound. Repeated calls give the same promise.
   */
  close(): Promise<void>;
}

/** The HTTP and WebSocket API of one member. Nothing listens before `listen`. */
export function createApi(service: Service, options: ApiOptions = {}): Api {
  return new ApiServer(service, options);
}

class ApiServer implements Api {
  readonly server: Server;
  readonly #app: FastifyInstance;
  readonly #options: ApiOptions;
  readonly #gateway: ClientGateway;
  readonly #streams: EventStreams;
  readonly #sockets = new Set<Socket>();
  readonly #used = new WeakSet<Socket>();
  #closed: Promise<void> | null = null;

  constructor(service: Service, options: ApiOptions) {
    this.#options = options;
    this.#gateway = new ClientGateway(service, options.clientProbeMs ?? DEFAULT_CLIENT_PROBE_MS);
    this.#streams = new EventStreams(service, options.eventHeartbeatMs ?? DEFAULT_EVENT_HEARTBEAT_MS);
    this.#app = this.#createApp();
    this.server = this.#app.server;
    this.server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    this.server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.server.on("request", (request) => void this.#used.add(request.socket));
    this.server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#addHooks();
    this.#addErrorHandlers();
    void this.#app.register(async (scope) => addKvRoutes(scope, service));
    const guard = makeGuard(options.authorizes ?? (() => true));
    void this.#app.register(async (scope) => addMemberRoutes(scope, service, guard));
    void this.#app.register(async (scope) => addMembershipRoutes(scope, service, guard));
    this.#streams.addRoute(this.#app);
  }

  /** Listens itself, not through fastify, which for some host names opens further servers that would know no upgrades. */
  async listen({ host, port }: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }> {
    await this.#app.ready();
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ host, port }, () => {
        this.server.off("error", reject);
        resolve();
      });
    });
    const address = this.server.address();
    return { host, port: typeof address === "object" && address !== null ? address.port : port };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const ended = new Promise<void>((resolve) => void this.server.close(() => resolve()));
    this.#streams.close();
    this.#gateway.close();
    this.server.closeIdleConnections();
    const cut = setTimeout(() => this.#cutConnections(), this.#options.closeGraceMs ?? DEFAULT_CLOSE_GRACE_MS);
    await ended;
    clearTimeout(cut);
    await this.#app.close();
  }

  #cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #createApp(): FastifyInstance {
    return fastify({
      logger: false,
      exposeHeadRoutes: false,
      return503OnClosing: false,
      forceCloseConnections: false,
      routerOptions: { maxParamLength: MAX_URL_PART_LENGTH, querystringParser: () => ({}) },
      serverFactory: (handler) => createServer(SERVER_OPTIONS, handler),
      clientErrorHandler: (error, socket) => this.#refuseConnection(error, socket),
      frameworkErrors: (error, _request, reply) => sendError(reply, toSynodError(error) ?? new SynodError("SYNOD_ERR_INTERNAL")),
    });
  }

  #addHooks(): void {
    this.#app.removeContentTypeParser("text/plain");
    this.#app.addHook("onRequest", (request, reply, done) => {
      if (this.#closed !== null) {
        void reply.header("connection", "close");
        return done(new SynodError("SYNOD_ERR_STOPPING"));
      }
      if (!READS.has(request.method) && isCrossOrigin(request.headers)) {
        return done(badRequest("Pages of other origins may not write."));
      }
      done();
    });
    this.#app.addHook("onSend", (_request, reply, payload, done) => {
      if (this.#closed !== null) void reply.header("connection", "close");
      done(null, payload);
    });
  }

  #addErrorHandlers(): void {
    this.#app.setNotFoundHandler((_request, reply) => sendError(reply, new SynodError("SYNOD_ERR_NO_ROUTE")));
    this.#app.setErrorHandler((thrown, request, reply) => {
      const error = toSynodError(thrown);
      if (error === null) this.#options.onFault?.(thrown, { method: request.method, url: request.url });
      sendError(reply, error ?? new SynodError("SYNOD_ERR_INTERNAL"));
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const path = (request.url ?? "").split("?", 1)[0];
    if (this.#closed !== null) return refuseSocket(socket, new SynodError("SYNOD_ERR_STOPPING"));
    if (isCrossOrigin(request.headers)) return refuseSocket(socket, badRequest("Pages of other origins may not connect."));
    if (path === CLIENT_PATH) return this.#gateway.accept(request, socket, head);
    if (path === PEER_PATH && this.#options.onPeerUpgrade !== undefined) return this.#options.onPeerUpgrade(request, socket, head);
    refuseSocket(socket, new SynodError("SYNOD_ERR_NO_ROUTE"));
  }

  /**
   * Answers on a connection whose bytes are not HTTP, whose headers are too large, or which took too long. Behind a request that
   * may be under way nothing is said: it would be taken for that request's answer.
   */
  #refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable || this.#used.has(socket)) return void socket.destroy();
    refuseSocket(socket, badRequest(`Not a valid HTTP request: ${error.message}.`));
  }
}

/** Only WebSocket handshakes count as upgrades: others, such as the h2c that some tools offer, are served as plain requests. */
const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === "websocket",
};
