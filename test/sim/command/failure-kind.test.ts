import { expect, it } from "vitest";
import { valueDigest } from "../../../src/scenario/names.ts";
import { failureKind } from "../../../src/sim/command/failure-kind.ts";
import { commands } from "../../paxos/lone-core.ts";
import { put } from "../../state/helpers.ts";

const violation = (message: string): string => failureKind({ name: "Violation", message });

it("is the same when a run fails in the same way with other numbers and values", () => {
  const [first, second] = ["one", "another"].map((value) => valueDigest(commands(new TextDecoder().decode(put("k0", value)))));
  expect(violation(`slot 12 was decided twice: ${first} and no-op`)).toBe(violation(`slot 7 was decided twice: barrier(3.1) and ${second}`));
  expect(violation("member 3 sent a promise for 4.1 before that was durable")).toBe(violation("member 1 sent a promise for 12.2 before that was durable"));
  const seen = (key: string): string => violation(`what the clients saw: after 7 operations, with the key ${key}, no order explains it\nmore of it`);
  expect(seen("absent")).toBe(seen("at revision 31"));
});

it("is another when the run fails in another way, be it by the same checker", () => {
  expect(violation("slot 12 was decided twice: no-op and no-op")).not.toBe(violation("member 3 forgot slot 12, which was durable"));
  expect(failureKind({ name: "Error", message: "x" })).not.toBe(failureKind({ name: "TypeError", message: "x" }));
});

it("a value is told by a digest and its beginning when it cannot be read", () => {
  expect(valueDigest(commands("a"))).toBe("a");
  const told = valueDigest(commands(`\u0000\u0001"k0"\u0002${"v".repeat(300)}`));
  expect(told).toMatch(/^batch [0-9a-f]{8} of \d+ bytes \("·k0·v+"\)$/);
  expect(told.length).toBeLessThan(120);
  expect(valueDigest(commands("x".repeat(300)))).not.toBe(valueDigest(commands(`${"x".repeat(299)}y`)));
});
