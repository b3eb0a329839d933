import { randomBytes, timingSafeEqual } from "node:crypto";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";

/** The keys that members prove to each other that they hold; see src/auth. */
export interface LinkKeys {
  /** Names of the keys, the newest first; at least one. */
  readonly fingerprints: readonly string[];
  /** What only a holder of that key can make of `text`: 32 bytes. Null when the key is not accepted here. */
  proof(fingerprint: string, text: Uint8Array): Uint8Array | null;
}

/** A frame of the peer was taken: what to answer, and whether both sides are done. `fault` says why there will be no link. */
export type ProofStep =
  | { readonly send: Uint8Array | null; readonly proven: boolean }
  | { readonly fault: string };

const MAGIC = 0x504e5953; // "SYNP" as bytes
const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
const MAX_FRAME_BYTES = 1_024;
const MAX_FINGERPRINTS = 8;

const KIND = { question: 1, answer: 2, conclusion: 3 } as const;

/** Whether a frame belongs to this exchange, so that a member without keys can say what it lacks. */
export function isProofFrame(frame: Uint8Array): boolean {
  return frame.length >= 4 && new ByteReader(frame).u32() === MAGIC;
}

/**
 * One side of the exchange before the hellos of a link, in which each shows the other that it holds a key both know (ISO/IEC
 * 9798-4, mutual authentication in three passes). The dialler asks with a nonce and the names of its keys; the other answers with a
 * nonce of its own and a proof over both, by the newest of its keys that the dialler knows too; the dialler concludes with its
 * proof. No key leaves its process; proofs say which side made them, so neither an old one nor the peer's own can be sent back.
 */
export class LinkProof {
  readonly #keys: LinkKeys;
  readonly #dialledByUs: boolean;
  readonly #nonce: Uint8Array;
  /** On the side that was dialled: the key that it answered with, and both nonces. */
  #answered: { readonly fingerprint: string; readonly nonces: Uint8Array } | null = null;

  constructor(keys: LinkKeys, dialledByUs: boolean, nonce: Uint8Array = randomBytes(NONCE_BYTES)) {
    this.#keys = keys;
    this.#dialledByUs = dialledByUs;
    this.#nonce = nonce;
  }

  /** The first frame, which the dialler sends. */
  question(): Uint8Array {
    const { fingerprints } = this.#keys;
    const writer = new ByteWriter().u32(MAGIC).u8(KIND.question).raw(this.#nonce).u8(fingerprints.length);
    for (const fingerprint of fingerprints) writer.text(fingerprint);
    return writer.finish();
  }

  take(frame: Uint8Array): ProofStep {
    if (!isProofFrame(frame)) return { fault: "the peer proves no key, and this member asks for one" };
    try {
      return this.#read(frame);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return { fault: `malformed proof: ${error.message}` };
    }
  }

  #read(frame: Uint8Array): ProofStep {
    if (frame.length > MAX_FRAME_BYTES) throw new DecodeError(`a proof of ${frame.length} bytes`);
    const reader = new ByteReader(frame);
    reader.u32();
    const kind = reader.u8();
    if (this.#dialledByUs && kind === KIND.answer) return this.#conclude(reader);
    if (!this.#dialledByUs && kind === KIND.question && this.#answered === null) return this.#answer(reader);
    if (!this.#dialledByUs && kind === KIND.conclusion && this.#answered !== null) return this.#judge(reader, this.#answered);
    throw new DecodeError(`a frame of kind ${kind} out of turn`);
  }

  #answer(reader: ByteReader): ProofStep {
    const nonces = Buffer.concat([reader.raw(NONCE_BYTES), this.#nonce]);
    const count = reader.u8();
    if (count > MAX_FINGERPRINTS) throw new DecodeError(`${count} keys`);
    const known = new Set(Array.from({ length: count }, () => reader.text()));
    const fingerprint = this.#keys.fingerprints.find((own) => known.has(own));
    const proof = fingerprint === undefined ? null : this.#keys.proof(fingerprint, statement("dialled", nonces));
    if (fingerprint === undefined || proof === null) return { fault: "the peer knows none of the keys that this member accepts" };
    this.#answered = { fingerprint, nonces };
    const send = new ByteWriter().u32(MAGIC).u8(KIND.answer).raw(this.#nonce).text(fingerprint).raw(proof).finish();
    return { send, proven: false };
  }

  #conclude(reader: ByteReader): ProofStep {
    const nonces = Buffer.concat([this.#nonce, reader.raw(NONCE_BYTES)]);
    const fingerprint = reader.text();
    const fault = this.#check(fingerprint, statement("dialled", nonces), reader.raw(PROOF_BYTES));
    if (fault !== null) return { fault };
    const proof = this.#keys.proof(fingerprint, statement("dialler", nonces));
    if (proof === null) return { fault: "the key was taken away meanwhile" };
    return { send: new ByteWriter().u32(MAGIC).u8(KIND.conclusion).raw(proof).finish(), proven: true };
  }

  #judge(reader: ByteReader, { fingerprint, nonces }: { readonly fingerprint: string; readonly nonces: Uint8Array }): ProofStep {
    const fault = this.#check(fingerprint, statement("dialler", nonces), reader.raw(PROOF_BYTES));
    return fault === null ? { send: null, proven: true } : { fault };
  }

  #check(fingerprint: string, text: Uint8Array, proof: Uint8Array): string | null {
    const expected = this.#keys.proof(fingerprint, text);
    if (expected === null) return "the peer uses a key that this member does not accept";
    return timingSafeEqual(expected, proof) ? null : "the peer's proof is wrong";
  }
}

/** What is proven: "I hold the key, in this conversation, on this side of it". */
function statement(side: "dialler" | "dialled", nonces: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`synod link ${side} `), nonces]);
}
