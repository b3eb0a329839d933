import { unreachable } from "../codec/assert.ts";
import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { SynodError } from "../errors/synod-error.ts";
import { readBallot, readConfiguration, readSlot, writeBallot, writeConfiguration } from "../paxos/encoding.ts";
import type { Slot } from "../paxos/ids.ts";
import { isUrgent, readMessage, writeMessage } from "../paxos/message-codec.ts";
import type { Message } from "../paxos/messages.ts";
import { readError, writeError } from "./error-codec.ts";
import { readMemberAnswer, readMemberRequest, writeMemberAnswer, writeMemberRequest } from "./member-request-codec.ts";
import type { MemberAnswer, MemberRequest } from "./member-requests.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import { readResult, writeResult, type Result } from "../state/results.ts";

/** What members say to each other: the protocol's messages, and what only their nodes know of. */
export type PeerMessage =
  | { readonly type: "paxos"; readonly message: Message }
  /** Writes that clients gave to a follower, for the leader to propose. Sent once, never again (rule 22). */
  | { readonly type: "forward"; readonly id: number; readonly commands: readonly Uint8Array[] }
  | { readonly type: "forwarded"; readonly id: number; readonly outcomes: readonly (Result | SynodError)[] }
  /** Asks for part of a snapshot at or above `minSlot`; `slot` names the one that was begun, 0 for any. */
  | { readonly type: "snapshotRequest"; readonly minSlot: Slot; readonly slot: Slot; readonly offset: number }
  | { readonly type: "snapshotChunk"; readonly handle: SnapshotHandle; readonly size: number; readonly offset: number; readonly bytes: Uint8Array }
  /** There is no such snapshot (any more, or yet). */
  | { readonly type: "snapshotUnavailable"; readonly minSlot: Slot }
  /** Asks the leader for what only it can do or knows about members; asked again when no answer comes. */
  | { readonly type: "memberRequest"; readonly id: number; readonly request: MemberRequest }
  | { readonly type: "memberAnswer"; readonly id: number; readonly answer: MemberAnswer }
  /** The running checksum of the state that was applied through `slot` (rule 6). */
  | { readonly type: "checksum"; readonly slot: Slot; readonly checksum: number }
  /** What the sender's disk holds: the number of its last durable record (rule 13), and whether it is full (rule 15). */
  | { readonly type: "disk"; readonly records: number; readonly full: boolean };

// How the messages begin of each type.
export const PAXOS = 0;
export const FORWARD = 1;
export const FORWARDED = 2;
const SNAPSHOT_REQUEST = 3;
const SNAPSHOT_CHUNK = 4;
const SNAPSHOT_UNAVAILABLE = 5;
export const CHECKSUM = 6;
const MEMBER_REQUEST = 7;
const MEMBER_ANSWER = 8;
export const DISK = 9;

/** Small messages, which are most, lie one behind the other in pieces of memory of this size: memory of its own costs each more than its bytes do. */
const SHARED_BYTES = 8_192;
const LARGEST_SHARING = 512;
const shared = new ByteWriter(SHARED_BYTES);

/** Encodes for peer links. The bytes are the caller's and may be sent to several peers. */
export function encodePeerMessage(message: PeerMessage): Uint8Array {
  const size = sizeHint(message);
  const writer = size <= LARGEST_SHARING ? shared.reset() : new ByteWriter(size);
  switch (message.type) {
    case "paxos":
      return writeMessage(writer.u8(PAXOS), message.message).take();
    case "forward":
      writer.u8(FORWARD).u53(message.id).u32(message.commands.length);
      for (const command of message.commands) writer.bytes(command);
      return writer.take();
    case "forwarded":
      writer.u8(FORWARDED).u53(message.id).u32(message.outcomes.length);
      for (const outcome of message.outcomes) writeOutcome(writer, outcome);
      return writer.take();
    case "snapshotRequest":
      return writer.u8(SNAPSHOT_REQUEST).u53(message.minSlot).u53(message.slot).u53(message.offset).take();
    case "snapshotChunk":
      return writeHandle(writer.u8(SNAPSHOT_CHUNK), message.handle).u53(message.size).u53(message.offset).bytes(message.bytes).take();
    case "snapshotUnavailable":
      return writer.u8(SNAPSHOT_UNAVAILABLE).u53(message.minSlot).take();
    case "checksum":
      return writer.u8(CHECKSUM).u53(message.slot).u32(message.checksum).take();
    case "memberRequest":
      return writeMemberRequest(writer.u8(MEMBER_REQUEST).u53(message.id), message.request).take();
    case "memberAnswer":
      return writeMemberAnswer(writer.u8(MEMBER_ANSWER).u53(message.id), message.answer).take();
    case "disk":
      return writer.u8(DISK).u53(message.records).u8(message.full ? 1 : 0).take();
    default:
      return unreachable(message);
  }
}

