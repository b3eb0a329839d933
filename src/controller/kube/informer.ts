import type { KubernetesObject } from "@kubernetes/client-node";
import { backOffMs } from "./back-off.ts";
import type { KubeClient, WatchEvent } from "./client.ts";
import { type Clock, pause } from "./clock.ts";
import { isOutcome } from "./kube-error.ts";
import type { Place } from "./resources.ts";

export interface InformerOptions<Kept> {
  readonly client: Pick<KubeClient, "list" | "watch">;
  readonly clock: Clock;
  /** What is watched: a kind in one namespace, or in all. */
  readonly place: Place;
  readonly labelSelector?: string;
  /** What of an object is kept; the rest is forgotten at once. */
  readonly keep: (object: KubernetesObject) => Kept;
  /** An object appeared, changed, or went. What it throws is reported and has no other effect. */
  readonly onChange: (kept: Kept, change: "set" | "deleted") => void;
  readonly onError: (error: unknown) => void;
  /** How often everything is listed anew although no error asks for it, in milliseconds. */
  readonly relistMs?: number;
}

const RELIST_MS = 5 * 60_000;
const WATCH_SECONDS = 60;
const BACK_OFF = { firstMs: 200, mostMs: 10_000 };
/** A watch that ends sooner than this counts as one that failed, or a server that closes at once would be asked without pause. */
const SHORT_WATCH_MS = 1_000;

interface Entry<Kept> {
  readonly uid: string;
  readonly version: string;
  readonly kept: Kept;
}

/**
 * Keeps up with all objects of one kind: lists them, then watches, and goes on after every error, with back-off, until it is stopped. Between
 * two lists nothing that the server told is lost, and what happened while no watch was open shows at the next list, deletions too.
 */
export class Informer<Kept> {
  readonly #options: InformerOptions<Kept>;
  readonly #stop = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  #entries = new Map<string, Entry<Kept>>();
  #running: Promise<void> | null = null;
  #failures = 0;
  #version = "";

  constructor(options: InformerOptions<Kept>) {
    this.#options = options;
  }

  /** Resolves once everything was listed for the first time; never, when it is stopped before. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  values(): Kept[] {
    return [...this.#entries.values()].map(({ kept }) => kept);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** After this resolves nothing is asked or told any more. It cannot be started again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, relistMs = RELIST_MS } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (!(await this.#attempt(() => this.#list()))) continue;
      this.#synced.resolve();
      const relistAt = clock.now() + relistMs;
      while (!signal.aborted && this.#version !== "" && clock.now() < relistAt) await this.#attempt(() => this.#watch());
    }
  }

  /** False when it failed, after the pause that the next attempt has to wait. */
  async #attempt(what: () => Promise<void>): Promise<boolean> {
    const { clock, onError } = this.#options;
    try {
      await what();
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      // From that version on nothing can be told: the list is read again, at once unless it goes on like that.
      if (isOutcome(error, "gone")) this.#version = "";
      else onError(error);
      this.#failures += 1;
      await pause(clock, backOffMs(BACK_OFF, this.#failures, clock.random()), this.#stop.signal);
      return false;
    }
  }

  async #list(): Promise<void> {
    const { client, place, labelSelector } = this.#options;
    const { items, resourceVersion } = await client.list(place, labelSelector === undefined ? {} : { labelSelector });
    if (this.#stop.signal.aborted) return;
    const before = this.#entries;
    const present = new Set(items.map(keyOf));
    for (const object of items) this.#set(object);
    for (const [key, { kept }] of before) if (!present.has(key)) this.#drop(key, kept);
    this.#version = resourceVersion;
  }

  async #watch(): Promise<void> {
    const { client, clock, place, labelSelector } = this.#options;
    const { signal } = this.#stop;
    const startedAt = clock.now();
    await client.watch(place, {
      resourceVersion: this.#version, seconds: WATCH_SECONDS, signal, onEvent: (event) => this.#take(event),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });
    if (signal.aborted || clock.now() - startedAt >= SHORT_WATCH_MS) return;
    this.#failures += 1;
    await pause(clock, backOffMs(BACK_OFF, this.#failures, clock.random()), signal);
  }

  #take({ type, object }: WatchEvent): void {
    if (this.#stop.signal.aborted) return;
    this.#failures = 0;
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    if (type === "ADDED" || type === "MODIFIED") this.#set(object);
    else if (type === "DELETED") this.#drop(keyOf(object), this.#options.keep(object));
  }

  #set(object: KubernetesObject): void {
    const key = keyOf(object);
    const { resourceVersion: version = "", uid = "" } = object.metadata ?? {};
    const present = this.#entries.get(key);
    if (version !== "" && present?.version === version) return;
    // Deleted and made again while nobody watched: two objects, not one that changed.
    if (present !== undefined && present.uid !== uid) this.#drop(key, present.kept);
    const kept = this.#options.keep(object);
    this.#entries.set(key, { uid, version, kept });
    this.#tell(kept, "set");
  }

  #drop(key: string, kept: Kept): void {
    this.#entries.delete(key);
    this.#tell(kept, "deleted");
  }

  #tell(kept: Kept, change: "set" | "deleted"): void {
    try {
      this.#options.onChange(kept, change);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}
