import type { Acceptor } from "./acceptor.ts";
import type { Context } from "./context.ts";
import type { Slot } from "./ids.ts";
import type { Learner } from "./learner.ts";

/**
 * Whether what this member accepted comes to be chosen. A leader hears voters whose disks hang, too; where it needs one of those for a
 * quorum it gets nothing chosen, and somebody who reaches others may do better (rules 8 and 9).
 */
export class ChoiceWatch {
  readonly #context: Context;
  readonly #acceptor: Acceptor;
  readonly #learner: Learner;
  #chosenThrough = 0 as Slot;
  /** Since when something that was accepted at the promised ballot waits and nothing was chosen; null: nothing waits. */
  #waitingSinceMs: number | null = null;

  constructor(context: Context, acceptor: Acceptor, learner: Learner) {
    this.#context = context;
    this.#acceptor = acceptor;
    this.#learner = learner;
  }

  /** To be called after each group of inputs. */
  note(): void {
    const { acceptedThrough } = this.#acceptor;
    const { heardThrough } = this.#learner;
    if (acceptedThrough <= heardThrough) this.#waitingSinceMs = null;
    else if (this.#waitingSinceMs === null || heardThrough > this.#chosenThrough) this.#waitingSinceMs = this.#context.nowMs;
    this.#chosenThrough = heardThrough;
  }

  /** Nothing was chosen, though something waits, for as long as a disk may answer nothing. */
  stalled(): boolean {
    this.note();
    const { nowMs, timings } = this.#context;
    return this.#waitingSinceMs !== null && nowMs - this.#waitingSinceMs >= timings.diskStallMs;
  }
}
