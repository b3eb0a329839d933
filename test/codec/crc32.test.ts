import { crc32 as zlibCrc32 } from "node:zlib";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../src/codec/crc32.ts";

test("gives the same numbers as zlib for any bytes, any seed and any alignment", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), fc.nat(8), (bytes, seed, skip) => {
      const view = bytes.subarray(Math.min(skip, bytes.length));
      expect(crc32(view, seed)).toBe(zlibCrc32(view, seed));
    }),
  );
});

test("continues from the CRC of what came before", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index * 7);
  expect(crc32(bytes.subarray(333), crc32(bytes.subarray(0, 333)))).toBe(crc32(bytes));
});
