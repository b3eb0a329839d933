import { describe, expect, test } from "vitest";
import { encodeCommand } from "../../src/state/commands.ts";
import { keyFromText, keyToText } from "../../src/state/key.ts";
import { del, Machine, put } from "./helpers.ts";

const text = (key: Uint8Array): string | null => keyToText(key);

describe("revisions", () => {
  test("the revision grows by one with each change, and a key knows when it was created, last written and how often", () => {
    const machine = new Machine();
    expect(machine.apply(put("a", "1"))).toEqual({ type: "written", revision: 1 });
    machine.apply(put("b", "1"));
    expect(machine.apply(put("a", "2"))).toEqual({ type: "written", revision: 3 });
    const record = { value: keyFromText("2"), createRevision: 1, modRevision: 3, version: 2 };
    expect(machine.state.get(keyFromText("a"))).toEqual(record);
  });

  test("a delete counts as a change, and the key starts anew after it", () => {
    const machine = new Machine();
    machine.apply(put("a", "1"));
    expect(machine.apply(del("a"))).toEqual({ type: "deleted", revision: 2, deleted: 1 });
    expect(machine.text("a")).toBeNull();
    machine.apply(put("a", "2"));
    expect(machine.state.get(keyFromText("a"))).toMatchObject({ createRevision: 3, modRevision: 3, version: 1 });
  });

  test("deleting a key that does not exist changes nothing", () => {
    const machine = new Machine();
    machine.apply(put("b", "1"));
    expect(machine.apply(del("a"))).toEqual({ type: "deleted", revision: 1, deleted: 0 });
    expect(machine.state.revision).toBe(1);
  });
});

describe("prevRevision", () => {
  test("0 writes only a key that does not exist, and the refusal names the key's revision", () => {
    const machine = new Machine();
    expect(machine.apply(put("a", "1", { prevRevision: 0 })).type).toBe("written");
    const refused = { type: "refused", code: "SYNOD_ERR_PRECONDITION", revision: 1 };
    expect(machine.apply(put("a", "2", { prevRevision: 0 }))).toEqual(refused);
    expect(machine.apply(del("a", { prevRevision: 0 }))).toEqual(refused);
    expect(machine.text("a")).toBe("1");
    expect(machine.state.revision).toBe(1);
  });

  test("a number writes only the key whose mod revision it is", () => {
    const machine = new Machine();
    machine.apply(put("a", "1"));
    expect(machine.apply(put("a", "2", { prevRevision: 1 }))).toEqual({ type: "written", revision: 2 });
    expect(machine.apply(put("a", "3", { prevRevision: 1 }))).toMatchObject({ code: "SYNOD_ERR_PRECONDITION", revision: 2 });
    expect(machine.apply(del("a", { prevRevision: 2 }))).toEqual({ type: "deleted", revision: 3, deleted: 1 });
    expect(machine.apply(put("a", "4", { prevRevision: 2 }))).toMatchObject({ code: "SYNOD_ERR_PRECONDITION", revision: 0 });
  });
});

describe("values", () => {
  test("outlive the bytes they came in", () => {
    const machine = new Machine();
    const command = put("a", "value");
    machine.apply(command);
    command.fill(0);
    expect(machine.text("a")).toBe("value");
  });

  test("stay as they were for a reader when the key is written again", () => {
    const machine = new Machine();
    machine.apply(put("a", "first"));
    const read = machine.state.get(keyFromText("a"));
    for (let index = 0; index < 5000; index++) machine.apply(put("a", `other ${index}`));
    expect(text(read?.value as Uint8Array)).toBe("first");
  });

  test("may be empty and may be large", () => {
    const machine = new Machine();
    const large = "x".repeat(1024 * 1024);
    machine.apply(put("empty", ""));
    machine.apply(put("large", large));
    expect(machine.text("empty")).toBe("");
    expect(machine.text("large")).toBe(large);
  });
});

