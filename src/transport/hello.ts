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
  /** The newest version of what members write to each other that it knows, and the oldest. */
  readonly version: number;
  readonly oldestVersion: number;
  /** Number of the last durable record, for the best effort of rule 13 against restored volumes. */
  readonly lastRecord: number;
}

export interface HelloFrame {
  readonly hello: Hello;
  /** Whom the sender dialled; null in the hello of the side that was dialled. */
  readonly dialled: Incarnation | null;
}

const MAGIC = 0x444e5953; // "SYND" as bytes
const MAX_FRAME_BYTES = 2_048;

/** Writes a hello. Later versions may only add fields at the end, so that every version can read what it needs. */
export function encodeHello(hello: Hello, dialled: Incarnation | null): Uint8Array {
  const writer = new ByteWriter().u32(MAGIC).u32(hello.version).u32(hello.oldestVersion);
  writeIncarnation(writer, dialled ?? NO_INCARNATION);
  writeIncarnation(writer, hello.incarnation);
  return writer.text(hello.cluster).text(hello.member).text(hello.boot).u53(hello.lastRecord).finish();
}

/** Reads a hello, of this version or a later one. Throws `DecodeError` if it is none. */
export function decodeHello(frame: Uint8Array): HelloFrame {
  if (frame.length > MAX_FRAME_BYTES) throw new DecodeError(`a hello of ${frame.length} bytes`);
  const reader = new ByteReader(frame);
  if (reader.u32() !== MAGIC) throw new DecodeError("not a hello");
  const version = reader.u32();
  const oldestVersion = reader.u32();
  if (oldestVersion > version) throw new DecodeError("a hello whose oldest version is above its newest");
  const dialled = readIncarnation(reader);
  const incarnation = readIncarnation(reader);
  if (incarnation === NO_INCARNATION) throw new DecodeError("a hello without an incarnation");
  const hello = {
    cluster: reader.text(),
    incarnation,
    member: reader.text(),
    boot: reader.text(),
    version,
    oldestVersion,
    lastRecord: reader.u53(),
  };
  return { hello, dialled: dialled === NO_INCARNATION ? null : dialled };
}
