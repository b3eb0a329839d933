import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { DEFAULT_STATE_LIMITS, type StateLimits } from "./limits.ts";
import { PendingBytes } from "./pending-bytes.ts";
import type { Session } from "./session.ts";
import {
  END, HEADER, IDEMPOTENCY, KEY, MAX_RECORD_BYTES, readEnd, readHeader, readIdempotency, readKey, readSession, SESSION,
  type SnapshotCounts,
} from "./snapshot-format.ts";
import { StateMachine } from "./state-machine.ts";
import { emptyParts, type StateParts } from "./state-parts.ts";

/**
 * Makes a state machine of a snapshot's bytes, piece by piece, cut anywhere. Each `push` takes time proportional to its piece.
 * Errors are `DecodeError`; after one the restorer is of no use. It checks form and completeness; that no bit was flipped is
 * for the caller's storage and transport to know.
 */
export class StateRestorer {
  readonly #limits: StateLimits;
  readonly #pending = new PendingBytes();
  readonly #sessions: Session[] = [];
  #parts: StateParts | null = null;
  #ended = false;

  constructor(limits: StateLimits = DEFAULT_STATE_LIMITS) {
    this.#limits = limits;
  }

  /** Takes the next bytes and keeps no view of them. */
  push(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    while (this.#pending.length >= 4) {
      const length = this.#pending.peekU32();
      if (length > MAX_RECORD_BYTES) throw new DecodeError(`a record of ${length} bytes`);
      if (this.#pending.length < 4 + length) return;
      this.#pending.skip(4);
      this.#read(this.#pending.take(length));
    }
  }

  /** The state machine, once every byte was pushed. */
  finish(): StateMachine {
    if (this.#parts === null || !this.#ended || this.#pending.length > 0) throw new DecodeError("the snapshot is not whole");
    this.#parts.sessions.load(this.#sessions);
    return new StateMachine(this.#limits, this.#parts);
  }

  #read(record: Uint8Array): void {
    if (this.#ended) throw new DecodeError("bytes after the snapshot's end");
    const reader = new ByteReader(record);
    const kind = reader.u8();
    if (this.#parts === null) {
      if (kind !== HEADER) throw new DecodeError("a snapshot without a header");
      this.#parts = emptyParts(this.#limits, readHeader(reader));
    } else {
      this.#readInto(this.#parts, kind, reader);
    }
    reader.end();
  }

  #readInto(parts: StateParts, kind: number, reader: ByteReader): void {
    switch (kind) {
      case KEY:
        return readKey(reader, parts.keys);
      case IDEMPOTENCY:
        return parts.idempotency.load(readIdempotency(reader));
      case SESSION:
        this.#sessions.push(readSession(reader));
        return;
      case END:
        return this.#end(parts, readEnd(reader));
      default:
        throw new DecodeError(`unknown kind of record ${kind}`);
    }
  }

  #end(parts: StateParts, counts: SnapshotCounts): void {
    const complete =
      counts.keys === parts.keys.size &&
      counts.idempotency === parts.idempotency.size &&
      counts.sessions === this.#sessions.length;
    if (!complete) throw new DecodeError("the snapshot lacks records that its end counts");
    this.#ended = true;
  }
}
