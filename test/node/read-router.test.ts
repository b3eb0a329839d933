import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { ErrorCode } from "../../src/errors/table.ts";
import { DEFAULT_READ_LIMITS, type ReadLimits, ReadRouter } from "../../src/node/read-router.ts";
import { slot } from "../../src/paxos/ids.ts";
import { plain } from "./outcome.ts";

const TIMEOUT_MS = 5_000;

/** A router with all that it needs of a member, for tests to turn. An answer of null lets the read look at the state. */
class ReadWorld {
  readonly router: ReadRouter;
  nowMs = 0;
  knowsLeader = true;
  appliedSlot = 0;
  readonly asked: number[] = [];

  constructor(limits: Partial<ReadLimits> = {}) {
    this.router = new ReadRouter({
      nowMs: () => this.nowMs,
      knowsLeader: () => this.knowsLeader,
      ask: (id) => void this.asked.push(id),
      appliedSlot: () => this.appliedSlot,
    }, { ...DEFAULT_READ_LIMITS, timeoutMs: TIMEOUT_MS, ...limits });
  }

  submit(): (ErrorCode | null)[] {
    const answers: (ErrorCode | null)[] = [];
    this.router.submit((error) => void answers.push(plain(error)));
    return answers;
  }

  /** The core's answer to the question that was asked last. */
  confirm(at: number, readId = this.asked.at(-1) as number): void {
    this.router.outcome({ readId, ok: true, slot: slot(at) });
  }

  apply(through: number): void {
    this.appliedSlot = through;
    this.router.release();
  }
}

