import { describe, expect, it } from "vitest";
import type { Operation } from "../../src/history/operation.ts";
import { clientStory } from "../../src/sim/client-story.ts";
import { storyEnd } from "../../src/sim/command/story-end.ts";

const MS = 1_000_000;

function write(key: string, value: string, beginMs: number, endMs: number, revision: number): Operation {
  return { op: "write", key, value, outcome: "ok", result: { is: "written", revision }, client: 1, member: "2", invokeNs: beginMs * MS, returnNs: endMs * MS };
}

function read(key: string, beginMs: number, endMs: number): Operation {
  return { op: "read", key, outcome: "ok", result: { is: "absent" }, client: 3, member: "1", invokeNs: beginMs * MS, returnNs: endMs * MS };
}

describe("the clients' story", () => {
  it("has each operation where it begins and where it ends, in the order of time, with what was told", () => {
    const [written, lost] = [write("k0", "v1", 10, 20, 4), read("k0", 15.5, 30)];
    const unknown: Operation = { op: "cas", key: "k0", value: "v2", prevRevision: 4, outcome: "unknown", code: "SYNOD_ERR_UNREACHABLE", client: 2, member: "3", invokeNs: 12 * MS, returnNs: 40 * MS };
    expect(clientStory({ key: "k0", reason: "", operations: [lost] }, [unknown, written, lost, write("k1", "x", 11, 12, 5)])).toEqual([
      "10.000 client 1 begins: write k0=v1",
      "12.000 client 2 begins: write k0=v2 if its revision is 4",
      "15.500 client 3 begins: read k0 <== this",
      "20.000 client 1 ends: write k0=v1: done as revision 4 (member 2, begun at 10.000)",
      "30.000 client 3 ends: read k0: there is none (member 1, begun at 15.500) <== this",
      "40.000 client 2 ends: write k0=v2 if its revision is 4: outcome unknown, SYNOD_ERR_UNREACHABLE (member 3, begun at 12.000)",
    ]);
  });

  it("keeps to those that were begun nearest, and shortens what they wrote", () => {
    const all = Array.from({ length: 500 }, (_, index) => write("k0", "v".repeat(300), 10 * index, 10 * index + 5, index + 1));
    const story = clientStory({ key: "k0", reason: "", operations: [all[250] as Operation] }, all);
    expect(story).toHaveLength(40);
    expect(story.every((line) => line.length < 150)).toBe(true);
    expect(Number.parseFloat(story[0] as string)).toBeGreaterThan(2_300);
  });
});

describe("the end of a story", () => {
  const story = Array.from({ length: 100 }, (_, index) => `${index}.000 1 does something`);

  it("is its last lines", () => {
    expect(storyEnd(story, [])).toEqual(story.slice(-30));
  });

  it("is what the members did while clients saw it, and both in one order", () => {
    expect(storyEnd(story, ["9.500 client 1 begins", "11.500 client 1 ends"])).toEqual([
      "9.500 client 1 begins", "10.000 1 does something", "11.000 1 does something", "11.500 client 1 ends",
    ]);
  });
});
