import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../src/codec/byte-writer.ts";

describe("a byte writer", () => {
  it("copies what it finishes with, so that later writes do not show in it", () => {
    const writer = new ByteWriter().u8(1).u8(2);
    const bytes = writer.finish();
    writer.reset().u8(9);
    expect([...bytes]).toEqual([1, 2]);
  });

  it("lends what it shows, without copying", () => {
    const writer = new ByteWriter().u8(1).u8(2);
    const bytes = writer.view();
    expect([...bytes]).toEqual([1, 2]);
    writer.reset().u8(9);
    expect(bytes[0]).toBe(9);
  });

  it("gives away what is taken and starts anew, of any size", () => {
    const writer = new ByteWriter(4).u32(0x01020304).text("longer than the first buffer");
    const taken = writer.take();
    expect(writer.length).toBe(0);
    writer.u8(9).u32(7);
    expect(taken[0]).toBe(4);
    expect([...writer.take()]).toEqual([9, 7, 0, 0, 0]);
  });

  it.each(["", "plain", "behind this comes an é", "é first", "\u0000\u007f\u0080", "𝔘 and more"])("writes the text %j as UTF-8 behind its length", (text) => {
    const bytes = new TextEncoder().encode(text);
    expect([...new ByteWriter(4).u8(7).text(text).u8(8).take()]).toEqual([7, bytes.length, 0, 0, 0, ...bytes, 8]);
  });

  it("never writes again to what it gave away, however much comes behind it, and drops what is not taken", () => {
    const writer = new ByteWriter(8);
    const given = Array.from({ length: 40 }, (_, index) => {
      writer.reset().u32(index);
      for (let more = index % 7; more > 0; more--) writer.u8(more);
      const bytes = writer.take();
      writer.u8(99);
      return bytes;
    });
    given.forEach((bytes, index) => {
      expect([...bytes]).toEqual([index, 0, 0, 0, ...Array.from({ length: index % 7 }, (_, more) => (index % 7) - more)]);
    });
  });
});
