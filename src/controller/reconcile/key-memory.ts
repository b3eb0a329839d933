import type { ClusterKeys } from "../members/keys.ts";

const MAX_CLUSTERS = 1_000;

/**
 * The last known keys of each cluster, by the uid of its PaxosCluster. With them a Secret that was lost is rolled instead of swapped: its
 * successor names the old key as the previous one, which the members still have.
 */
export class KeyMemory {
  readonly #keys = new Map<string, ClusterKeys>();

  note(uid: string, keys: ClusterKeys): void {
    this.#keys.delete(uid);
    this.#keys.set(uid, keys);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > MAX_CLUSTERS && oldest !== undefined) this.#keys.delete(oldest);
  }

  of(uid: string): ClusterKeys | null {
    return this.#keys.get(uid) ?? null;
  }

  forget(uid: string): void {
    this.#keys.delete(uid);
  }
}
