import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { peerUrl } from "./address.ts";
import type { Cancel, Clock } from "./clock.ts";
import type { TransportLimits } from "./limits.ts";

export interface DialerOptions {
  readonly limits: TransportLimits;
  readonly clock: Clock;
  random(): number;
  /** host:port of the peer as known now. */
  resolve(): string | null | Promise<string | null>;
  /** Begins a ws connection; its close must be tracked by the caller. */
  connect(url: URL): WebSocket;
  /** The ws is open. The dialer rests until it is told to dial again. */
  opened(ws: WebSocket, socket: Socket): void;
}

/** Dials one peer, again and again with jittered back-off, until a ws is open or it is stopped. */
export class Dialer {
  readonly #options: DialerOptions;
  #cancelTimer: Cancel | null = null;
  /** What an earlier attempt still reports is known by its older number. */
  #attempt = 0;
  #failures = 0;
  #connecting: WebSocket | null = null;
  #dialling = false;
  #address: string | null = null;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** An address is being looked for or connected to. */
  get dialling(): boolean {
    return this.#dialling;
  }

  /** The address dialled last. */
  get address(): string | null {
    return this.#address;
  }

  /** Dials at once. */
  dialNow(): void {
    this.stop();
    this.#dialling = true;
    const attempt = this.#attempt;
    this.#cancelTimer = this.#options.clock.schedule(this.#options.limits.dialTimeoutMs, () => this.dialLater());
    this.#resolve().then(
      (address) => this.#connect(attempt, address),
      () => this.#failed(attempt),
    );
  }

  /** Dials after a back-off that doubles with every call. */
  dialLater(): void {
    this.stop();
    const { limits, clock } = this.#options;
    const ceiling = Math.min(limits.backoffMaxMs, limits.backoffMinMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    this.#cancelTimer = clock.schedule(ceiling * (0.5 + this.#options.random() / 2), () => this.dialNow());
  }

  /** Gives up whatever is under way; nothing happens until the next call. */
  stop(): void {
    this.#attempt += 1;
    this.#dialling = false;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#connecting?.terminate();
    this.#connecting = null;
  }

  /** The next back-off is the shortest again. */
  resetBackoff(): void {
    this.#failures = 0;
  }

  async #resolve(): Promise<string | null> {
    return this.#options.resolve();
  }

  #connect(attempt: number, address: string | null): void {
    if (attempt !== this.#attempt) return;
    const url = address === null ? null : peerUrl(address);
    this.#address = address ?? this.#address;
    if (url === null) return this.#failed(attempt);
    const ws = this.#options.connect(url);
    this.#connecting = ws;
    let socket: Socket | null = null;
    ws.once("upgrade", (response) => (socket = response.socket));
    ws.once("close", () => this.#failed(attempt));
    ws.once("open", () => this.#opened(attempt, ws, socket));
  }

  #opened(attempt: number, ws: WebSocket, socket: Socket | null): void {
    if (attempt !== this.#attempt || socket === null) return ws.terminate();
    this.#connecting = null;
    this.stop();
    this.#options.opened(ws, socket);
  }

  #failed(attempt: number): void {
    if (attempt === this.#attempt) this.dialLater();
  }
}
