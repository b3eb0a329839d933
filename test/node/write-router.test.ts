import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { WriteLimits } from "../../src/node/write-router.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { decodeCommand } from "../../src/state/commands.ts";
import { del, put } from "../state/helpers.ts";
import { writesIn, WriteWorld } from "./write-world.ts";

const SIZE = put("a", "").length;
const NO_LEADER = new SynodError("SYNOD_ERR_NO_LEADER");

function leading(limits: Partial<WriteLimits> = {}): WriteWorld {
  const world = new WriteWorld(limits);
  world.leads = true;
  return world;
}

function submitAll(world: WriteWorld, keys: string): void {
  for (const key of keys) world.submit(put(key, ""));
}

describe("a leader's writes", () => {
  it("are proposed in batches of at most so many commands", () => {
    const world = leading({ batchCommands: 2 });
    submitAll(world, "abcde");
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  it("are proposed apart while the disk is full: what makes the state grow, which is refused, and what does not", () => {
    const world = leading();
    world.full = true;
    const answers = [put("a", ""), del("b"), put("c", ""), del("d")].map((command) => world.submit(command));
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "c"], ["b", "d"]]);
    expect(world.sent.map(({ grows }) => grows)).toEqual([true, false]);
    world.router.failed(world.sent[0]?.id ?? 0, "diskFull");
    expect(answers).toEqual([["SYNOD_ERR_NO_SPACE"], [], ["SYNOD_ERR_NO_SPACE"], []]);
  });

  it("are proposed in batches of at most so many bytes, a larger write alone", () => {
    const world = leading({ batchBytes: 2 * SIZE });
    submitAll(world, "abc");
    world.submit(put("d", "a value beyond the bound"));
    submitAll(world, "e");
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "b"], ["c"], ["d"], ["e"]]);
  });

  it("are proposed up to a number of bytes in one turn, and the rest in the next", () => {
    const world = leading({ turnBytes: 2 * SIZE });
    submitAll(world, "abc");
    expect(world.router.route()).toBe(true);
    expect(world.sentKeys).toEqual([["a", "b"]]);
    expect(world.router.route()).toBe(false);
    expect(world.sentKeys).toEqual([["a", "b"], ["c"]]);
  });

  it("are proposed one in a turn when each has more bytes than a turn should", () => {
    const world = leading({ turnBytes: SIZE - 1 });
    submitAll(world, "ab");
    expect([world.router.route(), world.router.route()]).toEqual([true, false]);
    expect(world.sentKeys).toEqual([["a"], ["b"]]);
  });

  it("are all proposed, in order and within every bound, whatever their sizes", () => {
    const limits = fc.record({
      batchCommands: fc.integer({ min: 1, max: 5 }),
      batchBytes: fc.integer({ min: 1, max: 200 }),
      turnBytes: fc.integer({ min: 1, max: 400 }),
    });
    fc.assert(fc.property(limits, fc.array(fc.nat({ max: 120 }), { maxLength: 30, size: "max" }), (bounds, sizes) => {
      const world = leading(bounds);
      sizes.forEach((size, index) => world.submit(put(String(index), "v".repeat(size))));
      // Each turn sends one at least, so there are no more turns than writes.
      for (let turns = 0, more = sizes.length > 0; more && turns < sizes.length; turns++) {
        const before = world.sent.length;
        more = world.router.route();
        const turn = world.sent.slice(before).flatMap(({ commands }) => writesIn(commands));
        expect(turn.length === 1 || bytesOf(turn) <= bounds.turnBytes).toBe(true);
        expect(more).toBe(world.router.sizes.waiting > 0);
      }
      expect(world.sentKeys.flat()).toEqual(sizes.map((_, index) => String(index)));
      for (const batch of world.sent.map(({ commands }) => writesIn(commands))) {
        expect(batch.length).toBeLessThanOrEqual(bounds.batchCommands);
        expect(batch.length === 1 || bytesOf(batch) <= bounds.batchBytes).toBe(true);
      }
    }));
  });

  it("wait while the core has no room for them, and go out in order as there is", () => {
    const world = leading();
    const LOG_TIME_ROOM = 32;
    const OVERHEAD = 64;
    submitAll(world, "abc");
    world.roomBytes = 0;
    expect(world.router.route()).toBe(false);
    expect(world.sentKeys).toEqual([]);
    world.roomBytes = 2 * (SIZE + OVERHEAD) + LOG_TIME_ROOM;
    expect(world.router.route()).toBe(true);
    world.roomBytes = Infinity;
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "b"], ["c"]]);
  });

  it("are led by log time once in a while", () => {
    const world = leading({ logTimeMs: 1_000 });
    const proposeAt = (nowMs: number, logTimeMs: number, key: string): void => {
      world.nowMs = nowMs;
      world.logTimeMs = logTimeMs;
      world.submit(put(key, ""));
      world.router.route();
    };
    proposeAt(0, 70_000, "a");
    proposeAt(999, 70_999, "b");
    proposeAt(1_000, 71_000, "c");
    const logTimes = world.sent.map(({ commands }) => commands.map(decodeCommand).filter(({ type }) => type === "advanceTime"));
    expect(logTimes).toEqual([[{ type: "advanceTime", timeMs: 70_000 }], [], [{ type: "advanceTime", timeMs: 71_000 }]]);
    expect(world.sent.map(({ commands }) => decodeCommand(commands.at(-1) as Uint8Array).type)).toEqual(["put", "put", "put"]);
  });

  it("get each its own result, with log time in front or without", () => {
    const world = leading({ batchCommands: 2 });
    const answers = ["a", "b", "c"].map((key) => world.submit(put(key, "")));
    world.router.route();
    const [first, second] = world.sent;
    world.router.applied(first?.id as number, [{ type: "timeAdvanced" }, { type: "written", revision: 1 }, { type: "written", revision: 2 }]);
    world.router.applied(second?.id as number, [{ type: "written", revision: 3 }]);
    expect(answers).toEqual([1, 2, 3].map((revision) => [{ type: "written", revision }]));
  });

  it("are counted with the time from proposal to apply, and without log time", () => {
    const world = leading();
    submitAll(world, "ab");
    world.router.route();
    world.nowMs = 250;
    world.router.applied(world.lastId, [{ type: "timeAdvanced" }, { type: "written", revision: 1 }, { type: "written", revision: 2 }]);
    expect(world.ended).toEqual([{ outcome: "chosen", commands: 2, seconds: 0.25 }]);
  });
});

