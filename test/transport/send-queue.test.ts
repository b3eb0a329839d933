import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DecodeError } from "../../src/codec/byte-reader.ts";
import { FIRST, REST, WHOLE, itemHeader } from "../../src/transport/frame-format.ts";
import { MessageAssembler } from "../../src/transport/message-assembler.ts";
import { type Lane, SendQueue } from "../../src/transport/send-queue.ts";
import { bytes, text } from "./member.ts";

const FRAME_BYTES = 64;
const MESSAGE_BYTES = 10_000;

function item(kind: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(itemHeader(kind, body.length));
  return Buffer.concat([header, body]);
}

function first(total: number, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(total);
  return item(FIRST, Buffer.concat([length, bytes(body)]));
}

describe("the queue of one peer", () => {
  it("puts everything that fits into one frame, urgent messages first", () => {
    const queue = new SendQueue(FRAME_BYTES);
    queue.push(bytes("bulk"), "bulk");
    queue.push(bytes("urgent"), "urgent");
    const frame = queue.nextFrame(true);
    expect(new MessageAssembler(MESSAGE_BYTES).read(frame.bytes).map(text)).toEqual(["urgent", "bulk"]);
    expect(frame).toMatchObject({ messages: 2, messageBytes: 10 });
    expect(queue.bytes).toBe(0);
  });

  it("lets an urgent message overtake between the fragments of a bulk one", () => {
    const queue = new SendQueue(FRAME_BYTES);
    const assembler = new MessageAssembler(MESSAGE_BYTES);
    queue.push(bytes("x".repeat(150)), "bulk");
    expect(assembler.read(queue.nextFrame(true).bytes)).toEqual([]);
    queue.push(bytes("now"), "urgent");
    expect(assembler.read(queue.nextFrame(true).bytes).map(text)).toEqual(["now"]);
    expect(assembler.read(queue.nextFrame(true).bytes).map(text)).toEqual(["x".repeat(150)]);
  });

  it("sends no bulk message in a frame for urgent ones only", () => {
    const queue = new SendQueue(FRAME_BYTES);
    queue.push(bytes("bulk"), "bulk");
    queue.push(bytes("urgent"), "urgent");
    expect(new MessageAssembler(MESSAGE_BYTES).read(queue.nextFrame(false).bytes).map(text)).toEqual(["urgent"]);
    expect(queue.hasBulk).toBe(true);
  });

  it("carries any messages whole and in their lane's order, in frames within the bound", () => {
    const message = fc.record({
      lane: fc.constantFrom<Lane>("urgent", "bulk"),
      length: fc.oneof(fc.nat(80), fc.nat(1_000)),
      flushes: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), fc.integer({ min: 64, max: 300 }), (messages, frameBytes) => {
        const queue = new SendQueue(frameBytes);
        const assembler = new MessageAssembler(MESSAGE_BYTES);
        const got: string[] = [];
        const pump = (): void => {
          const frame = queue.nextFrame(true);
          expect(frame.bytes.length).toBeLessThanOrEqual(frameBytes);
          got.push(...assembler.read(frame.bytes).map(text));
        };
        const sent = messages.map(({ lane, length, flushes }, index) => {
          const lead = `${lane === "urgent" && length + 4 <= frameBytes ? "u" : "b"}${index}:`;
          const body = lead.padEnd(length, "x").slice(0, Math.max(length, lead.length));
          queue.push(bytes(body), lead.startsWith("u") && body.length + 4 <= frameBytes ? "urgent" : "bulk");
          for (let flush = 0; flush < flushes && queue.messages > 0; flush++) pump();
          return body;
        });
        while (queue.messages > 0) pump();
        expect(queue.bytes).toBe(0);
        for (const lane of ["u", "b"]) {
          expect(got.filter((body) => body.startsWith(lane))).toEqual(sent.filter((body) => body.startsWith(lane)));
        }
      }),
    );
  });
});

describe("reading frames", () => {
  it.each<[string, Buffer[], RegExp]>([
    ["an empty frame", [Buffer.alloc(0)], /without items/],
    ["half a header", [Buffer.from([1, 0])], /needs 4 bytes/],
    ["an item longer than its frame", [Buffer.from([9, 0, 0, 0, 1])], /needs 9 bytes/],
    ["an unknown kind", [item(3, bytes("x"))], /kind of item/],
    ["a fragment of no message", [item(REST, bytes("x"))], /of no message/],
    ["a message that begins inside another", [first(10, "abc"), first(10, "abc")], /inside another/],
    ["an empty fragment", [first(10, "abc"), item(REST, bytes(""))], /empty fragment/],
    ["a fragment beyond its message", [first(5, "abc"), item(REST, bytes("def"))], /exceeds its message/],
    ["a message above the bound", [first(MESSAGE_BYTES + 1, "abc")], /exceeds 10000/],
    ["a first fragment that is all", [first(3, "abc")], /none or all/],
  ])("refuses %s", (_, frames, reason) => {
    const assembler = new MessageAssembler(MESSAGE_BYTES);
    for (const frame of frames.slice(0, -1)) assembler.read(frame);
    expect(() => assembler.read(frames.at(-1) as Buffer)).toThrow(reason);
    expect(() => assembler.read(Buffer.alloc(0))).toThrow(DecodeError);
  });

  it("answers any bytes with messages or a DecodeError", () => {
    const raw = fc.uint8Array({ maxLength: 200 });
    const plausible = fc.record({ kind: fc.nat(3), body: fc.uint8Array({ maxLength: 20 }) }).map(({ kind, body }) => item(kind, body));
    fc.assert(
      fc.property(fc.array(fc.oneof(raw, plausible), { maxLength: 8 }), (frames) => {
        const assembler = new MessageAssembler(MESSAGE_BYTES);
        try {
          for (const frame of frames) assembler.read(frame);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it("hands out whole messages as views of the frame", () => {
    const frame = item(WHOLE, bytes("view"));
    expect(new MessageAssembler(MESSAGE_BYTES).read(frame)[0]?.buffer).toBe(frame.buffer);
  });
});
