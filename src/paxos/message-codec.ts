import { unreachable } from "../codec/assert.ts";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { readBallot, readSlot, writeBallot } from "./encoding.ts";
import type { Message, MessageType, ReportedEntry, ValueBytes } from "./messages.ts";

/** The message types in the order of their numbers on the wire. New ones go to the end. */
const TYPES = [
  "preVote", "preVoteReply", "prepare", "promise", "promiseNeedsSnapshot", "reject", "accept", "accepted", "acceptGap",
  "heartbeat", "heartbeatReply", "catchUp", "chosenEntries", "needsSnapshot", "readIndexRequest", "readIndexReply",
  "transferLeadership",
] as const satisfies readonly MessageType[];

const NUMBERS = new Map<MessageType, number>(TYPES.map((type, index) => [type, index]));

/** A reported entry takes at least a slot, a ballot, a flag and a length. */
const MIN_REPORTED_BYTES = 8 + 24 + 1 + 4;

/** Encodes a message for the wire, appending to `writer`. */
export function writeMessage(writer: ByteWriter, message: Message): ByteWriter {
  writer.u8(NUMBERS.get(message.type) as number);
  switch (message.type) {
    case "preVote":
    case "readIndexRequest":
      return writer.u53(message.nonce);
    case "preVoteReply":
      return writeBallot(writer.u53(message.nonce).u8(message.granted ? 1 : 0), message.promised).u53(message.chosenThrough);
    case "prepare":
      return writeBallot(writer, message.ballot).u53(message.fromSlot);
    case "promise":
      writeBallot(writer, message.ballot).u53(message.fromSlot).u53(message.nextSlot ?? 0).u53(message.chosenThrough);
      return writeReported(writer, message.entries);
    case "promiseNeedsSnapshot":
      return writeBallot(writer, message.ballot).u53(message.snapshotSlot);
    case "reject":
      return writeBallot(writeBallot(writer, message.ballot), message.promised);
    case "accept":
      return writeValues(writeBallot(writer, message.ballot).u53(message.firstSlot).u53(message.chosenThrough), message.values);
    case "accepted":
      return writeBallot(writer, message.ballot).u53(message.from).u53(message.through);
    case "acceptGap":
      return writeBallot(writer, message.ballot).u53(message.expected);
    case "heartbeat":
      return writeBallot(writer, message.ballot).u53(message.nonce).u53(message.chosenThrough);
    case "heartbeatReply":
      return writeBallot(writer, message.ballot).u53(message.nonce).u53(message.chosenThrough).u53(message.durableThrough);
    case "catchUp":
      return writer.u53(message.fromSlot);
    case "chosenEntries":
      return writeValues(writeBallot(writer, message.promised).u53(message.fromSlot).u53(message.chosenThrough), message.values);
    case "needsSnapshot":
      return writer.u53(message.snapshotSlot);
    case "readIndexReply":
      return writeBallot(writer, message.ballot).u53(message.nonce).u53(message.slot);
    case "transferLeadership":
      return writeBallot(writer, message.ballot).u53(message.nonce);
    default:
      return unreachable(message);
  }
}

/** Decodes one message that fills `reader` to its end; values are views into its bytes. Throws `DecodeError`. */
export function readMessage(reader: ByteReader): Message {
  const type = TYPES[reader.u8()];
  if (type === undefined) throw new DecodeError("unknown message type");
  const message = readBody(reader, type);
  reader.end();
  return message;
}

function readBody(reader: ByteReader, type: MessageType): Message {
  switch (type) {
    case "preVote":
    case "readIndexRequest":
      return { type, nonce: reader.u53() };
    case "preVoteReply":
      return { type, nonce: reader.u53(), granted: reader.boolean(), promised: readBallot(reader), chosenThrough: readSlot(reader) };
    case "prepare":
      return { type, ballot: readBallot(reader), fromSlot: readSlot(reader) };
    case "promise": {
      const head = { type, ballot: readBallot(reader), fromSlot: readSlot(reader) } as const;
      const nextSlot = readSlot(reader);
      const chosenThrough = readSlot(reader);
      return { ...head, nextSlot: nextSlot === 0 ? null : nextSlot, chosenThrough, entries: readReported(reader) };
    }
    case "promiseNeedsSnapshot":
      return { type, ballot: readBallot(reader), snapshotSlot: readSlot(reader) };
    case "reject":
      return { type, ballot: readBallot(reader), promised: readBallot(reader) };
    case "accept":
      return { type, ballot: readBallot(reader), firstSlot: readSlot(reader), chosenThrough: readSlot(reader), values: readValues(reader) };
    case "accepted":
      return { type, ballot: readBallot(reader), from: readSlot(reader), through: readSlot(reader) };
    case "acceptGap":
      return { type, ballot: readBallot(reader), expected: readSlot(reader) };
    case "heartbeat":
      return { type, ballot: readBallot(reader), nonce: reader.u53(), chosenThrough: readSlot(reader) };
    case "heartbeatReply":
      return { type, ballot: readBallot(reader), nonce: reader.u53(), chosenThrough: readSlot(reader), durableThrough: readSlot(reader) };
    case "catchUp":
      return { type, fromSlot: readSlot(reader) };
    case "chosenEntries":
      return { type, promised: readBallot(reader), fromSlot: readSlot(reader), chosenThrough: readSlot(reader), values: readValues(reader) };
    case "needsSnapshot":
      return { type, snapshotSlot: readSlot(reader) };
    case "readIndexReply":
      return { type, ballot: readBallot(reader), nonce: reader.u53(), slot: readSlot(reader) };
    case "transferLeadership":
      return { type, ballot: readBallot(reader), nonce: reader.u53() };
    default:
      return unreachable(type);
  }
}

function writeValues(writer: ByteWriter, values: readonly ValueBytes[]): ByteWriter {
  writer.u32(values.length);
  for (const value of values) writer.bytes(value);
  return writer;
}

function readValues(reader: ByteReader): ValueBytes[] {
  const values: ValueBytes[] = [];
  const count = reader.count(4);
  for (let index = 0; index < count; index++) values.push(reader.bytes());
  return values;
}

function writeReported(writer: ByteWriter, entries: readonly ReportedEntry[]): ByteWriter {
  writer.u32(entries.length);
  for (const entry of entries) writeBallot(writer.u53(entry.slot), entry.ballot).u8(entry.chosen ? 1 : 0).bytes(entry.value);
  return writer;
}

function readReported(reader: ByteReader): ReportedEntry[] {
  const entries: ReportedEntry[] = [];
  const count = reader.count(MIN_REPORTED_BYTES);
  for (let index = 0; index < count; index++) {
    entries.push({ slot: readSlot(reader), ballot: readBallot(reader), chosen: reader.boolean(), value: reader.bytes() });
  }
  return entries;
}

/** Whether a message is small and must not wait behind bulk (rule 26). Accepts and answers with values are bulk. */
export function isUrgent(message: Message): boolean {
  switch (message.type) {
    case "accept":
    case "chosenEntries":
    case "promise":
      return false;
    default:
      return true;
  }
}

