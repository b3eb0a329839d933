import { describe, expect, it } from "vitest";
import { quantity } from "../../../src/controller/manifests/quantity.ts";
import { isSubset } from "../../../src/controller/manifests/subset.ts";

describe("a quantity", () => {
  it.each<[string | number, number | null]>([
    ["1", 1], [2, 2], ["1.5", 1.5], [".5", 0.5], ["100m", 0.1], ["700m", 0.7], ["1k", 1_000], ["1Ki", 1_024], ["1Gi", 2 ** 30], ["1e3", 1_000], ["2E", 2e18], ["5n", 5e-9],
    ["", null], ["Gi", null], ["1Zi", null], ["1 Gi", null], ["one", null],
  ])("%s is %s", (text, value) => {
    expect(quantity(text)).toBe(value);
  });
});

describe("what is desired is contained in what lives", () => {
  it.each<[string, unknown, unknown]>([
    ["with what the API server adds", { a: 1 }, { a: 1, b: 2 }],
    ["in maps of maps", { a: { b: { c: "x" } } }, { a: { b: { c: "x", d: 1 } } }],
    ["where the API server drops what is empty", { nodeSelector: {}, tolerations: [] }, {}],
    ["where nothing is desired", { a: undefined, b: null }, { a: 1 }],
    ["in quantities of another form", { requests: { cpu: "1000m", memory: "1024Mi" } }, { requests: { cpu: "1", memory: "1Gi" } }],
    ["in lists by position, with what is added to each element", { ports: [{ port: 1 }, { port: 2 }] }, { ports: [{ port: 1, protocol: "TCP" }, { port: 2 }] }],
    ["in a list by key, with the elements of others", { containers: [{ name: "synod", image: "a" }] }, { containers: [{ name: "proxy" }, { name: "synod", image: "a", tty: false }] }],
    ["in owners, beside other owners", { ownerReferences: [{ uid: "1" }] }, { ownerReferences: [{ uid: "2" }, { uid: "1" }] }],
  ])("%s", (_, desired, live) => {
    expect(isSubset(desired, live)).toBe(true);
  });

  it.each<[string, unknown, unknown]>([
    ["another value", { a: 1 }, { a: 2 }],
    ["a missing one", { a: 1 }, {}],
    ["false for nothing", { a: false }, {}],
    ["text for a number", { a: 1 }, { a: "1" }],
    ["another quantity", { requests: { cpu: "1" } }, { requests: { cpu: "1001m" } }],
    ["a quantity where there is none", { limits: { cpu: "1" } }, { limits: {} }],
    ["the same amount in a field that is no quantity", { value: "1000m" }, { value: "1" }],
    ["a list with one more", { drop: ["ALL"] }, { drop: ["ALL", "KILL"] }],
    ["a list in another order", { args: ["a", "b"] }, { args: ["b", "a"] }],
    ["a list that is none", { args: ["a"] }, { args: { 0: "a" } }],
    ["an element by key that differs", { env: [{ name: "A", value: "1" }] }, { env: [{ name: "A", value: "2" }] }],
    ["nothing at all", { a: 1 }, null],
  ])("not with %s", (_, desired, live) => {
    expect(isSubset(desired, live)).toBe(false);
  });
});
