import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import type { Ballot } from "./ballot.ts";
import { type Configuration, MAX_MEMBERS, MAX_REMOVED, type MemberInfo } from "./configuration.ts";
import { type Incarnation, type Slot } from "./ids.ts";

const INCARNATION_BYTES = 16;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

// Few incarnations exist and each is read millions of times, so the last few conversions are kept.
const MAX_CACHED = 64;
const bytesByIncarnation = new Map<Incarnation, Uint8Array>();

function incarnationBytes(incarnation: Incarnation): Uint8Array {
  const known = bytesByIncarnation.get(incarnation);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(INCARNATION_BYTES);
  for (let index = 0; index < INCARNATION_BYTES; index++) {
    bytes[index] = Number.parseInt(incarnation.slice(index * 2, index * 2 + 2), 16);
  }
  if (bytesByIncarnation.size >= MAX_CACHED) bytesByIncarnation.clear();
  bytesByIncarnation.set(incarnation, bytes);
  return bytes;
}

export function writeIncarnation(writer: ByteWriter, incarnation: Incarnation): ByteWriter {
  return writer.raw(incarnationBytes(incarnation));
}

export function readIncarnation(reader: ByteReader): Incarnation {
  // Members are few and drawn at random, so their first bytes tell them apart well enough to find the one read last.
  const place = reader.peek();
  const known = readLast[place];
  if (known !== undefined && reader.readsAs(known.bytes)) return known.incarnation;
  const bytes = reader.raw(INCARNATION_BYTES);
  const incarnation = incarnationText(bytes);
  readLast[place] = { bytes: bytes.slice(), incarnation };
  return incarnation;
}

const readLast: { readonly bytes: Uint8Array; readonly incarnation: Incarnation }[] = [];

function incarnationText(bytes: Uint8Array): Incarnation {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text as Incarnation;
}

export function writeBallot(writer: ByteWriter, ballot: Ballot): ByteWriter {
  return writeIncarnation(writer.u53(ballot.round), ballot.incarnation);
}

export function readBallot(reader: ByteReader): Ballot {
  return { round: reader.u53(), incarnation: readIncarnation(reader) };
}

export function readSlot(reader: ByteReader): Slot {
  return reader.u53() as Slot;
}

export function writeConfiguration(writer: ByteWriter, configuration: Configuration): ByteWriter {
  for (const members of [configuration.voters, configuration.learners]) {
    writer.u8(members.length);
    for (const member of members) writeIncarnation(writer, member.incarnation).text(member.name).text(member.address);
  }
  writer.u8(configuration.removed.length);
  for (const incarnation of configuration.removed) writeIncarnation(writer, incarnation);
  return writer;
}

export function readConfiguration(reader: ByteReader): Configuration {
  return { voters: readMembers(reader), learners: readMembers(reader), removed: readRemoved(reader) };
}

function readRemoved(reader: ByteReader): Incarnation[] {
  const count = reader.u8();
  if (count > MAX_REMOVED) throw new DecodeError(`${count} removed members exceed the bound of ${MAX_REMOVED}`);
  const removed: Incarnation[] = [];
  for (let index = 0; index < count; index++) removed.push(readIncarnation(reader));
  return removed;
}

function readMembers(reader: ByteReader): MemberInfo[] {
  const count = reader.u8();
  if (count > MAX_MEMBERS) throw new DecodeError(`${count} members exceed the bound of ${MAX_MEMBERS}`);
  const members: MemberInfo[] = [];
  for (let index = 0; index < count; index++) {
    members.push({ incarnation: readIncarnation(reader), name: reader.text(), address: reader.text() });
  }
  return members;
}
