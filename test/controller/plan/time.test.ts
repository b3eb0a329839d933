import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRfc3339, rfc3339 } from "../../../src/controller/plan/time.ts";

describe("a time as Kubernetes writes it", () => {
  it("is what Date says, for every second of these centuries", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 9_000_000_000_000 }), (ms) => {
      const text = `${new Date(ms).toISOString().slice(0, 19)}Z`;
      expect(rfc3339(ms)).toBe(text);
      expect(parseRfc3339(text)).toBe(Math.floor(ms / 1_000) * 1_000);
    }));
  });

  it.each(["2024-02-29T00:00:00Z", "2000-02-29T23:59:59Z", "2100-03-01T00:00:00Z", "1970-01-01T00:00:00Z"])("knows leap years: %s", (text) => {
    expect(rfc3339(Date.parse(text))).toBe(text);
    expect(parseRfc3339(text)).toBe(Date.parse(text));
  });

  it("is nothing when it is no time", () => {
    expect(parseRfc3339("yesterday")).toBeNull();
  });
});
