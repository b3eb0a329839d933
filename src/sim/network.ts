import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { World } from "./world.ts";

/** How messages travel in one run. */
export interface NetworkFaults {
  /** Milliseconds that a message takes, at least; it takes more as often as chance has it. */
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** Probabilities, of each message. */
  readonly loss: number;
  readonly repetition: number;
  readonly reordering: number;
}

/** One end of the links: a machine. */
export interface Endpoint {
  /** It has a process that listens. */
  readonly reachable: boolean;
  receive(from: number, bytes: Uint8Array): void;
  linkUp(peer: number): void;
  linkDown(peer: number): void;
}

const RECONNECT_MS = 20;
/** A link over which nothing gets through is given up after this long. */
const GIVE_UP_MS = 1_500;

interface Pair {
  up: boolean;
  /** Rises whenever the link comes up or goes down: what is under way belongs to one life of it. */
  life: number;
}

/** Links between machines: one for each pair, made again and again, over paths that can be cut in one direction. */
export class Network {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #faults: () => NetworkFaults;
  readonly #endpoints: readonly Endpoint[];
  readonly #pairs = new Map<string, Pair>();
  readonly #cut = new Set<string>();
  readonly #lastArrivalMs = new Map<string, number>();
  messages = 0;

  constructor(world: World, faults: () => NetworkFaults, endpoints: readonly Endpoint[]) {
    this.#world = world;
    this.#random = world.random.fork();
    this.#faults = faults;
    this.#endpoints = endpoints;
  }

  /** A machine's process listens and dials: links to it come up wherever they can. */
  open(machine: number): void {
    for (let peer = 1; peer <= this.#endpoints.length; peer++) if (peer !== machine) this.#connectLater(machine, peer);
  }

  /** Nothing gets from `from` to `to` any more. */
  cut(from: number, to: number): void {
    this.#cut.add(path(from, to));
    this.#world.after(GIVE_UP_MS * (0.5 + this.#random.next()), () => {
      if (this.#cut.has(path(from, to))) this.breakLink(from, to);
    });
  }

  /** Everything gets everywhere again. */
  heal(): void {
    this.#cut.clear();
    for (let machine = 1; machine <= this.#endpoints.length; machine++) this.open(machine);
  }

  isUp(a: number, b: number): boolean {
    return this.#pairs.get(pairName(a, b))?.up === true;
  }

  breakLink(a: number, b: number): void {
    const pair = this.#pair(a, b);
    if (!pair.up) return;
    pair.up = false;
    pair.life += 1;
    for (const [self, peer] of [[a, b], [b, a]] as const) if (this.#end(self).reachable) this.#end(self).linkDown(peer);
    this.#connectLater(a, b);
  }

  /** A machine's process is gone: its peers see their links close. */
  close(machine: number): void {
    for (let peer = 1; peer <= this.#endpoints.length; peer++) if (peer !== machine) this.breakLink(machine, peer);
  }

  /**
   * False: there is no link. The protocol's own messages may come twice; a real link is a connection that repeats nothing, and what
   * members ask of each other beside the protocol, such as forwarded writes, relies on that.
   */
  send(from: number, to: number, bytes: Uint8Array, mayRepeat: boolean): boolean {
    const pair = this.#pair(from, to);
    if (!pair.up) return false;
    this.messages += 1;
    const { loss, repetition } = this.#faults();
    if (this.#cut.has(path(from, to)) || this.#random.chance(loss)) return true;
    this.#deliverLater(from, to, bytes, pair);
    if (mayRepeat && this.#random.chance(repetition)) this.#deliverLater(from, to, bytes, pair);
    return true;
  }

  #deliverLater(from: number, to: number, bytes: Uint8Array, pair: Pair): void {
    const { latencyMs, jitterMs, reordering } = this.#faults();
    const { life } = pair;
    let arrivalMs = this.#world.nowMs + latencyMs + jitterMs * this.#random.next() ** 3;
    const way = path(from, to);
    if (!this.#random.chance(reordering)) {
      arrivalMs = Math.max(arrivalMs, this.#lastArrivalMs.get(way) ?? 0);
      this.#lastArrivalMs.set(way, arrivalMs);
    }
    this.#world.after(arrivalMs - this.#world.nowMs, () => {
      if (pair.life === life && this.#end(to).reachable) this.#end(to).receive(from, bytes);
    });
  }

  /** Whoever could not be reached then is dialled again when it starts, or when its path is healed. */
  #connectLater(a: number, b: number): void {
    this.#world.after(RECONNECT_MS * (0.5 + this.#random.next()), () => this.#connect(a, b));
  }

  #connect(a: number, b: number): void {
    const pair = this.#pair(a, b);
    const open = !this.#cut.has(path(a, b)) && !this.#cut.has(path(b, a));
    if (pair.up || !open || !this.#end(a).reachable || !this.#end(b).reachable) return;
    pair.up = true;
    pair.life += 1;
    this.#end(a).linkUp(b);
    this.#end(b).linkUp(a);
  }

  #pair(a: number, b: number): Pair {
    const name = pairName(a, b);
    let pair = this.#pairs.get(name);
    if (pair === undefined) this.#pairs.set(name, (pair = { up: false, life: 0 }));
    return pair;
  }

  #end(machine: number): Endpoint {
    return this.#endpoints[machine - 1] as Endpoint;
  }
}

const path = (from: number, to: number): string => `${from}>${to}`;
const pairName = (a: number, b: number): string => `${Math.min(a, b)}-${Math.max(a, b)}`;
