import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DecodeError } from "../../src/codec/byte-reader.ts";
import { ERRORS, type ErrorCode } from "../../src/errors/table.ts";
import { decodeCommand, encodeCommand, validateCommand, type Command, type RetryToken } from "../../src/state/commands.ts";
import { keyFromText, keyToText } from "../../src/state/key.ts";
import { decodeResult, encodeResult, type Result } from "../../src/state/results.ts";
import { put, withKey } from "./helpers.ts";

const integer = fc.maxSafeNat();
const retry: fc.Arbitrary<RetryToken> = fc.oneof(
  fc.constant({ kind: "none" } as const),
  fc.record({ kind: fc.constant("key" as const), key: fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }) }),
  fc.record({ session: integer, sequence: fc.integer({ min: 1 }) }).map((numbers): RetryToken => {
    return { kind: "session", acknowledged: numbers.sequence - 1, ...numbers };
  }),
);
const write = { key: fc.uint8Array({ minLength: 1, maxLength: 30 }), prevRevision: fc.option(integer), retry };
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant("put" as const), value: fc.uint8Array(), ...write }),
  fc.record({ type: fc.constant("delete" as const), ...write }),
  fc.constant({ type: "openSession" } as const),
  fc.record({ type: fc.constant("closeSession" as const), session: integer }),
  fc.record({ type: fc.constant("advanceTime" as const), timeMs: integer }),
);
const code = fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[]));
const result: fc.Arbitrary<Result> = fc.oneof(
  fc.record({ type: fc.constant("written" as const), revision: integer }),
  fc.record({ type: fc.constant("deleted" as const), revision: integer, deleted: fc.constantFrom(0 as const, 1 as const) }),
  fc.record({ type: fc.constant("sessionOpened" as const), session: integer }),
  fc.constant({ type: "sessionClosed" } as const),
  fc.constant({ type: "timeAdvanced" } as const),
  fc.record({ type: fc.constant("refused" as const), code, revision: integer }),
);

function valueOrDecodeError<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return null;
  }
}

function codeOf(run: () => void): unknown {
  try {
    run();
    return null;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe("the codec", () => {
  test("gives back every command and every result", () => {
    fc.assert(fc.property(command, (original) => { expect(decodeCommand(encodeCommand(original))).toEqual(original); }));
    fc.assert(fc.property(result, (original) => { expect(decodeResult(encodeResult(original))).toEqual(original); }));
  });

  test("makes of any bytes a value, which has those bytes again, or a DecodeError", () => {
    const parts = fc.tuple(fc.nat(6), fc.nat(3), fc.uint8Array({ maxLength: 60 }));
    const bytes = parts.map(([type, kind, rest]) => Uint8Array.of(type, kind, ...rest));
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array()), (any) => {
        const decoded = valueOrDecodeError(() => decodeCommand(any));
        if (decoded !== null) expect(encodeCommand(decoded)).toEqual(any);
        const read = valueOrDecodeError(() => decodeResult(any));
        if (read !== null) expect(encodeResult(read)).toEqual(any);
      }),
      { numRuns: 2000 },
    );
  });

  test("makes of a command that was cut short or changed a command or a DecodeError", () => {
    fc.assert(
      fc.property(command, fc.nat(), fc.nat(255), (original, at, byte) => {
        const bytes = encodeCommand(original);
        valueOrDecodeError(() => decodeCommand(bytes.subarray(0, at % bytes.length)));
        bytes[at % bytes.length] = byte;
        valueOrDecodeError(() => decodeCommand(bytes));
      }),
    );
  });

  test("decodes key and value as views", () => {
    const bytes = put("key", "value");
    const decoded = decodeCommand(bytes);
    expect(decoded.type === "put" && decoded.value.buffer === bytes.buffer && decoded.key.buffer === bytes.buffer).toBe(true);
  });

  test("refuses a sequence number that its own token acknowledges", () => {
    const token: RetryToken = { kind: "session", session: 1, sequence: 5, acknowledged: 5 };
    expect(() => decodeCommand(put("a", "1", { retry: token }))).toThrow(DecodeError);
  });
});

describe("validating", () => {
  test.each([
    [null, put("k".repeat(1024), "v".repeat(1024 * 1024), withKey("i".repeat(256)))],
    [null, encodeCommand({ type: "openSession" })],
    ["SYNOD_ERR_KEY_LENGTH", put("", "v")],
    ["SYNOD_ERR_KEY_LENGTH", put("é".repeat(513), "v")],
    ["SYNOD_ERR_KEY_LENGTH", put("k".repeat(70_000), "v")],
    ["SYNOD_ERR_VALUE_TOO_LARGE", put("k", "v".repeat(1024 * 1024 + 1))],
    ["SYNOD_ERR_BAD_REQUEST", put("k", "v", withKey(""))],
    ["SYNOD_ERR_BAD_REQUEST", put("k", "v", withKey("é".repeat(129)))],
    ["SYNOD_ERR_BAD_REQUEST", new Uint8Array(0)],
  ])("gives %s", (code, bytes) => {
    expect(codeOf(() => validateCommand(bytes))).toBe(code);
  });
});

describe("keys as text", () => {
  test("text becomes UTF-8 and comes back, a byte order mark included; other bytes are no text", () => {
    const point = fc.integer({ min: 0, max: 0x10ffff }).filter((each) => each < 0xd800 || each > 0xdfff);
    const anyText = fc.array(point).map((points) => String.fromCodePoint(...points));
    fc.assert(fc.property(anyText, (text) => { expect(keyToText(keyFromText(text))).toBe(text); }));
    expect(keyToText(keyFromText("\uFEFFa"))).toBe("\uFEFFa");
    expect(keyToText(Uint8Array.of(0xff))).toBeNull();
    expect(codeOf(() => keyFromText("\ud800"))).toBe("SYNOD_ERR_BAD_REQUEST");
    expect(codeOf(() => put("a", "1", withKey("\ud800")))).toBe("SYNOD_ERR_BAD_REQUEST");
  });
});
