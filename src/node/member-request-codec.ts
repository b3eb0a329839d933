import { type ByteReader, DecodeError } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { SynodError } from "../errors/synod-error.ts";
import { readConfiguration, readIncarnation, readSlot, writeConfiguration, writeIncarnation } from "../paxos/encoding.ts";
import type { MemberProgress } from "../paxos/leader.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import { readError, writeError } from "./error-codec.ts";
import type { MemberAnswer, MemberRequest, MembersView } from "./member-requests.ts";

const MEMBERS = 0;
const TRANSFER = 1;
const ADD_LEARNER = 2;
const PROMOTE = 3;
const REMOVE = 4;
/** Stands for "none" where a number may be missing. */
const NONE = 2 ** 53 - 1;
const MIN_PROGRESS_BYTES = 16 + 8 + 8 + 1;

export function writeMemberRequest(writer: ByteWriter, request: MemberRequest): ByteWriter {
  if (request.type === "members") return writer.u8(MEMBERS);
  if (request.type === "transfer") return writeIncarnation(writer.u8(TRANSFER), request.target);
  const { change, plannedFrom, force } = request;
  return writeChange(writer, change).u53(plannedFrom ?? NONE).u8(force ? 1 : 0);
}

function writeChange(writer: ByteWriter, change: ConfigurationChange): ByteWriter {
  switch (change.type) {
    case "addLearner": {
      const { incarnation, name, address } = change.member;
      return writeIncarnation(writer.u8(ADD_LEARNER), incarnation).text(name).text(address);
    }
    case "promote":
      writeIncarnation(writer.u8(PROMOTE), change.incarnation).u8(change.replaces === null ? 0 : 1);
      return change.replaces === null ? writer : writeIncarnation(writer, change.replaces);
    case "remove":
      return writeIncarnation(writer.u8(REMOVE), change.incarnation);
  }
}

/** Throws `DecodeError`. */
export function readMemberRequest(reader: ByteReader): MemberRequest {
  const kind = reader.u8();
  if (kind === MEMBERS) return { type: "members" };
  if (kind === TRANSFER) return { type: "transfer", target: readIncarnation(reader) };
  const change = readChange(reader, kind);
  const plannedFrom = readSlot(reader);
  return { type: "change", change, plannedFrom: plannedFrom === NONE ? null : plannedFrom, force: reader.boolean() };
}

function readChange(reader: ByteReader, kind: number): ConfigurationChange {
  switch (kind) {
    case ADD_LEARNER:
      return { type: "addLearner", member: { incarnation: readIncarnation(reader), name: reader.text(), address: reader.text() } };
    case PROMOTE:
      return { type: "promote", incarnation: readIncarnation(reader), replaces: reader.boolean() ? readIncarnation(reader) : null };
    case REMOVE:
      return { type: "remove", incarnation: readIncarnation(reader) };
    default:
      throw new DecodeError(`unknown member request ${kind}`);
  }
}

export function writeMemberAnswer(writer: ByteWriter, answer: MemberAnswer): ByteWriter {
  if (answer instanceof SynodError) return writeError(writer.u8(1), answer);
  const { configuration, configurationSlot, done, chosenThrough, progress } = answer;
  writeConfiguration(writer.u8(0), configuration).u53(configurationSlot).u8(done === null ? 2 : done ? 1 : 0).u53(chosenThrough);
  writer.u32(progress.length);
  for (const member of progress) writeProgress(writer, member);
  return writer;
}

function writeProgress(writer: ByteWriter, { incarnation, chosenThrough, heardAgoMs, caughtUp }: MemberProgress): void {
  writeIncarnation(writer, incarnation).u53(chosenThrough).u53(heardAgoMs === null ? NONE : Math.round(heardAgoMs)).u8(caughtUp ? 1 : 0);
}

/** Throws `DecodeError`. */
export function readMemberAnswer(reader: ByteReader): MemberAnswer {
  return reader.boolean() ? readError(reader) : readView(reader);
}

function readView(reader: ByteReader): MembersView {
  const head = { configuration: readConfiguration(reader), configurationSlot: readSlot(reader) };
  const done = reader.u8();
  if (done > 2) throw new DecodeError(`neither done nor pending: ${done}`);
  const chosenThrough = readSlot(reader);
  const progress: MemberProgress[] = [];
  const count = reader.count(MIN_PROGRESS_BYTES);
  for (let index = 0; index < count; index++) progress.push(readProgress(reader));
  return { ...head, done: done === 2 ? null : done === 1, chosenThrough, progress };
}

function readProgress(reader: ByteReader): MemberProgress {
  const incarnation = readIncarnation(reader);
  const chosenThrough = readSlot(reader);
  const heardAgoMs = reader.u53();
  return { incarnation, chosenThrough, heardAgoMs: heardAgoMs === NONE ? null : heardAgoMs, caughtUp: reader.boolean() };
}
