import type { Context } from "./context.ts";
import type { Incarnation } from "./ids.ts";
import type { Leader } from "./leader.ts";

/**
 * Handing leadership over (rule 12): proposals wait, the target catches up, then it is told to campaign at once. If no
 * higher ballot shows up within an election timeout the transfer has failed and the leader goes on.
 */
export class Transfer {
  readonly target: Incarnation;
  readonly #context: Context;
  readonly #leader: Leader;
  readonly #deadlineMs: number;
  #sent = false;

  constructor(context: Context, leader: Leader, target: Incarnation) {
    this.#context = context;
    this.#leader = leader;
    this.target = target;
    this.#deadlineMs = context.nowMs + context.timings.electionTimeoutMs;
    leader.held = true;
    context.outbox.emit({ type: "transferStarted", ballot: leader.ballot, to: target });
  }

  /** When it has failed. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Tells the target once it holds everything. False: out of time, and the transfer has failed. */
  pump(): boolean {
    const { nowMs, outbox } = this.#context;
    if (nowMs >= this.#deadlineMs) {
      this.#leader.held = false;
      outbox.emit({ type: "transferFailed", ballot: this.#leader.ballot, to: this.target });
      return false;
    }
    if (!this.#sent && this.#leader.isCaughtUp(this.target)) {
      this.#sent = true;
      const nonce = this.#context.nextNonce();
      outbox.send(this.target, { type: "transferLeadership", ballot: this.#leader.ballot, nonce });
    }
    return true;
  }
}
