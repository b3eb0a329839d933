import type { ByteString } from "./key.ts";
import type { StateLimits } from "./limits.ts";
import { numberMap, type OrderedMap } from "./ordered-map.ts";
import type { Remembered } from "./remembered.ts";

/** A request that came with an idempotency key. Never changed, so snapshots may share it. */
export interface IdempotencyEntry {
  /** Counts the entries ever made: the order of age. */
  readonly ordinal: number;
  /** The idempotency key's UTF-8. */
  readonly key: ByteString;
  /** Log time at which the request was executed. */
  readonly timeMs: number;
  readonly remembered: Remembered;
}

/** Forgetting is spread over commands, so that a jump of log time does not hold up one of them. */
const EXPIRED_PER_COMMAND = 8;

/**
 * What requests with an idempotency key came to, for a window in count and log time. An entry's window starts when it is made
 * and is not extended by retries. An entry past its window is not found any more, even before `expire` gets to it.
 */
export class IdempotencyTable {
  readonly #limits: StateLimits;
  readonly #byKey = new Map<ByteString, IdempotencyEntry>();
  readonly #byAge: OrderedMap<number, IdempotencyEntry>;
  #oldest: IdempotencyEntry | undefined;
  #nextOrdinal: number;

  constructor(limits: StateLimits, nextOrdinal = 0) {
    this.#limits = limits;
    this.#byAge = numberMap();
    this.#nextOrdinal = nextOrdinal;
  }

  get size(): number {
    return this.#byAge.size;
  }

  get nextOrdinal(): number {
    return this.#nextOrdinal;
  }

  find(key: ByteString, logTimeMs: number): Remembered | null {
    const entry = this.#byKey.get(key);
    return entry === undefined || this.#isExpired(entry, logTimeMs) ? null : entry.remembered;
  }

  /** Remembers a request whose key was not found. */
  remember(key: ByteString, remembered: Remembered, logTimeMs: number): void {
    const expired = this.#byKey.get(key);
    if (expired !== undefined) this.#forget(expired);
    if (this.#byAge.size >= this.#limits.maxIdempotencyKeys && this.#oldest !== undefined) this.#forget(this.#oldest);
    this.load({ ordinal: this.#nextOrdinal, key, timeMs: logTimeMs, remembered });
    this.#nextOrdinal += 1;
  }

  /** Adds an entry as a snapshot has it; entries come in the order of age. */
  load(entry: IdempotencyEntry): void {
    this.#byKey.set(entry.key, entry);
    this.#byAge.set(entry.ordinal, entry);
    this.#oldest ??= entry;
  }

  /** Forgets some of what is past its window. Called once for each command, at the same points on all members. */
  expire(logTimeMs: number): void {
    for (let count = 0; count < EXPIRED_PER_COMMAND; count++) {
      if (this.#oldest === undefined || !this.#isExpired(this.#oldest, logTimeMs)) return;
      this.#forget(this.#oldest);
    }
  }

  /** A copy of the entries by age, in O(1), that later changes do not touch. */
  freeze(): OrderedMap<number, IdempotencyEntry> {
    return this.#byAge.clone();
  }

  #isExpired(entry: IdempotencyEntry, logTimeMs: number): boolean {
    return logTimeMs - entry.timeMs > this.#limits.idempotencyWindowMs;
  }

  #forget(entry: IdempotencyEntry): void {
    this.#byKey.delete(entry.key);
    this.#byAge.delete(entry.ordinal);
    if (entry !== this.#oldest) return;
    const first = this.#byAge.minKey();
    this.#oldest = first === undefined ? undefined : this.#byAge.get(first);
  }
}