describe("linearizable reads", () => {
  it("of one turn share one question, and those that come later get one of their own", () => {
    const world = new ReadWorld();
    world.submit();
    world.submit();
    world.router.route();
    expect(world.asked).toHaveLength(1);
    world.router.route();
    expect(world.asked).toHaveLength(1);
    world.submit();
    world.router.route();
    expect(new Set(world.asked).size).toBe(2);
  });

  it("wait until the slot that was named for them is applied here", () => {
    const world = new ReadWorld();
    const answers = world.submit();
    world.router.route();
    world.apply(6);
    world.confirm(7);
    world.router.release();
    expect(answers).toEqual([]);
    world.apply(7);
    expect(answers).toEqual([null]);
    expect(world.router.held).toBe(0);
  });

  it("do not wait for a slot that is applied already", () => {
    const world = new ReadWorld();
    const answers = world.submit();
    world.router.route();
    world.apply(8);
    world.confirm(7);
    world.router.release();
    expect(answers).toEqual([null]);
  });

  it("wait each for its own slot, also when a later question is told a lower one", () => {
    const world = new ReadWorld();
    const ask = () => {
      const answers = world.submit();
      world.router.route();
      return { answers, id: world.asked.at(-1) as number };
    };
    const [high, low] = [ask(), ask()];
    world.confirm(9, high.id);
    world.confirm(4, low.id);
    world.apply(4);
    expect([high.answers, low.answers]).toEqual([[], [null]]);
    world.apply(9);
    expect([high.answers, low.answers]).toEqual([[null], [null]]);
  });

  it("ask nobody while no leader is known", () => {
    const world = new ReadWorld();
    world.knowsLeader = false;
    world.submit();
    world.router.route();
    expect(world.asked).toEqual([]);
    world.knowsLeader = true;
    world.router.route();
    expect(world.asked).toHaveLength(1);
  });

  it("are asked for again, with a new id, when no leader answered for them (rule 11)", () => {
    const world = new ReadWorld();
    const answers = world.submit();
    world.router.route();
    const first = world.asked[0] as number;
    world.router.outcome({ readId: first, ok: false });
    expect(answers).toEqual([]);
    world.router.route();
    expect(world.asked).toHaveLength(2);
    expect(world.asked[1]).not.toBe(first);
    world.confirm(0, first);
    world.router.release();
    expect(answers).toEqual([]);
    world.confirm(0);
    world.router.release();
    expect(answers).toEqual([null]);
  });

  it("are refused as busy beyond a bound, until one is answered", () => {
    const world = new ReadWorld({ maxReads: 1 });
    world.submit();
    expect(world.submit()).toEqual(["SYNOD_ERR_BUSY"]);
    expect(world.router.held).toBe(1);
    world.router.route();
    world.confirm(0);
    world.router.release();
    expect(world.submit()).toEqual([]);
  });

  it("have their time wherever they stand: unasked, unconfirmed or unapplied", () => {
    const world = new ReadWorld();
    const unapplied = world.submit();
    world.router.route();
    world.confirm(5);
    const unconfirmed = world.submit();
    world.router.route();
    const unasked = world.submit();
    world.nowMs = 1;
    const later = world.submit();
    world.nowMs = TIMEOUT_MS - 1;
    world.router.expire();
    expect([unapplied, unconfirmed, unasked]).toEqual([[], [], []]);
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    world.confirm(0);
    world.apply(5);
    expect([unapplied, unconfirmed, unasked]).toEqual([["SYNOD_ERR_TIMEOUT"], ["SYNOD_ERR_TIMEOUT"], ["SYNOD_ERR_TIMEOUT"]]);
    expect(later).toEqual([]);
    expect(world.router.held).toBe(1);
  });

  it("are told that there is no leader when that is why their time ran out", () => {
    const world = new ReadWorld();
    world.knowsLeader = false;
    const answers = world.submit();
    world.router.route();
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    expect(answers).toEqual(["SYNOD_ERR_NO_LEADER"]);
  });

  it("are not lost when they are submitted by who hears that another read is out of time", () => {
    const world = new ReadWorld();
    let second: (ErrorCode | null)[] = [];
    world.router.submit(() => void (second = world.submit()));
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    world.router.route();
    world.confirm(0);
    world.router.release();
    expect(second).toEqual([null]);
    expect(world.router.held).toBe(0);
  });

  it.each([["before", true], ["after", false]])("leave those of the same question that have time left to be answered, %s it is confirmed", (_, expiresFirst) => {
    const world = new ReadWorld();
    const early = world.submit();
    world.nowMs = 100;
    const late = world.submit();
    world.router.route();
    if (!expiresFirst) world.confirm(5);
    world.nowMs = TIMEOUT_MS;
    world.router.expire();
    if (expiresFirst) world.confirm(5);
    world.apply(5);
    expect([early, late]).toEqual([["SYNOD_ERR_TIMEOUT"], [null]]);
    expect(world.router.held).toBe(0);
  });

  it("all fail with the reason when the member stops, wherever they stand", () => {
    const world = new ReadWorld();
    const answers = [world.submit()];
    world.router.route();
    world.confirm(5);
    answers.push(world.submit());
    world.router.route();
    answers.push(world.submit());
    world.router.stop(new SynodError("SYNOD_ERR_FENCED"));
    world.confirm(0);
    world.apply(5);
    expect(answers).toEqual([["SYNOD_ERR_FENCED"], ["SYNOD_ERR_FENCED"], ["SYNOD_ERR_FENCED"]]);
    expect(world.router.held).toBe(0);
  });

  it("get one answer each whatever happens, and see every slot that was chosen when they were asked for", () => {
    const anyStep = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant("submit" as const) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("route" as const), knowsLeader: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("outcome" as const), pick: fc.nat(), ok: fc.boolean(), ahead: fc.nat({ max: 5 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("apply" as const), slots: fc.nat({ max: 4 }) }) },
      fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 2_000 }) }),
    );
    fc.assert(fc.property(fc.array(anyStep, { maxLength: 60, size: "max" }), (steps) => {
      const world = new ReadWorld();
      /** The highest slot that is chosen, which is what the core names for a read. */
      let chosen = 0;
      const reads: { readonly mustSee: number; readonly answers: { code: ErrorCode | null; sees: number }[] }[] = [];
      for (const step of steps) {
        if (step.do === "submit") {
          const read: (typeof reads)[number] = { mustSee: chosen, answers: [] };
          world.router.submit((error) => void read.answers.push({ code: plain(error), sees: world.appliedSlot }));
          reads.push(read);
        } else if (step.do === "route") {
          world.knowsLeader = step.knowsLeader;
          world.router.route();
        } else if (step.do === "outcome" && world.asked.length > 0) {
          chosen += step.ahead;
          const readId = world.asked[step.pick % world.asked.length] as number;
          world.router.outcome(step.ok ? { readId, ok: true, slot: slot(chosen) } : { readId, ok: false });
        } else if (step.do === "apply") world.apply(Math.min(chosen, world.appliedSlot + step.slots));
        else if (step.do === "wait") {
          world.nowMs += step.ms;
          world.router.expire();
        }
      }
      world.router.stop(new SynodError("SYNOD_ERR_STOPPING"));
      expect(world.router.held).toBe(0);
      for (const { mustSee, answers } of reads) {
        expect(answers).toHaveLength(1);
        if (answers[0]?.code === null) expect(answers[0].sees).toBeGreaterThanOrEqual(mustSee);
      }
    }), { numRuns: 300 });
  });
});
