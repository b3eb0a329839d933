import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { Way } from "./partitions.ts";
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
  /** Probability that a message of the protocol is held for seconds, and comes whatever has become of its link meanwhile. */
  readonly lateness: number;
}

/** One end of the links: a machine. */
export interface Endpoint {
  /** It has a process that listens. */
  readonly reachable: boolean;
  /** The newest version of what members write to each other that its process knows. */
  readonly version: number;
  /** How many durable records it has. */
  readonly records: number;
  /** Whether it takes a peer that comes with so many durable records for what it says it is (rule 13). */
  admits(peer: number, records: number): boolean;
  /** It was not admitted by `peer`. */
  refused(peer: number): void;
  receive(from: number, bytes: Uint8Array): void;
  /** Both sides write `version` on the link. */
  linkUp(peer: number, version: number): void;
  linkDown(peer: number): void;
}

const RECONNECT_MS = 20;
/** A link over which nothing gets through is given up after this long. */
const GIVE_UP_MS = 1_500;
const LATEST_MS = 4_000;

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
  /** By the pair's path. */
  readonly #pairs: Pair[];
  /** How many cuts there are of each way: they overlap. */
  readonly #cuts = new Map<number, number>();
  /** By path: what is not overtaken arrives no earlier than this. */
  readonly #lastArrivalMs: Float64Array;
  messages = 0;
  /** How often each of its faults befell a message. */
  readonly drawn: Record<"lateness" | "loss" | "repetition" | "reordering", number> = { lateness: 0, loss: 0, repetition: 0, reordering: 0 };

  constructor(world: World, faults: () => NetworkFaults, endpoints: readonly Endpoint[]) {
    this.#world = world;
    this.#random = world.random.fork();
    this.#faults = faults;
    this.#endpoints = endpoints;
    const paths = (endpoints.length + 1) ** 2;
    this.#pairs = Array.from({ length: paths }, () => ({ up: false, life: 0 }));
    this.#lastArrivalMs = new Float64Array(paths);
  }

  /** A machine's process listens and dials: links to it come up wherever they can. */
  open(machine: number): void {
    for (let peer = 1; peer <= this.#endpoints.length; peer++) if (peer !== machine) this.#connectLater(machine, peer);
  }

  /** Nothing gets along these ways until they are mended as often as they were cut. */
  cut(ways: readonly Way[]): void {
    for (const [from, to] of ways) {
      this.#cuts.set(this.#path(from, to), (this.#cuts.get(this.#path(from, to)) ?? 0) + 1);
      this.#world.after(GIVE_UP_MS * (0.5 + this.#random.next()), () => {
        if (this.#isCut(from, to)) this.breakLink(from, to);
      });
    }
  }

  mend(ways: readonly Way[]): void {
    for (const [from, to] of ways) {
      const left = (this.#cuts.get(this.#path(from, to)) ?? 1) - 1;
      if (left > 0) this.#cuts.set(this.#path(from, to), left);
      else this.#cuts.delete(this.#path(from, to));
      if (left <= 0) this.#connectLater(from, to);
    }
  }

  /** Everything gets everywhere again. */
  heal(): void {
    this.#cuts.clear();
    for (let machine = 1; machine <= this.#endpoints.length; machine++) this.open(machine);
  }

  #isCut(from: number, to: number): boolean {
    return this.#cuts.has(this.#path(from, to));
  }

  isUp(a: number, b: number): boolean {
    return this.#pair(a, b).up;
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
    const { loss, repetition, lateness } = this.#faults();
    if (mayRepeat && lateness > 0 && this.#befalls("lateness", lateness)) this.#deliverLate(from, to, bytes);
    if (this.#cuts.size > 0 && this.#isCut(from, to)) return true;
    if (loss > 0 && this.#befalls("loss", loss)) return true;
    this.#deliverLater(from, to, bytes, pair);
    if (mayRepeat && repetition > 0 && this.#befalls("repetition", repetition)) this.#deliverLater(from, to, bytes, pair);
    return true;
  }

  #befalls(fault: keyof Network["drawn"], probability: number): boolean {
    const befalls = this.#random.chance(probability);
    if (befalls) this.drawn[fault] += 1;
    return befalls;
  }

  /** A copy that was held up somewhere: it comes when nobody expects it any more. */
  #deliverLate(from: number, to: number, bytes: Uint8Array): void {
    this.#world.after(LATEST_MS * this.#random.next() ** 2, () => {
      if (this.#end(to).reachable) this.#end(to).receive(from, bytes);
    });
  }

  #deliverLater(from: number, to: number, bytes: Uint8Array, pair: Pair): void {
    const { latencyMs, jitterMs, reordering } = this.#faults();
    const { life } = pair;
    let arrivalMs = this.#world.nowMs + latencyMs + jitterMs * this.#random.next() ** 3;
    if (reordering === 0 || !this.#befalls("reordering", reordering)) {
      const way = this.#path(from, to);
      arrivalMs = Math.max(arrivalMs, this.#lastArrivalMs[way] as number);
      this.#lastArrivalMs[way] = arrivalMs;
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
    const open = !this.#isCut(a, b) && !this.#isCut(b, a);
    if (pair.up || !open || !this.#end(a).reachable || !this.#end(b).reachable) return;
    if (!this.#admits(a, b) || !this.#admits(b, a)) return;
    pair.up = true;
    pair.life += 1;
    const version = Math.min(this.#end(a).version, this.#end(b).version);
    this.#end(a).linkUp(b, version);
    this.#end(b).linkUp(a, version);
  }

  #admits(host: number, guest: number): boolean {
    const admitted = this.#end(host).admits(guest, this.#end(guest).records);
    if (!admitted) this.#end(guest).refused(host);
    return admitted;
  }

  #pair(a: number, b: number): Pair {
    return this.#pairs[a < b ? this.#path(a, b) : this.#path(b, a)] as Pair;
  }

  #path(from: number, to: number): number {
    return from * (this.#endpoints.length + 1) + to;
  }

  #end(machine: number): Endpoint {
    return this.#endpoints[machine - 1] as Endpoint;
  }
}
