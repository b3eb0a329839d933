import { assert } from "../codec/assert.ts";
import { type Ballot, compareBallots } from "./ballot.ts";
import type { Slot } from "./ids.ts";
import type { ValueBytes } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { bytesEqual } from "./replica-log.ts";

interface Pending {
  readonly proposalId: number;
  readonly origin: Ballot;
  readonly value: ValueBytes;
}

/**
 * What this life proposed and has not seen settled. A value names the ballot it was first proposed in, so equal bytes in
 * the same slot are this member's own, whoever got them chosen.
 */
export class Proposals {
  readonly #outbox: Outbox;
  readonly #pending = new Map<number, Pending>();

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  get size(): number {
    return this.#pending.size;
  }

  add(slot: Slot, proposalId: number, origin: Ballot, value: ValueBytes): void {
    const displaced = this.#pending.get(slot);
    // A later ballot of this member found the slot free in its phase 1, so the earlier value is held by too few to tell.
    if (displaced !== undefined) {
      assert(compareBallots(displaced.origin, origin) < 0, "a ballot proposes once in a slot");
      this.#outbox.failProposal(displaced.proposalId, "unknown");
    }
    this.#pending.set(slot, { proposalId, origin, value });
  }

  /** `value` is chosen in `slot`: the id of the proposal that is answered by it, if any. */
  settle(slot: Slot, value: ValueBytes): number | null {
    const pending = this.#pending.get(slot);
    if (pending === undefined) return null;
    this.#pending.delete(slot);
    if (bytesEqual(pending.value, value)) return pending.proposalId;
    this.#outbox.failProposal(pending.proposalId, "superseded");
    return null;
  }

  /** A later leader's barrier is chosen at `slot`: what was proposed above it before that ballot may or may not survive. */
  abandonBelow(ballot: Ballot, slot: Slot): void {
    for (const [at, pending] of this.#pending) {
      if (at > slot && compareBallots(pending.origin, ballot) < 0) this.#abandon(at, pending);
    }
  }

  /** A snapshot replaced everything up to `slot`, so what became of proposals there cannot be seen any more. */
  abandonThrough(slot: Slot): void {
    for (const [at, pending] of this.#pending) if (at <= slot) this.#abandon(at, pending);
  }

  /** This member left at `slot`, so nobody will tell it what becomes of what it proposed above. */
  abandonAbove(slot: Slot): void {
    for (const [at, pending] of this.#pending) if (at > slot) this.#abandon(at, pending);
  }

  #abandon(slot: number, pending: Pending): void {
    this.#pending.delete(slot);
    this.#outbox.failProposal(pending.proposalId, "unknown");
  }
}
