import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCommand, type Command, type RetryToken } from "../../src/state/commands.ts";
import type { StateLimits } from "../../src/state/limits.ts";
import type { Result } from "../../src/state/results.ts";
import { bytesOfSnapshot, contents, Machine, restore } from "./helpers.ts";

const LIMITS: Partial<StateLimits> = {
  maxIdempotencyKeys: 5, idempotencyWindowMs: 50, maxSessions: 3, sessionIdleMs: 80, sessionWindow: 4, maxSessionResults: 6,
};

const NONE: RetryToken = { kind: "none" };
const small = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const key = small(0, 12).map((number) => Uint8Array.of(97, number * 20));
const session = fc.tuple(small(1, 8), small(1, 12), small(0, 11)).map(
  ([id, sequence, acknowledged]): RetryToken => {
    return { kind: "session", session: id, sequence, acknowledged: Math.min(acknowledged, sequence - 1) };
  },
);
const token = fc.oneof(
  fc.constant(NONE), session, small(0, 8).map((number): RetryToken => ({ kind: "key", key: `k${number}` })),
);

function commands(retry: fc.Arbitrary<RetryToken>): fc.Arbitrary<Command> {
  const write = { key, prevRevision: fc.option(small(0, 30)), retry };
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant("put" as const), value: fc.uint8Array({ maxLength: 4 }), ...write }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), ...write }) },
    { weight: 1, arbitrary: fc.constant({ type: "openSession" } as const) },
    { weight: 1, arbitrary: small(1, 8).map((id) => ({ type: "closeSession" as const, session: id })) },
    { weight: 1, arbitrary: small(0, 400).map((timeMs) => ({ type: "advanceTime" as const, timeMs })) },
  );
}

test("two members agree in every answer, the checksum and all contents, one of them restored from snapshots on the way", () => {
  fc.assert(
    fc.property(fc.array(commands(token), { maxLength: 200 }), fc.array(fc.nat(200), { maxLength: 4 }), (list, restoreAt) => {
      const steady = new Machine(LIMITS);
      const restored = new Machine(LIMITS);
      list.forEach((command, index) => {
        if (restoreAt.includes(index)) restored.state = restore(bytesOfSnapshot(restored.state.snapshot()), 37, LIMITS);
        const bytes = encodeCommand(command);
        expect(restored.apply(bytes)).toEqual(steady.apply(bytes));
        expect(restored.state.checksum).toBe(steady.state.checksum);
      });
      expect(contents(restored.state)).toEqual(contents(steady.state));
      expect(bytesOfSnapshot(restored.state.snapshot()).equals(bytesOfSnapshot(steady.state.snapshot()))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("any difference in what was applied shows in the checksum", () => {
  fc.assert(
    fc.property(fc.array(commands(token), { minLength: 1, maxLength: 30 }), fc.nat(), commands(token), (list, at, other) => {
      const index = at % list.length;
      const [bytes, changed] = [encodeCommand(list[index] as Command), encodeCommand(other)];
      fc.pre(!Buffer.from(bytes).equals(Buffer.from(changed)));
      const [one, two] = [new Machine(LIMITS), new Machine(LIMITS)];
      list.forEach((command, each) => {
        one.apply(encodeCommand(command));
        two.apply(each === index ? changed : encodeCommand(command));
      });
      expect(one.state.checksum).not.toBe(two.state.checksum);
    }),
  );
});

interface ModelRecord {
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** The key-value semantics, written as plainly as can be. */
class Model {
  readonly records = new Map<string, ModelRecord>();
  revision = 0;

  apply(command: Command): Partial<Result> {
    if (command.type !== "put" && command.type !== "delete") return {};
    const name = Buffer.from(command.key).toString("hex");
    const old = this.records.get(name);
    const current = old?.modRevision ?? 0;
    if (command.prevRevision !== null && command.prevRevision !== current) {
      return { type: "refused", code: "SYNOD_ERR_PRECONDITION", revision: current };
    }
    if (command.type === "delete") {
      if (this.records.delete(name)) return { type: "deleted", revision: ++this.revision, deleted: 1 };
      return { type: "deleted", revision: this.revision, deleted: 0 };
    }
    const modRevision = ++this.revision;
    const value = Buffer.from(command.value).toString("hex");
    const createRevision = old?.createRevision ?? modRevision;
    this.records.set(name, { value, createRevision, modRevision, version: (old?.version ?? 0) + 1 });
    return { type: "written", revision: modRevision };
  }

  contents(): unknown[] {
    const names = [...this.records.keys()].toSorted();
    return names.map((name) => ({ key: name, ...this.records.get(name) }));
  }
}

const plainCommand = commands(fc.constant(NONE));

test("keys behave as a plain map does, with snapshots taken at any time", () => {
  fc.assert(
    fc.property(fc.array(plainCommand, { maxLength: 200 }), fc.array(fc.nat(200), { maxLength: 5 }), (list, snapshotAt) => {
      const [machine, model] = [new Machine(), new Model()];
      const taken: { readonly snapshot: ReturnType<Machine["state"]["snapshot"]>; readonly contents: unknown[] }[] = [];
      list.forEach((command, index) => {
        if (snapshotAt.includes(index)) taken.push({ snapshot: machine.state.snapshot(), contents: model.contents() });
        expect(machine.apply(encodeCommand(command))).toMatchObject(model.apply(command));
      });
      expect(contents(machine.state)).toEqual(model.contents());
      for (const each of taken) expect(contents(restore(bytesOfSnapshot(each.snapshot)))).toEqual(each.contents);
    }),
    { numRuns: 300 },
  );
});

/** Exactly-once, checked against a memory that forgets nothing. */
test("no request is executed twice, however often and in whatever order its copies arrive", () => {
  const request = fc.record({ sequence: small(1, 6), key, value: fc.uint8Array({ maxLength: 2 }) });
  const distinct = fc.uniqueArray(request, { selector: (each) => each.sequence, minLength: 1 });
  fc.assert(
    fc.property(distinct, fc.array(fc.nat(), { maxLength: 60 }), (requests, arrivals) => {
      const machine = new Machine();
      const id = machine.openSession();
      const answers = new Map<number, Result>();
      for (const arrival of arrivals) {
        const { sequence, key: name, value } = requests[arrival % requests.length] as (typeof requests)[number];
        const retry: RetryToken = { kind: "session", session: id, sequence, acknowledged: 0 };
        const answer = machine.apply(encodeCommand({ type: "put", key: name, value, prevRevision: null, retry }));
        expect(answer).toEqual(answers.get(sequence) ?? { type: "written", revision: answers.size + 1 });
        answers.set(sequence, answer);
      }
      expect(machine.state.revision).toBe(answers.size);
    }),
  );
});
