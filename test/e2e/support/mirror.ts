import { setTimeout as pause } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import type { Api, List } from "./api.ts";

const RESUME_AFTER_MS = 200;

/** The objects of one collection as the API server tells of them: listed once, then watched, and listed anew after whatever ends the watch. */
export class Mirror<T extends KubernetesObject = KubernetesObject> {
  readonly #api: Api;
  readonly #path: string;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  readonly #objects = new Map<string, T>();
  readonly #ended: Promise<void>;
  /** Whether the last attempt to list or watch went well, so that what is mirrored is not old. */
  fresh = false;

  /** `path` is the collection's, such as /api/v1/namespaces/x/pods. `onChange` is called after every event. */
  constructor(api: Api, path: string, onChange: () => void) {
    this.#api = api;
    this.#path = path;
    this.#onChange = onChange;
    this.#ended = this.#follow();
  }

  /** In the order of their names, numbers as numbers. */
  get all(): readonly T[] {
    return [...this.#objects.values()].sort((a, b) => nameOf(a).localeCompare(nameOf(b), "en", { numeric: true }));
  }

  named(name: string): T | null {
    return this.#objects.get(name) ?? null;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#listAndWatch(signal).catch(() => {});
      this.fresh = false;
      await pause(RESUME_AFTER_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #listAndWatch(signal: AbortSignal): Promise<void> {
    const { items, metadata } = await this.#api.json<List>(this.#path, { signal });
    this.#objects.clear();
    for (const item of items) this.#objects.set(nameOf(item), item as T);
    this.fresh = true;
    this.#onChange();
    for await (const { type, object } of this.#api.watch(this.#path, metadata.resourceVersion, signal)) {
      if (type === "ERROR") return;
      if (type === "DELETED") this.#objects.delete(nameOf(object));
      else this.#objects.set(nameOf(object), object as T);
      this.#onChange();
    }
  }
}

const nameOf = (object: KubernetesObject): string => object.metadata?.name ?? "";