describe("the bounds on what is held", () => {
  it("refuse one write too many at once as busy, until another is answered", () => {
    const world = leading({ maxWrites: 2 });
    submitAll(world, "ab");
    expect(world.submit(put("c", ""))).toEqual(["SYNOD_ERR_BUSY"]);
    world.router.route();
    expect(world.submit(put("d", ""))).toEqual(["SYNOD_ERR_BUSY"]);
    world.router.applied(world.lastId, [{ type: "timeAdvanced" }, { type: "written", revision: 1 }, { type: "written", revision: 2 }]);
    expect(world.submit(put("e", ""))).toEqual([]);
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "b"], ["e"]]);
  });

  it("refuse a write with too many bytes at once as busy, and still take a smaller one", () => {
    const world = leading({ maxBytes: 3 * SIZE });
    submitAll(world, "ab");
    expect(world.submit(put("c", "x"))).toEqual(["SYNOD_ERR_BUSY"]);
    expect(world.submit(put("d", ""))).toEqual([]);
    expect(world.router.sizes).toEqual({ held: 3, waiting: 3 });
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "b", "d"]]);
  });

  it("take as many bytes again once those that were held are answered", () => {
    const world = leading({ maxBytes: SIZE });
    submitAll(world, "a");
    world.router.route();
    world.router.applied(world.lastId, [{ type: "timeAdvanced" }, { type: "written", revision: 1 }]);
    expect(world.submit(put("b", ""))).toEqual([]);
  });
});

