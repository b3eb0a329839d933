import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import type { Incarnation } from "../../src/paxos/ids.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import type { Result } from "../../src/state/results.ts";
import { put, withKey } from "../state/helpers.ts";
import { keyOf, type SentBatch, WriteWorld } from "./write-world.ts";

const WRITTEN: Result = { type: "written", revision: 7 };

const pick = fc.nat();
const anyFailure = fc.constantFrom("notLeader", "superseded", "busy", "diskFull", "unknown");
const anyLeader = fc.constantFrom(null, 1, 2);
const anyCode = fc.constantFrom(null, "SYNOD_ERR_NO_LEADER", "SYNOD_ERR_BUSY", "SYNOD_ERR_OUTCOME_UNKNOWN");
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("submit" as const), repeatable: fc.boolean(), fromPeer: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("route" as const), leads: fc.boolean(), leader: anyLeader, linkTakesMore: fc.boolean() }) },
  fc.record({ do: fc.constant("apply" as const), pick }),
  fc.record({ do: fc.constant("fail" as const), pick, failure: anyFailure }),
  /** The leader's answer to a forward; with `lost` outcomes too few. */
  fc.record({ do: fc.constant("answer" as const), pick, code: anyCode, lost: fc.nat({ max: 1 }) }),
  fc.record({ do: fc.constant("close" as const), leader: fc.constantFrom(1, 2) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 2_000 }) }),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** What a test knows of a write: its answers, and what its attempts allow to be said of it. */
interface Known {
  readonly repeatable: boolean;
  readonly answers: ReturnType<WriteWorld["submit"]>;
  sent: number;
  /** Attempts that ended without any effect, for certain. */
  undone: number;
}

/** Plays steps against a router and keeps count of what they did to each write. */
class Play {
  readonly world = new WriteWorld({ maxWrites: 8, batchCommands: 2, logTimeMs: 1_500, timeoutMs: 5_000 });
  readonly writes = new Map<string, Known>();
  /** Batches that may still get an answer from outside; it may come late or twice all the same. */
  readonly #over = new Set<SentBatch>();
  #seen = 0;

  step(step: Step): void {
    this.#take(step);
    for (const { commands } of this.world.sent.slice(this.#seen)) for (const write of this.#writesOf(commands)) write.sent += 1;
    this.#seen = this.world.sent.length;
  }

  #writesOf(commands: readonly Uint8Array[]): Known[] {
    return commands.flatMap((command) => this.writes.get(keyOf(command) ?? "") ?? []);
  }

  /** A batch that was sent here or to a leader, if there is one. */
  #batch(pick: number, proposed: boolean): SentBatch | undefined {
    const batches = this.world.sent.filter(({ to }) => (to === null) === proposed);
    return batches[pick % batches.length];
  }

  #undo(batch: SentBatch): void {
    if (!this.#over.has(batch)) for (const write of this.#writesOf(batch.commands)) write.undone += 1;
    this.#over.add(batch);
  }

  #take(step: Step): void {
    const { world } = this;
    switch (step.do) {
      case "submit": {
        const key = `k${this.writes.size}`;
        const command = step.repeatable ? put(key, "", withKey(key)) : put(key, "");
        this.writes.set(key, { repeatable: step.repeatable, answers: world.submit(command, step.fromPeer), sent: 0, undone: 0 });
        return;
      }
      case "route":
        world.leads = step.leads;
        world.leader = step.leader === null ? null : memberIncarnation(step.leader);
        world.linkTakesMore = step.linkTakesMore;
        return void world.router.route();
      case "apply": {
        const batch = this.#batch(step.pick, true);
        if (batch === undefined || this.#over.has(batch)) return;
        this.#over.add(batch);
        return world.router.applied(batch.id, batch.commands.map(() => WRITTEN));
      }
      case "fail": {
        const batch = this.#batch(step.pick, true);
        if (batch === undefined) return;
        if (step.failure === "unknown") this.#over.add(batch);
        else this.#undo(batch);
        return world.router.failed(batch.id, step.failure);
      }
      case "answer": {
        const batch = this.#batch(step.pick, false);
        if (batch === undefined) return;
        if (step.lost === 0 && (step.code === "SYNOD_ERR_NO_LEADER" || step.code === "SYNOD_ERR_BUSY")) this.#undo(batch);
        this.#over.add(batch);
        const outcome = step.code === null ? WRITTEN : new SynodError(step.code);
        return world.router.forwarded(batch.to as Incarnation, batch.id, batch.commands.slice(step.lost).map(() => outcome));
      }
      case "close":
        for (const batch of world.sent) if (batch.to === memberIncarnation(step.leader)) this.#over.add(batch);
        return world.router.linkClosed(memberIncarnation(step.leader));
      case "wait":
        world.nowMs += step.ms;
        return world.router.expire();
    }
  }
}

describe("whatever happens to writes", () => {
  it("each gets one answer, which never denies what may have been, and only what can be told is sent twice", () => {
    fc.assert(fc.property(fc.array(anyStep, { maxLength: 60, size: "max" }), (steps) => {
      const play = new Play();
      for (const step of steps) play.step(step);
      play.world.router.stop();
      expect(play.world.router.sizes).toEqual({ held: 0, waiting: 0 });
      for (const { repeatable, answers, sent, undone } of play.writes.values()) {
        expect(answers).toHaveLength(1);
        const maybeExecuted = sent > undone;
        if (maybeExecuted) expect([WRITTEN, "SYNOD_ERR_OUTCOME_UNKNOWN"]).toContainEqual(answers[0]);
        if (!repeatable) expect(sent - undone).toBeLessThanOrEqual(1);
      }
    }), { numRuns: 500 });
  });
});
