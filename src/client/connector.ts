import { ClientConnection } from "./connection.ts";
import type { Timers } from "./timers.ts";

const FIRST_DELAY_MS = 20;
const MAX_DELAY_MS = 500;
const MAX_DOUBLINGS = 5;
const PROBE_INTERVAL_MS = 1000;

/** Keeps a connection to one of several endpoints, and turns to the next one when it is lost. */
export class Connector {
  readonly #urls: readonly string[];
  readonly #timers: Timers;
  readonly #onUp: () => void;
  readonly #all = new Set<ClientConnection>();
  #next = 0;
  #attempts = 0;
  /** Open, or still opening. */
  #chosen: ClientConnection | null = null;
  #cancelDelay: () => void = () => {};
  #cancelProbe: () => void;
  #closed = false;
  #onDrained: () => void = () => {};

  /** `urls` has at least one. `onUp` is called whenever a connection has opened. Starts to connect at once. */
  constructor(urls: readonly string[], timers: Timers, onUp: () => void) {
    this.#urls = urls;
    this.#timers = timers;
    this.#onUp = onUp;
    this.#cancelProbe = timers.after(PROBE_INTERVAL_MS, () => this.#probe());
    this.#connect();
  }

  /** The connection to use, or null while there is none. */
  get current(): ClientConnection | null {
    return this.#chosen?.isOpen === true ? this.#chosen : null;
  }

  /** Why there is no connection, as far as known. */
  lastFailure = "no connection is open yet";

  /** A member has done what it was asked: the delay before the next attempt to connect is short again. */
  succeeded(): void {
    this.#attempts = 0;
  }

  /** The member behind `connection` does not serve. What it still answers is waited for; new requests go to the next endpoint. */
  abandon(connection: ClientConnection): void {
    if (connection !== this.#chosen || this.#urls.length === 1) return;
    this.#chosen = null;
    connection.retire();
    this.#connectLater();
  }

  /** Closes every connection behind its last answer; after `graceMs` those that are left are cut. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.#cancelDelay();
    this.#cancelProbe();
    const drained = new Promise<void>((resolve) => (this.#onDrained = resolve));
    const cancelCut = this.#timers.after(graceMs, () => this.#cutAll());
    for (const connection of this.#all) connection.retire();
    if (this.#all.size === 0) this.#onDrained();
    await drained;
    cancelCut();
  }

  #connect(): void {
    const url = this.#urls[this.#next % this.#urls.length] as string;
    this.#next += 1;
    const connection: ClientConnection = new ClientConnection(url, {
      onOpen: () => this.#onUp(),
      onClose: (reason) => this.#lost(connection, reason),
    });
    this.#chosen = connection;
    this.#all.add(connection);
  }

  #connectLater(): void {
    if (this.#closed) return;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempts, MAX_DOUBLINGS));
    this.#attempts += 1;
    this.#cancelDelay();
    this.#cancelDelay = this.#timers.after(delayMs * (0.5 + this.#timers.random() / 2), () => this.#connect());
  }

  #lost(connection: ClientConnection, reason: string): void {
    this.#all.delete(connection);
    this.lastFailure = `${connection.url}: ${reason}`;
    if (connection === this.#chosen) {
      this.#chosen = null;
      this.#connectLater();
    }
    if (this.#all.size === 0) this.#onDrained();
  }

  #probe(): void {
    for (const connection of this.#all) connection.probe();
    this.#cancelProbe = this.#timers.after(PROBE_INTERVAL_MS, () => this.#probe());
  }

  #cutAll(): void {
    for (const connection of this.#all) connection.cut("the client was closed");
  }
}
