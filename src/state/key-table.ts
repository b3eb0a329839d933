import { byteStringOf, bytesOf, type ByteString } from "./key.ts";
import { stringMap, type OrderedMap } from "./ordered-map.ts";
import { NO_SLAB, ValueArena, valueOf, type ValueHolder } from "./value-arena.ts";

/** A key's value and history, as a reader gets it. The value never changes; it is a view that may not be written to. */
export interface KeyRecord {
  readonly value: Uint8Array;
  /** The revision at which the key came to exist. */
  readonly createRevision: number;
  /** The revision of the last write. */
  readonly modRevision: number;
  /** How many writes there were since the key came to exist, from 1 on. */
  readonly version: number;
}

export interface RangeQuery {
  /** Only keys that start with this; empty: all keys. */
  readonly prefix: Uint8Array;
  /** Items at most; at least 1. */
  readonly limit: number;
  /** Only keys after this one: the last key of the page before. */
  readonly after?: Uint8Array;
}

export interface RangeItem extends KeyRecord {
  readonly key: Uint8Array;
}

export interface RangePage {
  /** In byte order of their keys. */
  readonly items: readonly RangeItem[];
  /** Whether further keys follow. */
  readonly more: boolean;
}

/** A key's record while it is the table's own: overwriting changes it in place, which saves a second descent of the tree. */
export interface StoredRecord extends ValueHolder {
  createRevision: number;
  modRevision: number;
  version: number;
  /** The table's epoch at which this object was made; in a later epoch a snapshot may hold it, so it is replaced. */
  readonly epoch: number;
}

/** The keys in byte order. */
export class KeyTable {
  readonly #records: OrderedMap<ByteString, StoredRecord> = stringMap();
  /** The same records, for reads and overwrites of one key: descending the tree would be a tenth of all the work of a write. */
  readonly #byKey = new Map<ByteString, StoredRecord>();
  readonly #values = new ValueArena();
  #epoch = 0;

  get size(): number {
    return this.#records.size;
  }

  find(key: ByteString): Readonly<StoredRecord> | undefined {
    return this.#byKey.get(key);
  }

  get(key: Uint8Array): KeyRecord | null {
    const record = this.#byKey.get(byteStringOf(key));
    return record === undefined ? null : recordOf(record);
  }

  /**
   * Writes the value that `bytes` holds from `from` on, copied, so that it does not keep a whole frame in memory. `existing` is
   * what `find` just gave for the key.
   */
  put(
    key: ByteString, existing: Readonly<StoredRecord> | undefined, bytes: Uint8Array, from: number, revision: number,
  ): Readonly<StoredRecord> {
    if (existing === undefined) return this.load(key, bytes, from, revision, revision, 1);
    const version = existing.version + 1;
    this.#values.release(existing);
    if (existing.epoch !== this.#epoch) return this.load(key, bytes, from, existing.createRevision, revision, version);
    return this.#overwrite(existing, bytes, from, revision, version);
  }

  /** Sets a record of a key that has none, or whose value was released. */
  load(
    key: ByteString, bytes: Uint8Array, from: number, createRevision: number, modRevision: number, version: number,
  ): Readonly<StoredRecord> {
    const epoch = this.#epoch;
    const record = { slab: NO_SLAB, start: 0, length: 0, held: false, createRevision, modRevision, version, epoch };
    this.#values.store(record, bytes, from);
    this.#records.set(key, record);
    this.#byKey.set(key, record);
    return record;
  }

  /** Deletes a key; `existing` is what `find` just gave for it. */
  delete(key: ByteString, existing: Readonly<StoredRecord>): void {
    this.#values.release(existing);
    this.#records.delete(key);
    this.#byKey.delete(key);
  }

  range(query: RangeQuery): RangePage {
    const prefix = byteStringOf(query.prefix);
    // The next possible key after K in byte order is K with a zero byte appended.
    const after = query.after === undefined ? "" : `${byteStringOf(query.after)}\0`;
    const items: RangeItem[] = [];
    for (const [key, record] of this.#records.entries(after > prefix ? after : prefix)) {
      if (!key.startsWith(prefix)) break;
      if (items.length >= query.limit) return { items, more: true };
      items.push({ key: bytesOf(key), ...recordOf(record) });
    }
    return { items, more: false };
  }

  /** A copy of the keys, in O(1), that later changes do not touch. */
  freeze(): OrderedMap<ByteString, Readonly<StoredRecord>> {
    this.#epoch += 1;
    return this.#records.clone();
  }

  #overwrite(record: StoredRecord, bytes: Uint8Array, from: number, revision: number, version: number): StoredRecord {
    this.#values.store(record, bytes, from);
    record.modRevision = revision;
    record.version = version;
    return record;
  }
}

function recordOf(record: Readonly<StoredRecord>): KeyRecord {
  const { createRevision, modRevision, version } = record;
  return { value: valueOf(record), createRevision, modRevision, version };
}
