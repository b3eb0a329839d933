import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  readRequest, type Request, writeReadRequest, writeStatusRequest, writeWriteRequest,
} from "../../src/client/protocol.ts";
import {
  readReply, type Reply, writeErrorReply, writeReadReply, writeResultReply, writeStatusReply,
} from "../../src/client/replies.ts";
import { ByteReader, DecodeError } from "../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { type ErrorCode, ERRORS } from "../../src/errors/table.ts";
import { FakeService } from "../api/fake-service.ts";

const bytes = fc.uint8Array({ maxLength: 40 });
const id = fc.integer({ min: 1, max: 0xffffffff });
const count = fc.maxSafeNat();
const consistency = fc.constantFrom("linearizable", "local");
const record = fc.record({ value: bytes, createRevision: count, modRevision: count, version: count });
const code = fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[]));

const query = fc.oneof(
  fc.record({ type: fc.constant("get" as const), key: bytes }),
  fc.record(
    { type: fc.constant("range" as const), prefix: bytes, limit: fc.integer({ min: 0, max: 0xffffffff }), after: bytes },
    { requiredKeys: ["type", "prefix", "limit"] },
  ),
);

const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ op: fc.constant("write" as const), id, command: bytes }),
  fc.record({ op: fc.constant("read" as const), id, consistency, query }) as fc.Arbitrary<Request>,
  fc.record({ op: fc.constant("status" as const), id }),
);

const result = fc.oneof(
  fc.record({ type: fc.constant("written" as const), revision: count }),
  fc.record({ type: fc.constant("deleted" as const), revision: count, deleted: fc.constantFrom(0 as const, 1 as const) }),
  fc.record({ type: fc.constant("sessionOpened" as const), session: count }),
  fc.record({ type: fc.constant("sessionClosed" as const) }),
  fc.record({ type: fc.constant("refused" as const), code, revision: count }),
);

const read = fc.oneof(
  fc.record({ type: fc.constant("get" as const), revision: count, record: fc.option(record) }),
  fc.record({
    type: fc.constant("range" as const), revision: count, more: fc.boolean(),
    items: fc.array(fc.record({ key: bytes, value: bytes, createRevision: count, modRevision: count, version: count }), { maxLength: 5 }),
  }),
);

const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({ type: fc.constant("result" as const), id, result }),
  fc.record({ type: fc.constant("read" as const), id, result: read }),
  fc.record({ type: fc.constant("status" as const), id, status: fc.constant(new FakeService().status()) }),
  fc.record({
    type: fc.constant("error" as const), id,
    error: fc.tuple(code, fc.string(), fc.option(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.integer()), { nil: undefined }))
      .map(([known, message, details]) => new SynodError(known, message, details)),
  }),
);

function encodeRequest(writer: ByteWriter, item: Request): void {
  if (item.op === "write") writeWriteRequest(writer, item.id, item.command);
  else if (item.op === "read") writeReadRequest(writer, item.id, item.query, item.consistency);
  else writeStatusRequest(writer, item.id);
}

function encodeReply(writer: ByteWriter, item: Reply): void {
  if (item.type === "result") writeResultReply(writer, item.id, item.result);
  else if (item.type === "read") writeReadReply(writer, item.id, item.result);
  else if (item.type === "status") writeStatusReply(writer, item.id, item.status);
  else writeErrorReply(writer, item.id, item.error);
}

function decodeAll<T>(message: Uint8Array, decode: (reader: ByteReader) => T): T[] {
  const reader = new ByteReader(message);
  const items: T[] = [];
  while (reader.remaining > 0) items.push(decode(reader));
  return items;
}

function isValueOrDecodeError(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
  }
}

describe("requests", () => {
  it("come out of a message as they went in, one behind the other", () => {
    fc.assert(fc.property(fc.array(request, { maxLength: 8 }), (requests) => {
      const writer = new ByteWriter();
      for (const item of requests) encodeRequest(writer, item);
      expect(decodeAll(writer.finish(), readRequest)).toEqual(requests);
    }));
  });

  it("are read from any bytes, or refused with a clear error", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (message) => isValueOrDecodeError(() => decodeAll(message, readRequest))));
  });

  it("are refused or read after any damage to a valid message", () => {
    fc.assert(fc.property(request, fc.nat(), fc.nat(255), fc.nat(), (item, at, byte, length) => {
      const writer = new ByteWriter();
      encodeRequest(writer, item);
      const message = writer.finish();
      message[at % message.length] = byte;
      isValueOrDecodeError(() => decodeAll(message.subarray(0, length % (message.length + 1)), readRequest));
    }));
  });
});

describe("replies", () => {
  it("come out of a message as they went in, one behind the other", () => {
    fc.assert(fc.property(fc.array(reply, { maxLength: 8 }), (replies) => {
      const writer = new ByteWriter();
      for (const item of replies) encodeReply(writer, item);
      const read = decodeAll(writer.finish(), readReply);
      expect(read).toEqual(replies);
      for (const [index, item] of replies.entries()) {
        if (item.type === "error") expect((read[index] as { error: SynodError }).error.toBody()).toEqual(item.error.toBody());
      }
    }));
  });

  it("are read from any bytes, or refused with a clear error", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (message) => isValueOrDecodeError(() => decodeAll(message, readReply))));
  });

  it("are refused or read after any damage to a valid message", () => {
    fc.assert(fc.property(reply, fc.nat(), fc.nat(255), (item, at, byte) => {
      const writer = new ByteWriter();
      encodeReply(writer, item);
      const message = writer.finish();
      message[at % message.length] = byte;
      isValueOrDecodeError(() => decodeAll(message, readReply));
    }));
  });

  it("with a code of a newer version still say whether the request may be repeated", () => {
    const error = (retryable: number, unknown: number): SynodError => {
      const writer = new ByteWriter().u8(5).u32(1).text("SYNOD_ERR_FROM_THE_FUTURE").text("text").u8(retryable).u8(unknown).text("");
      return (readReply(new ByteReader(writer.finish())) as { error: SynodError }).error;
    };
    expect(error(0, 1).kind.outcomeUnknown).toBe(true);
    expect(error(1, 1).kind).toMatchObject({ retryable: false, outcomeUnknown: true });
    expect(error(1, 0).kind).toMatchObject({ retryable: true, outcomeUnknown: false });
    expect(error(0, 0).kind).toMatchObject({ retryable: false, outcomeUnknown: false });
    expect(error(0, 0).message).toContain("SYNOD_ERR_FROM_THE_FUTURE");
  });
});
