import { ClientConnection } from "./connection.ts";
import type { Timers } from "./timers.ts";

const FIRST_DELAY_MS = 20;
const MAX_DELAY_MS = 500;
const MAX_DOUBLINGS = 5;
const PROBE_INTERVAL_MS = 1000;
/** How long one endpoint may take to open before the next is tried beside it: a name may still stand for an address where nobody is any more. */
const HEDGE_AFTER_MS = 250;

/**
 * Keeps a connection to one of several endpoints, and turns to the next one when it is lost. While one is slow to open the next are tried
 * beside it, at most one for each endpoint; the first that opens is used, and the others are given up.
 */
export class Connector {
  readonly #urls: readonly string[];
  readonly #timers: Timers;
  readonly #onUp: () => void;
  readonly #all = new Set<ClientConnection>();
  #next = 0;
  #attempts = 0;
  /** Open, or it was until now. */
  #chosen: ClientConnection | null = null;
  readonly #opening = new Set<ClientConnection>();
  /** Of the next attempt to connect: after one that failed, or beside one that is slow. */
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
      onOpen: () => this.#opened(connection),
      onClose: (reason) => this.#lost(connection, reason),
    });
    this.#opening.add(connection);
    this.#all.add(connection);
    this.#cancelDelay();
    if (this.#opening.size < this.#urls.length) this.#cancelDelay = this.#timers.after(HEDGE_AFTER_MS, () => this.#connect());
  }

  #opened(connection: ClientConnection): void {
    this.#opening.delete(connection);
    if (this.#closed) return;
    this.#cancelDelay();
    this.#chosen = connection;
    const slower = [...this.#opening];
    this.#opening.clear();
    for (const other of slower) other.cut("another member answered first");
    this.#onUp();
  }

  #connectLater(): void {
    if (this.#closed) return;
    const delayMs = this.#delayMs();
    this.#attempts += 1;
    this.#cancelDelay();
    this.#cancelDelay = this.#timers.after(delayMs, () => this.#connect());
  }

  /** The next endpoint's turn is at once when a member that served is gone; only who finds no member at all has to go easy. */
  #delayMs(): number {
    if (this.#attempts === 0 && this.#urls.length > 1) return 0;
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempts, MAX_DOUBLINGS));
    return delayMs * (0.5 + this.#timers.random() / 2);
  }

  #lost(connection: ClientConnection, reason: string): void {
    this.#all.delete(connection);
    const wasOpening = this.#opening.delete(connection);
    const wasChosen = connection === this.#chosen;
    if (wasOpening || wasChosen) {
      this.lastFailure = `${connection.url}: ${reason}`;
      if (wasChosen) this.#chosen = null;
      if (this.#chosen === null) this.#connectLater();
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
