import fc from "fast-check";
import { expect, it } from "vitest";
import { ByteReader, DecodeError } from "../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { readMessage, writeMessage } from "../../src/paxos/message-codec.ts";
import { decodeControlValue, decodeValue, encodeValue } from "../../src/paxos/value.ts";
import { anyMessage, anyValue } from "./arbitraries.ts";

const MESSAGE_TYPES = 17;
const VALUE_KINDS = 4;

function decodesOrRefuses(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
  }
}

it("reads every message back as it was written", () => {
  fc.assert(fc.property(anyMessage, (message) => {
    const bytes = writeMessage(new ByteWriter(), message).finish();
    expect(readMessage(new ByteReader(bytes))).toEqual(message);
  }), { numRuns: 1_000 });
});

it("reads any bytes as a message or throws a DecodeError", () => {
  fc.assert(fc.property(fc.nat({ max: MESSAGE_TYPES }), fc.uint8Array({ maxLength: 200 }), (first, rest) => {
    decodesOrRefuses(() => readMessage(new ByteReader(Uint8Array.of(first, ...rest))));
  }), { numRuns: 2_000 });
});

it("refuses a message that is cut short or goes on behind its end", () => {
  fc.assert(fc.property(anyMessage, fc.nat(), (message, at) => {
    const bytes = writeMessage(new ByteWriter(), message).finish();
    expect(() => readMessage(new ByteReader(bytes.subarray(0, at % bytes.length)))).toThrow(DecodeError);
    expect(() => readMessage(new ByteReader(Uint8Array.of(...bytes, 0)))).toThrow(DecodeError);
  }));
});

it("reads a message with a flipped byte as another message or throws a DecodeError", () => {
  fc.assert(fc.property(anyMessage, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, flip) => {
    const bytes = writeMessage(new ByteWriter(), message).finish();
    bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip;
    decodesOrRefuses(() => readMessage(new ByteReader(bytes)));
  }), { numRuns: 1_000 });
});

it("does not allocate for a count that the bytes cannot hold", () => {
  const accept = new ByteWriter().u8(6).u53(1).raw(new Uint8Array(16)).u53(1).u53(0).u32(0xffffffff).finish();
  expect(() => readMessage(new ByteReader(accept))).toThrow(/count/);
});

it("reads every value back as it was written", () => {
  fc.assert(fc.property(anyValue, (value) => {
    expect(decodeValue(encodeValue(value))).toEqual(value);
    expect(decodeControlValue(encodeValue(value))).toEqual(value.kind === "commands" ? null : value);
  }));
});

it("reads any bytes as a value or throws a DecodeError", () => {
  fc.assert(fc.property(fc.nat({ max: VALUE_KINDS }), fc.uint8Array({ maxLength: 200 }), (kind, rest) => {
    decodesOrRefuses(() => decodeValue(Uint8Array.of(kind, ...rest)));
  }), { numRuns: 2_000 });
  expect(() => decodeValue(new Uint8Array())).toThrow(DecodeError);
});
