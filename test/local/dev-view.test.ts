import { describe, expect, it } from "vitest";
import type { ServiceEvent, Status } from "../../src/api/service.ts";
import { incarnation } from "../../src/paxos/ids.ts";
import { coloured, eventLine, plain, statusDigest, statusLine, statusLines, usageLines, type ViewNode } from "../../src/local/dev-view.ts";
import { cut, Screen } from "../../src/local/screen.ts";

const id = incarnation("0123456789abcdef0123456789abcdef");
const ballot = { round: 3, member: "n2", incarnation: id };
const status: Status = {
  member: "n1", incarnation: id, cluster: id, role: "follower", leader: "n2", ballot, committed: 120, applied: 119, revision: 42,
  configuration: { voters: [], learners: [] }, fenced: null, fence: null, keys: [], diskFull: false, version: "1",
  peers: [
    { name: "n2", incarnation: id, address: "127.0.0.1:1", link: "up", refused: null }, { name: "n3", incarnation: id, address: "127.0.0.1:2", link: "dialing", refused: null },
  ],
};
const node: ViewNode = { name: "n1", pid: 5, url: "http://127.0.0.1:7001", state: "running", status };
const event = (type: string, fields: object = {}): ServiceEvent => ({ id: 1, timeMs: 0, member: "n1", type, ...fields });
const sentence = (type: string, fields: object = {}): string | undefined => eventLine(event(type, fields), plain)?.replace(/^[\d:.]+ +n1 +/, "");

describe("a node's status line", () => {
  it("shows name, state, role, ballot, slots, revision, links and address", () => {
    expect(statusLine(node, plain).split(/ {2,}/)).toEqual(["n1", "running", "follower", "3.n2", "120", "119", "42", "1/2", "http://127.0.0.1:7001"]);
  });

  it("shows dashes for a node that does not run, and says when a running one does not answer", () => {
    expect(statusLine({ ...node, state: "paused", status: null }, plain)).toMatch(/^n1 +paused +- +- +- +- +- +- +http/);
    expect(statusLine({ ...node, status: null }, plain)).toMatch(/^n1 +running +no answer/);
  });

  it("shows a member that belongs to no cluster yet", () => {
    expect(statusLine({ ...node, status: { ...status, cluster: null } }, plain)).toContain("unfounded");
  });

  it.each(["learner", "removed"] as const)("shows a member that is %s", (role) => {
    expect(statusLine({ ...node, status: { ...status, role } }, plain)).toMatch(new RegExp(`^n1 +running +${role} `));
  });

  it("stands in line with its heading", () => {
    const [head = "", line = ""] = statusLines([node], plain);
    for (const [title, value] of [["STATE", "running"], ["BALLOT", "3.n2"], ["URL", "http"]] as const) {
      expect(line.indexOf(value)).toBe(head.indexOf(title));
    }
  });

  it("has a digest that does not change with every write", () => {
    expect(statusDigest({ ...node, status: { ...status, committed: 121, applied: 121, revision: 43 } })).toBe(statusDigest(node));
    expect(statusDigest({ ...node, status: { ...status, role: "leader" } })).not.toBe(statusDigest(node));
  });
});

describe("an event's line", () => {
  it("tells who campaigns with which ballot, who promises, who wins and who serves", () => {
    expect(sentence("campaignStarted", { ballot })).toBe("campaigns with ballot 3.n2");
    expect(sentence("promiseGiven", { ballot })).toBe("promises ballot 3.n2");
    expect(sentence("promiseReceived", { ballot, from: "n3" })).toBe("has the promise of n3 for ballot 3.n2");
    expect(sentence("electionWon", { ballot, fromSlot: 1 })).toBe("wins ballot 3.n2");
    expect(sentence("leaderReady", { ballot })).toBe("leads with ballot 3.n2 and serves");
  });

  it("tells who loses and steps down, and why", () => {
    expect(sentence("electionLost", { ballot, reason: "timeout" })).toBe("gives ballot 3.n2 up (no quorum promised in time)");
    expect(sentence("steppedDown", { ballot, reason: "quorumLost" })).toBe("steps down from ballot 3.n2 (it cannot reach a quorum)");
  });

  it("tells whom a member follows, but not that a leader follows itself", () => {
    expect(sentence("leaderChanged", { ballot, leader: "n2" })).toBe("follows n2 (ballot 3.n2)");
    expect(sentence("leaderChanged", { ballot, leader: null })).toBe("knows no leader");
    expect(sentence("leaderChanged", { ballot, leader: "n1" })).toBeUndefined();
  });

  it("tells how the members change, by their names", () => {
    const configuration = { voters: [{ name: "n1" }, { name: "n2" }], learners: [{ name: "n3" }], removed: [] };
    expect(sentence("configurationProposed", { slot: 12, configuration })).toBe("proposes as members n1, n2 and the learner n3 (slot 12)");
    expect(sentence("configurationChanged", { slot: 12, configuration: { ...configuration, learners: [] } })).toBe("knows as members n1, n2 (slot 12)");
    expect(sentence("configurationEntered", { slot: 12 })).toBe("has the promise of a quorum of them for all above slot 12");
    expect(sentence("configurationDone", { slot: 12 })).toBe("says that the change at slot 12 is done");
    expect(sentence("steppedDown", { ballot, reason: "removed" })).toBe("steps down from ballot 3.n2 (it is a voter no more)");
  });

  it("is not there for an event of another kind", () => {
    expect(sentence("somethingElse")).toBeUndefined();
  });
});

it("tells how to use the cluster with real addresses and flags", () => {
  const lines = usageLines({ name: "n2", url: "http://h:2" }, "http://h:1", " --data x", plain).join("\n");
  expect(lines).toContain("curl -X PUT --data 'hello' http://h:1/v1/kv/greeting");
  for (const command of ["kill n2", "start n2", "add", "remove n2"]) expect(lines).toContain(`npx synod dev ${command} --data x`);
});

describe("the screen", () => {
  function terminal(isTTY: boolean, columns = 80): { isTTY: boolean; columns: number; text: string; write(text: string): void } {
    return { isTTY, columns, text: "", write(text) { this.text += text; } };
  }

  it("prints text above the block and draws the block again below it", () => {
    const out = terminal(true);
    const screen = new Screen(out);
    screen.setBlock(["a", "b"]);
    screen.print(["text"]);
    expect(out.text).toBe("a\nb\n\u001b[2A\r\u001b[Jtext\na\nb\n");
  });

  it("redraws the block in place, and only when it changes", () => {
    const out = terminal(true);
    const screen = new Screen(out);
    screen.setBlock(["a"]);
    screen.setBlock(["a"]);
    screen.setBlock(["b"]);
    expect(out.text).toBe("a\n\u001b[1A\r\u001b[Jb\n");
  });

  it("cuts the block's lines to the terminal's width, or the cursor would go up too few lines", () => {
    const out = terminal(true, 5);
    new Screen(out).setBlock(["abcdefgh"]);
    expect(out.text).toBe("abcd\n");
  });

  it("has no block and no escapes without a terminal", () => {
    const out = terminal(false);
    const screen = new Screen(out);
    screen.setBlock(["a"]);
    screen.print(["text"]);
    expect(out.text).toBe("text\n");
  });

  it("cuts coloured text without breaking the colours", () => {
    expect(cut(coloured("good", "abcdef"), 3)).toBe(coloured("good", "abc"));
  });
});