describe("range", () => {
  const machine = new Machine();
  for (const key of ["b", "a/2", "a/1", "é", "a/10", "a"]) machine.apply(put(key, `value of ${key}`));
  const keys = (prefix: string, limit: number, after?: string): [(string | null)[], boolean] => {
    const query = { prefix: keyFromText(prefix), limit };
    const page = machine.state.range(after === undefined ? query : { ...query, after: keyFromText(after) });
    return [page.items.map((item) => text(item.key)), page.more];
  };

  test("lists keys in byte order", () => {
    expect(keys("", 10)).toEqual([["a", "a/1", "a/10", "a/2", "b", "é"], false]);
  });

  test("lists only keys with the prefix", () => {
    expect(keys("a/", 10)).toEqual([["a/1", "a/10", "a/2"], false]);
    expect(keys("c", 10)).toEqual([[], false]);
  });

  test("pages: says when more follow and goes on after a key, existing or not", () => {
    expect(keys("a/", 2)).toEqual([["a/1", "a/10"], true]);
    expect(keys("a/", 3)).toEqual([["a/1", "a/10", "a/2"], false]);
    expect(keys("a/", 2, "a/10")).toEqual([["a/2"], false]);
    expect(keys("a/", 2, "a/11")).toEqual([["a/2"], false]);
    expect(keys("a/", 2, "A")).toEqual([["a/1", "a/10"], true]);
    expect(keys("a/", 2, "b")).toEqual([[], false]);
  });

  test("keeps keys that are no text, in the order of their bytes", () => {
    const bytes = new Machine();
    for (const key of [[0xff], [0x80, 1], [0], [0x7f], [0x80]]) {
      const retry = { kind: "none" } as const;
      const fields = { key: Uint8Array.from(key), value: new Uint8Array(0), prevRevision: null, retry };
      bytes.apply(encodeCommand({ type: "put", ...fields }));
    }
    const { items } = bytes.state.range({ prefix: new Uint8Array(0), limit: 10 });
    expect(items.map((item) => [...item.key])).toEqual([[0], [0x7f], [0x80], [0x80, 1], [0xff]]);
  });
});

describe("commands that are none", () => {
  test("are refused alike everywhere and change nothing but the checksum", () => {
    const machine = new Machine();
    for (const bytes of [new Uint8Array(0), Uint8Array.of(99), Uint8Array.of(1, 7), put("a", "1").subarray(0, 5)]) {
      const before = machine.state.checksum;
      expect(machine.apply(bytes)).toEqual({ type: "refused", code: "SYNOD_ERR_BAD_REQUEST", revision: 0 });
      expect(machine.state.checksum).not.toBe(before);
    }
    expect(machine.state.revision).toBe(0);
  });

  test("as are those beyond the limits", () => {
    const machine = new Machine();
    expect(machine.apply(put("k".repeat(1025), ""))).toMatchObject({ code: "SYNOD_ERR_KEY_LENGTH" });
    expect(machine.apply(put("", ""))).toMatchObject({ code: "SYNOD_ERR_KEY_LENGTH" });
    expect(machine.apply(put("k", "v".repeat(1024 * 1024 + 1)))).toMatchObject({ code: "SYNOD_ERR_VALUE_TOO_LARGE" });
    expect(machine.state.keyCount).toBe(0);
  });
});

describe("slots", () => {
  test("come in order", () => {
    const machine = new Machine();
    expect(machine.state.applySlot(5, [put("a", "1"), put("b", "1")]).map(({ type }) => type)).toEqual(["written", "written"]);
    expect(machine.state.slot).toBe(5);
    expect(() => machine.state.applySlot(5, [put("a", "2")])).toThrow("comes after slot 5");
    expect(() => machine.state.apply(4, put("a", "2"))).toThrow("comes after slot 5");
  });
});

describe("log time", () => {
  test("only grows", () => {
    const machine = new Machine();
    expect(machine.advanceTo(1000)).toEqual({ type: "timeAdvanced" });
    machine.advanceTo(500);
    expect(machine.state.logTimeMs).toBe(1000);
  });
});