describe("a follower's writes", () => {
  it("are forwarded in batches within the same bounds, and get the leader's results", () => {
    const world = new WriteWorld({ batchCommands: 2, turnBytes: 3 * SIZE });
    const answers = ["a", "b", "c", "d"].map((key) => world.submit(put(key, "")));
    expect([world.router.route(), world.router.route()]).toEqual([true, false]);
    expect(world.sentKeys).toEqual([["a", "b"], ["c"], ["d"]]);
    world.sent.forEach(({ to, id, commands }) => {
      world.router.forwarded(to as NonNullable<typeof to>, id, commands.map((_, at) => ({ type: "written", revision: 10 * id + at })));
    });
    expect(answers).toEqual([10, 11, 20, 30].map((revision) => [{ type: "written", revision }]));
  });

  it("wait while no leader is known", () => {
    const world = new WriteWorld();
    world.leader = null;
    const answers = world.submit(put("a", ""));
    expect(world.router.route()).toBe(false);
    expect(world.sent).toEqual([]);
    world.leader = memberIncarnation(2);
    world.router.route();
    expect(world.sent.map(({ to }) => to)).toEqual([memberIncarnation(2)]);
    expect(answers).toEqual([]);
  });

  it("wait for another turn when the link takes no more", () => {
    const world = new WriteWorld({ turnBytes: SIZE });
    submitAll(world, "ab");
    world.linkTakesMore = false;
    expect(world.router.route()).toBe(false);
    expect(world.router.sizes).toEqual({ held: 2, waiting: 2 });
    world.linkTakesMore = true;
    world.router.route();
    expect(world.sentKeys).toEqual([["a"]]);
  });

  it("are not sent again at once to a leader that says it leads no more", () => {
    const world = new WriteWorld();
    submitAll(world, "a");
    world.router.route();
    world.router.forwarded(memberIncarnation(1), world.lastId, [NO_LEADER]);
    world.router.route();
    expect(world.sent).toHaveLength(1);
    world.nowMs = 10;
    world.router.route();
    expect(world.sent).toHaveLength(2);
  });

  it("go to its successor as soon as that is known", () => {
    const world = new WriteWorld();
    submitAll(world, "a");
    world.router.route();
    world.router.forwarded(memberIncarnation(1), world.lastId, [NO_LEADER]);
    world.leader = memberIncarnation(2);
    world.router.route();
    expect(world.sent.map(({ to }) => to)).toEqual([memberIncarnation(1), memberIncarnation(2)]);
  });

  it("are proposed when it has become the leader meanwhile", () => {
    const world = new WriteWorld();
    submitAll(world, "a");
    world.router.route();
    world.router.forwarded(memberIncarnation(1), world.lastId, [NO_LEADER]);
    world.leads = true;
    world.router.route();
    expect(world.sent.map(({ to }) => to)).toEqual([memberIncarnation(1), null]);
  });
});

describe("writes that a peer forwarded", () => {
  it("are proposed by a leader like any other", () => {
    const world = leading();
    world.submit(put("a", ""), true);
    submitAll(world, "b");
    world.router.route();
    expect(world.sentKeys).toEqual([["a", "b"]]);
  });

  it("go back to the peer when this member does not lead, and never on to another", () => {
    const world = new WriteWorld();
    const answers = world.submit(put("a", ""), true);
    submitAll(world, "b");
    world.router.route();
    expect(answers).toEqual(["SYNOD_ERR_NO_LEADER"]);
    expect(world.sentKeys).toEqual([["b"]]);
  });

  it("go back to the peer when this member led no more before they were proposed", () => {
    const world = leading();
    const answers = world.submit(put("a", ""), true);
    world.router.route();
    world.leads = false;
    world.router.failed(world.lastId, "notLeader");
    world.router.route();
    expect(answers).toEqual(["SYNOD_ERR_NO_LEADER"]);
    expect(world.sent).toHaveLength(1);
  });
});

function bytesOf(commands: readonly Uint8Array[]): number {
  return commands.reduce((sum, command) => sum + command.length, 0);
}
