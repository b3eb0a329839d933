import { ByteReader, DecodeError } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import type { Ballot } from "./ballot.ts";
import { readBallot, readConfiguration, writeBallot, writeConfiguration } from "./encoding.ts";
import type { Configuration } from "./configuration.ts";
import type { ValueBytes } from "./messages.ts";

/**
 * What a slot can hold. `origin` is the ballot in which a value was first proposed: together with the slot it is unique,
 * so a proposer can tell its own value from an equal one of somebody else's.
 */
export type Value =
  | { readonly kind: "noop" }
  | { readonly kind: "barrier"; readonly ballot: Ballot }
  | { readonly kind: "commands"; readonly origin: Ballot; readonly commands: readonly Uint8Array[] }
  | { readonly kind: "configuration"; readonly origin: Ballot; readonly configuration: Configuration };

const NOOP = 0;
const BARRIER = 1;
const COMMANDS = 2;
const CONFIGURATION = 3;

/** Small values lie one behind the other in pieces of memory of this size, as they do in the log: memory of its own costs each more than its bytes do. */
const SHARED_BYTES = 8_192;
const LARGEST_SHARING = 512;
const shared = new ByteWriter(SHARED_BYTES);

/** Encodes a value once; afterwards it travels and is stored as these bytes. */
export function encodeValue(value: Value): ValueBytes {
  switch (value.kind) {
    case "noop":
      return Uint8Array.of(NOOP);
    case "barrier":
      return writeBallot(new ByteWriter(32).u8(BARRIER), value.ballot).take();
    case "commands": {
      const total = value.commands.reduce((sum, command) => sum + command.length + 4, 64);
      const room = total <= LARGEST_SHARING ? shared.reset() : new ByteWriter(total);
      const writer = writeBallot(room.u8(COMMANDS), value.origin).u32(value.commands.length);
      for (const command of value.commands) writer.bytes(command);
      return writer.take();
    }
    case "configuration": {
      const writer = writeBallot(new ByteWriter().u8(CONFIGURATION), value.origin);
      return writeConfiguration(writer, value.configuration).take();
    }
  }
}

/** Decodes a value; commands are views into `bytes`. Throws `DecodeError`. */
export function decodeValue(bytes: ValueBytes): Value {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  const value = readValue(reader, kind);
  reader.end();
  return value;
}

/** Decodes a value unless it is one of commands, which mean nothing to the core and are by far the most frequent. */
export function decodeControlValue(bytes: ValueBytes): Exclude<Value, { kind: "commands" }> | null {
  if (bytes[0] === COMMANDS) return null;
  const value = decodeValue(bytes);
  return value.kind === "commands" ? null : value;
}

function readValue(reader: ByteReader, kind: number): Value {
  switch (kind) {
    case NOOP:
      return { kind: "noop" };
    case BARRIER:
      return { kind: "barrier", ballot: readBallot(reader) };
    case COMMANDS: {
      const origin = readBallot(reader);
      const count = reader.count(4);
      const commands: Uint8Array[] = [];
      for (let index = 0; index < count; index++) commands.push(reader.bytes());
      return { kind: "commands", origin, commands };
    }
    case CONFIGURATION:
      return { kind: "configuration", origin: readBallot(reader), configuration: readConfiguration(reader) };
    default:
      throw new DecodeError(`unknown value kind ${kind}`);
  }
}