const HEAD_BYTES = 128;

/** About how many bytes it will take, so that the buffer rarely grows. */
function sizeHint(message: PeerMessage): number {
  if (message.type === "snapshotChunk") return message.bytes.length + 4 * HEAD_BYTES;
  if (message.type === "forward") return message.commands.reduce((sum, command) => sum + command.length + 4, HEAD_BYTES);
  if (message.type !== "paxos") return HEAD_BYTES;
  const inner = message.message;
  if (inner.type === "accept" || inner.type === "chosenEntries") {
    return inner.values.reduce((sum, value) => sum + value.length + 4, HEAD_BYTES);
  }
  if (inner.type === "promise") return inner.entries.reduce((sum, entry) => sum + entry.value.length + 48, HEAD_BYTES);
  return HEAD_BYTES;
}

/** Decodes what a peer sent; byte arrays are views. Throws `DecodeError`. */
export function decodePeerMessage(bytes: Uint8Array): PeerMessage {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  if (kind === PAXOS) return { type: "paxos", message: readMessage(reader) };
  const message = readNodeMessage(reader, kind);
  reader.end();
  return message;
}

function readNodeMessage(reader: ByteReader, kind: number): PeerMessage {
  switch (kind) {
    case FORWARD:
      return { type: "forward", id: reader.u53(), commands: readList(reader, 4, () => reader.bytes()) };
    case FORWARDED:
      return { type: "forwarded", id: reader.u53(), outcomes: readList(reader, 2, () => readOutcome(reader)) };
    case SNAPSHOT_REQUEST:
      return { type: "snapshotRequest", minSlot: readSlot(reader), slot: readSlot(reader), offset: reader.u53() };
    case SNAPSHOT_CHUNK:
      return { type: "snapshotChunk", handle: readHandle(reader), size: reader.u53(), offset: reader.u53(), bytes: reader.bytes() };
    case SNAPSHOT_UNAVAILABLE:
      return { type: "snapshotUnavailable", minSlot: readSlot(reader) };
    case CHECKSUM:
      return { type: "checksum", slot: readSlot(reader), checksum: reader.u32() };
    case MEMBER_REQUEST:
      return { type: "memberRequest", id: reader.u53(), request: readMemberRequest(reader) };
    case MEMBER_ANSWER:
      return { type: "memberAnswer", id: reader.u53(), answer: readMemberAnswer(reader) };
    case DISK:
      return { type: "disk", records: reader.u53(), full: reader.boolean() };
    default:
      throw new DecodeError(`unknown peer message ${kind}`);
  }
}

function readList<T>(reader: ByteReader, minimumBytes: number, readOne: () => T): T[] {
  const items: T[] = [];
  const count = reader.count(minimumBytes);
  for (let index = 0; index < count; index++) items.push(readOne());
  return items;
}

function writeOutcome(writer: ByteWriter, outcome: Result | SynodError): void {
  if (outcome instanceof SynodError) writeError(writer.u8(1), outcome);
  else writeResult(writer.u8(0), outcome);
}

function readOutcome(reader: ByteReader): Result | SynodError {
  return reader.boolean() ? readError(reader) : readResult(reader);
}

function writeHandle(writer: ByteWriter, handle: SnapshotHandle): ByteWriter {
  writeConfiguration(writer.u53(handle.slot), handle.configuration).u53(handle.configurationSlot);
  return writeBallot(writeBallot(writer, handle.leaderBallot), handle.promised).text(handle.cluster).u32(handle.checksum);
}

function readHandle(reader: ByteReader): SnapshotHandle {
  return {
    slot: readSlot(reader),
    configuration: readConfiguration(reader),
    configurationSlot: readSlot(reader),
    leaderBallot: readBallot(reader),
    promised: readBallot(reader),
    cluster: reader.text(),
    checksum: reader.u32(),
  };
}

const URGENT: ReadonlySet<PeerMessage["type"]> = new Set([
  "memberRequest", "memberAnswer", "checksum", "disk", "snapshotRequest", "snapshotUnavailable",
]);

/** The lane a message travels in: votes and heartbeats overtake bulk (rule 26). */
export function laneOf(message: PeerMessage): "urgent" | "bulk" {
  if (message.type === "paxos") return isUrgent(message.message) ? "urgent" : "bulk";
  return URGENT.has(message.type) ? "urgent" : "bulk";
}
