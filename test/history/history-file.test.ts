import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HistoryFile, readHistory } from "./history-file.ts";
import { formatOperation, HistoryFormatError, parseOperation } from "../../src/history/operation.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { simulateHistory } from "./simulated-history.ts";

const folder = mkdtempSync(join(tmpdir(), "synod-history-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a history file", () => {
  it("gives back every operation that was written", async () => {
    const history = simulateHistory(new SeededRandom(1), { operations: 500, clients: 5, keys: 3, unknownRate: 0.1, deletes: true });
    const file = new HistoryFile(join(folder, "a", "run.jsonl"));
    for (const operation of history) file.write(operation);
    await file.close();
    expect(await readHistory(file.path)).toEqual(history);
    file.remove();
    expect(existsSync(file.path)).toBe(false);
  });

  it("names the line that is wrong", async () => {
    const path = join(folder, "bad.jsonl");
    const good = formatOperation({ client: 0, member: "m", key: "k", op: "read", outcome: "ok", result: { is: "absent" }, invokeNs: 0, returnNs: 1 });
    writeFileSync(path, `${good}\n{"client":0}\n`);
    await expect(readHistory(path)).rejects.toThrow("line 2: key is not a string");
  });
});

describe("an operation's line", () => {
  const good = { client: 0, member: "m", key: "k", op: "cas", value: "v", prevRevision: 0, outcome: "ok", result: { is: "written", revision: 1 }, invokeNs: 0, returnNs: 1 };
  it.each([
    ["is not JSON", "{"],
    ["is not an object", "[]"],
    ["returns before it is invoked", { ...good, invokeNs: 2 }],
    ["has an unknown op", { ...good, op: "append" }],
    ["is a cas without a revision to compare", { ...good, prevRevision: undefined }],
    ["is a cad of an absent key", { ...good, op: "cad", prevRevision: 0 }],
    ["is a write without a value", { ...good, op: "write", value: undefined }],
    ["has an unknown outcome", { ...good, outcome: "maybe" }],
    ["is ok and has no result", { ...good, result: undefined }],
    ["has another operation's result", { ...good, op: "write", result: { is: "refused" } }],
    ["acknowledges a write without a revision", { ...good, result: { is: "written" } }],
    ["failed without a code", { ...good, outcome: "fail", code: 5 }],
  ])("is refused when it %s", (_, line) => {
    expect(() => parseOperation(typeof line === "string" ? line : JSON.stringify(line))).toThrow(HistoryFormatError);
  });
  it("is accepted otherwise", () => expect(parseOperation(JSON.stringify(good))).toEqual(good));
});
