import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { readIncarnation, writeIncarnation } from "../paxos/encoding.ts";
import { type Incarnation, NO_INCARNATION } from "../paxos/ids.ts";

/** What a member says of itself as the first frame of a link. */
export interface Hello {
  readonly cluster: string;
  readonly incarnation: Incarnation;
  /** The member's name; it identifies nothing. */
  readonly member: string;
  /** Random per life of the process, so that a restarted peer is told from a repeated link. */
  readonly boot: string;
  /** Version of the protocol between members; both sides must have the same. */
  readonly version: number;
  /** Number of the last durable record, for the best effort of rule 13 against restored volumes. */
  readonly lastRecord: number;
}

export interface HelloFrame {
  readonly hello: Hello;
  /** Whom the sender dialled; null in the hello of the side that was dialled. */
  readonly dialled: Incarnation | null;
}

/** Says hello in another version, whose fields are unknown here. */
export interface OtherVersion {
  readonly otherVersion: number;
}

const MAGIC = 0x444e5953; // "SYND" as bytes
const MAX_FRAME_BYTES = 2_048;

/** Writes a hello. The magic and the version keep their place in every version, so that others can be told. */
export function encodeHello(hello: Hello, dialled: Incarnation | null): Uint8Array {
  const writer = new ByteWriter().u32(MAGIC).u32(hello.version);
  writeIncarnation(writer, dialled ?? NO_INCARNATION);
  writeIncarnation(writer, hello.incarnation);
  return writer.text(hello.cluster).text(hello.member).text(hello.boot).u53(hello.lastRecord).finish();
}

/** Reads a hello of version `version`. Throws `DecodeError` if it is none; of another version it says only which. */
export function decodeHello(frame: Uint8Array, version: number): HelloFrame | OtherVersion {
  if (frame.length > MAX_FRAME_BYTES) throw new DecodeError(`a hello of ${frame.length} bytes`);
  const reader = new ByteReader(frame);
  if (reader.u32() !== MAGIC) throw new DecodeError("not a hello");
  const theirs = reader.u32();
  if (theirs !== version) return { otherVersion: theirs };
  const dialled = readIncarnation(reader);
  const incarnation = readIncarnation(reader);
  if (incarnation === NO_INCARNATION) throw new DecodeError("a hello without an incarnation");
  const hello = {
    cluster: reader.text(),
    incarnation,
    member: reader.text(),
    boot: reader.text(),
    version: theirs,
    lastRecord: reader.u53(),
  };
  reader.end();
  return { hello, dialled: dialled === NO_INCARNATION ? null : dialled };
}
