import { ByteWriter } from "../codec/byte-writer.ts";
import type { IdempotencyEntry } from "./idempotency-table.ts";
import type { ByteString } from "./key.ts";
import type { StoredRecord } from "./key-table.ts";
import type { OrderedMap } from "./ordered-map.ts";
import type { Session } from "./session.ts";
import { writeEnd, writeHeader, writeIdempotency, writeKey, writeSession } from "./snapshot-format.ts";
import type { StateCounters } from "./state-parts.ts";

const CHUNK_BYTES = 64 * 1024;

/** The state as it was at one moment. Later commands do not change it; it may be read at any pace, more than once. */
export class StateSnapshot {
  readonly #counters: StateCounters;
  readonly #keys: OrderedMap<ByteString, Readonly<StoredRecord>>;
  readonly #idempotency: OrderedMap<number, IdempotencyEntry>;
  readonly #sessions: OrderedMap<number, Session>;

  constructor(
    counters: StateCounters,
    keys: OrderedMap<ByteString, Readonly<StoredRecord>>,
    idempotency: OrderedMap<number, IdempotencyEntry>,
    sessions: OrderedMap<number, Session>,
  ) {
    this.#counters = counters;
    this.#keys = keys;
    this.#idempotency = idempotency;
    this.#sessions = sessions;
  }

  /** The slot of the last command in it. */
  get slot(): number {
    return this.#counters.slot;
  }

  get revision(): number {
    return this.#counters.revision;
  }

  get checksum(): number {
    return this.#counters.checksum;
  }

  /**
   * Its bytes in chunks of 64 KiB or a little more; one with a large value in it is longer by that. Each step serialises one
   * chunk only, so the caller may do other things between any two.
   */
  *chunks(): Generator<Uint8Array, void, undefined> {
    const writer = new ByteWriter();
    const records = this.#writeRecords(writer);
    while (records.next().done !== true) {
      if (writer.length < CHUNK_BYTES) continue;
      yield writer.finish();
      writer.reset();
    }
    yield writer.take();
  }

  /** Writes one record at each step. */
  *#writeRecords(writer: ByteWriter): Generator<void, void, undefined> {
    const scratch = new ByteWriter();
    yield writeHeader(writer, this.#counters);
    for (const [key, record] of this.#keys.entries()) yield writeKey(writer, key, record);
    for (const entry of this.#idempotency.values()) yield writeIdempotency(writer, scratch, entry);
    for (const session of this.#sessions.values()) yield writeSession(writer, scratch, session);
    writeEnd(writer, { keys: this.#keys.size, idempotency: this.#idempotency.size, sessions: this.#sessions.size });
  }
}
