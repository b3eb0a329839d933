import type { Operation } from "./operation.ts";

/** The revisions that a client saw last, by key: what its next compare-and-set is conditioned on. */
export class LastSeen {
  readonly #revisions = new Map<string, number>();

  /** 0 for a key that was not seen, or is absent. */
  of(key: string): number {
    return this.#revisions.get(key) ?? 0;
  }

  learn(operation: Operation): void {
    if (operation.outcome !== "ok") return;
    const { result, key } = operation;
    if (result.is === "absent" || (result.is === "written" && !("value" in operation))) this.#revisions.delete(key);
    else if (result.is !== "refused") this.#revisions.set(key, result.revision);
    else if (operation.op === "cas" && operation.prevRevision === 0) this.#revisions.delete(key);
  }
}
