import { timingSafeEqual } from "node:crypto";
import { authorization, fingerprint, hmac, type Key } from "./key.ts";

interface RingKey {
  readonly key: Key;
  readonly fingerprint: string;
  readonly authorization: string;
}

/** What is kept besides the keys that were read last is what was read before those, so two readings of two keys are the bound. */
const MAX_KEYS = 4;

/**
 * The keys that a process accepts, the newest first; that one it uses itself. What was read last but one stays accepted: members
 * read a new key at different moments, and one that has it and one that has not must go on understanding each other.
 */
export class KeyRing {
  #read: readonly RingKey[];
  #keys: readonly RingKey[];

  /** `keys` in the order of preference: at least one. */
  constructor(keys: readonly Key[]) {
    this.#read = keys.map(ringKey);
    this.#keys = distinct(this.#read);
  }

  /** Takes what was read anew. False: it is what was read last. */
  update(keys: readonly Key[]): boolean {
    const read = keys.map(ringKey);
    if (sameKeys(read, this.#read)) return false;
    this.#keys = distinct([...read, ...this.#read]);
    this.#read = read;
    return true;
  }

  /** Names of the accepted keys, the one in use first. */
  get fingerprints(): readonly string[] {
    return this.#keys.map((key) => key.fingerprint);
  }

  /** The `Authorization` headers to try, in this order. */
  get authorizations(): readonly string[] {
    return this.#keys.map((key) => key.authorization);
  }

  /** Whether a call with this `Authorization` header may change members and leadership. Takes as long whatever is wrong with it. */
  authorizes(header: string | undefined): boolean {
    if (header === undefined) return false;
    return this.#keys.filter((key) => equalTexts(key.authorization, header)).length > 0;
  }

  /** A proof over `text` by the key of that fingerprint; null when it is not accepted here. */
  proof(name: string, text: Uint8Array): Uint8Array | null {
    const found = this.#keys.find((key) => key.fingerprint === name);
    return found === undefined ? null : hmac(found.key, text);
  }
}

function ringKey(key: Key): RingKey {
  return { key, fingerprint: fingerprint(key), authorization: authorization(key) };
}

function distinct(keys: readonly RingKey[]): readonly RingKey[] {
  return keys.filter((one, index) => keys.findIndex((other) => other.fingerprint === one.fingerprint) === index).slice(0, MAX_KEYS);
}

function sameKeys(one: readonly RingKey[], other: readonly RingKey[]): boolean {
  return one.length === other.length && one.every((key, index) => key.fingerprint === other[index]?.fingerprint);
}

function equalTexts(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
