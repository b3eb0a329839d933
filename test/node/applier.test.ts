import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../src/codec/assert.ts";
import { Applier } from "../../src/node/applier.ts";
import { type Ballot, ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { ChosenEntry } from "../../src/paxos/interface.ts";
import type { SnapshotHandle } from "../../src/paxos/records.ts";
import { encodeValue, type Value } from "../../src/paxos/value.ts";
import { memberIncarnation, scenarioConfiguration } from "../../src/scenario/names.ts";
import type { Result } from "../../src/state/results.ts";
import { StateMachine } from "../../src/state/state-machine.ts";
import type { Founding } from "../../src/storage/interface.ts";
import { bytesOfSnapshot, put, restore } from "../state/helpers.ts";

/** More than any test here needs, even when each look at the clock ends a stretch. */
const MAX_STRETCHES = 100;
const FOUNDED = scenarioConfiguration(3);
const FOUNDING: Founding = { cluster: "c", configuration: FOUNDED, configurationSlot: slot(0) };
const ballot = (round: number): Ballot => ({ round, incarnation: memberIncarnation(1) });

/** An applier at work on an empty state, or on a snapshot. Each look at the clock costs `lookMs`. */
class ApplierWorld {
  readonly applier: Applier;
  #nowMs = 0;
  lookMs = 0;
  readonly answers: { readonly proposalId: number; readonly results: readonly Result[] }[] = [];
  readonly checkpoints: { readonly slot: number; readonly checksum: number }[] = [];

  constructor(state = new StateMachine(), snapshot: SnapshotHandle | null = null, founding: Founding = FOUNDING) {
    this.applier = new Applier({
      nowMs: () => (this.#nowMs += this.lookMs),
      applied: (proposalId, results) => void this.answers.push({ proposalId, results }),
      checkpoint: (slot, checksum) => void this.checkpoints.push({ slot, checksum }),
    }, { state, snapshot, founding });
  }

  push(from: number, values: readonly Value[], proposalId: number | null = null): void {
    this.applier.push(values.map((value, index) => entry(from + index, value, proposalId)));
  }

  /** Runs until nothing is left, and says in how many stretches. */
  runToEnd(): number {
    for (let stretches = 1; stretches <= MAX_STRETCHES; stretches++) if (!this.applier.run()) return stretches;
    throw new Error("it applies and comes to no end");
  }
}

function entry(at: number, value: Value, proposalId: number | null = null): ChosenEntry {
  return { slot: slot(at), value: encodeValue(value), proposalId };
}

/** A slot's value with so many writes, no two alike. */
function writes(label: string, count = 1): Value {
  return { kind: "commands", origin: ballot(1), commands: Array.from({ length: count }, (_, index) => put(`${label}${index}`, label)) };
}

/** What a snapshot after these slots is: its handle, and a state of its own. */
function snapshotAfter(values: readonly Value[]): { handle: SnapshotHandle; state: StateMachine } {
  const world = new ApplierWorld();
  world.push(1, values);
  world.runToEnd();
  return { handle: { ...world.applier.handle(), promised: ZERO_BALLOT }, state: restore(bytesOfSnapshot(world.applier.state.snapshot())) };
}

const revisions = (results: readonly Result[] | undefined): unknown[] | undefined => results?.map((result) => ("revision" in result ? result.revision : null));

describe("chosen entries", () => {
  it("are applied in slot order, with the results told to whoever proposed them here", () => {
    const world = new ApplierWorld();
    world.push(1, [writes("a", 2)], 7);
    world.push(2, [writes("b")]);
    world.push(3, [writes("c")], 8);
    expect(world.applier.run()).toBe(false);
    expect(world.answers.map(({ proposalId, results }) => [proposalId, revisions(results)])).toEqual([[7, [1, 2]], [8, [4]]]);
    expect(world.applier.slot).toBe(3);
    expect(world.applier.waiting).toBe(0);
  });

  it("stop the member when one is missing between them", () => {
    const world = new ApplierWorld();
    world.push(1, [writes("a")]);
    world.push(3, [writes("c")]);
    expect(() => world.runToEnd()).toThrow(InvariantError);
  });

  it("are each told as applied with the checksum that the state has right after them", () => {
    const world = new ApplierWorld();
    const values = [writes("a"), { kind: "noop" } as const, writes("b", 3)];
    world.push(1, values);
    world.runToEnd();
    expect(world.checkpoints).toEqual([1, 2, 3].map((at) => ({ slot: at, checksum: snapshotAfter(values.slice(0, at)).handle.checksum })));
  });
});

describe("what an applied prefix stands for", () => {
  it("is the founding configuration before anything is applied", () => {
    const expected = { slot: 0, configuration: FOUNDED, configurationSlot: 0, leaderBallot: ZERO_BALLOT, cluster: "c", checksum: 0 };
    expect(new ApplierWorld().applier.handle()).toEqual(expected);
  });

  it("moves with barriers, whose highest ballot counts (rule 10), and with configurations", () => {
    const world = new ApplierWorld();
    const four = scenarioConfiguration(4);
    world.push(1, [
      { kind: "barrier", ballot: ballot(5) },
      { kind: "configuration", origin: ballot(5), configuration: four },
      { kind: "barrier", ballot: ballot(4) },
      { kind: "noop" },
    ]);
    world.runToEnd();
    expect(world.applier.handle()).toMatchObject({ slot: 4, configuration: four, configurationSlot: 2, leaderBallot: ballot(5) });
    expect(world.applier.leaderBallot).toEqual(ballot(5));
  });

  it("is that of the snapshot when the member starts from one", () => {
    const { handle, state } = snapshotAfter([{ kind: "barrier", ballot: ballot(5) }, writes("a")]);
    const world = new ApplierWorld(state, handle);
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(handle);
    world.push(3, [writes("b")]);
    world.runToEnd();
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(snapshotAfter([{ kind: "barrier", ballot: ballot(5) }, writes("a"), writes("b")]).handle);
  });
});

describe("a member that joined", () => {
  it("takes no snapshot before it applied the configuration that it was given, which governs no slot below (rule 16)", () => {
    const joined = scenarioConfiguration(5);
    const values: Value[] = [
      writes("a"),
      { kind: "configuration", origin: ballot(1), configuration: scenarioConfiguration(4) },
      writes("b"),
      { kind: "configuration", origin: ballot(1), configuration: joined },
    ];
    const world = new ApplierWorld(new StateMachine(), null, { ...FOUNDING, configuration: joined, configurationSlot: slot(4) });
    const possible = [world.applier.canSnapshot];
    values.forEach((value, index) => {
      world.push(index + 1, [value]);
      world.runToEnd();
      possible.push(world.applier.canSnapshot);
    });
    expect(possible).toEqual([false, false, false, false, true]);
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(snapshotAfter(values).handle);
  });
});

describe("a stretch of applying", () => {
  it("ends when its time is up, and the next goes on from there (rule 26)", () => {
    const world = new ApplierWorld();
    world.lookMs = 2;
    world.push(1, [writes("a"), writes("b"), writes("c"), writes("d")]);
    expect(world.applier.run()).toBe(true);
    expect(world.applier.slot).toBeLessThan(4);
    expect(world.applier.waiting).toBe(4 - world.applier.slot);
    world.runToEnd();
    expect(world.applier.slot).toBe(4);
  });

  it("applies something even when it has no time", () => {
    const world = new ApplierWorld();
    world.lookMs = 1_000;
    world.push(1, [writes("a"), writes("b")]);
    expect(world.runToEnd()).toBe(2);
  });

  it("may end in the middle of a large entry, which counts only as a whole", () => {
    const world = new ApplierWorld();
    world.push(1, [writes("a")]);
    world.runToEnd();
    world.lookMs = 1_000;
    world.push(2, [writes("b", 100)], 7);
    expect(world.applier.run()).toBe(true);
    expect(world.applier.state.keyCount).toBeGreaterThan(1);
    expect(world.applier.state.keyCount).toBeLessThan(101);
    expect(world.applier.slot).toBe(1);
    expect(world.applier.canSnapshot).toBe(false);
    expect(() => world.applier.handle()).toThrow(InvariantError);
    expect(world.answers).toEqual([]);
    world.runToEnd();
    expect(world.applier.canSnapshot).toBe(true);
    expect(world.answers.map(({ results }) => revisions(results))).toEqual([Array.from({ length: 100 }, (_, index) => index + 2)]);
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(snapshotAfter([writes("a"), writes("b", 100)]).handle);
  });

  it("comes to the same state and results however time is cut", () => {
    const someEntries = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 6 });
    fc.assert(fc.property(someEntries, fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 5 }), (counts, lookMs) => {
      const values = counts.map((count, index) => writes(`k${index}.`, count));
      const [inOne, inMany] = [new ApplierWorld(), new ApplierWorld()];
      values.forEach((value, index) => {
        inOne.push(index + 1, [value], index);
        inMany.push(index + 1, [value], index);
      });
      inOne.runToEnd();
      for (let stretch = 0; inMany.applier.waiting > 0 && stretch < MAX_STRETCHES; stretch++) {
        inMany.lookMs = lookMs[stretch % lookMs.length] as number;
        inMany.applier.run();
      }
      expect(inMany.applier.handle()).toEqual(inOne.applier.handle());
      expect(inMany.answers).toEqual(inOne.answers);
      expect(inMany.checkpoints).toEqual(inOne.checkpoints);
    }), { numRuns: 50 });
  });
});

describe("a snapshot that is installed", () => {
  const values = [writes("a"), writes("b"), writes("c"), writes("d")];

  it("takes the place of what was to be applied up to it, and what is above is applied on it", () => {
    const world = new ApplierWorld();
    world.push(1, values, 7);
    const { handle, state } = snapshotAfter(values.slice(0, 3));
    world.applier.install(handle, state);
    expect(world.applier.state).toBe(state);
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(handle);
    world.runToEnd();
    expect(world.answers.map(({ results }) => revisions(results))).toEqual([[4]]);
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(snapshotAfter(values).handle);
  });

  it("undoes half of an entry, which is then applied as a whole", () => {
    const large = [writes("a"), writes("b", 100)];
    const world = new ApplierWorld();
    world.lookMs = 1_000;
    world.push(1, large, 7);
    world.applier.run();
    world.applier.run();
    expect(world.applier.canSnapshot).toBe(false);
    const { handle, state } = snapshotAfter(large.slice(0, 1));
    world.applier.install(handle, state);
    world.runToEnd();
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(snapshotAfter(large).handle);
    expect(world.answers.map(({ results }) => results.length)).toEqual([1, 100]);
  });

  it("never takes the state back, and must be what its handle says", () => {
    const world = new ApplierWorld();
    world.push(1, values);
    world.runToEnd();
    const before = snapshotAfter(values.slice(0, 3));
    expect(() => world.applier.install(before.handle, before.state)).toThrow(InvariantError);
    const after = snapshotAfter([...values, writes("e")]);
    expect(() => world.applier.install(after.handle, before.state)).toThrow(InvariantError);
  });
});

describe("a state that differs from the majority's (rule 6)", () => {
  it("gets nothing more applied until a snapshot replaces it", () => {
    const values = [writes("a"), writes("b"), writes("c")];
    const world = new ApplierWorld();
    world.push(1, [writes("x")]);
    world.runToEnd();
    world.applier.pause();
    world.push(2, values.slice(1));
    expect(world.applier.run()).toBe(false);
    expect({ slot: world.applier.slot, waiting: world.applier.waiting, paused: world.applier.paused }).toEqual({ slot: 1, waiting: 2, paused: true });
    const { handle, state } = snapshotAfter(values.slice(0, 2));
    world.applier.install(handle, state);
    expect(world.applier.paused).toBe(false);
    world.runToEnd();
    expect({ ...world.applier.handle(), promised: ZERO_BALLOT }).toEqual(snapshotAfter(values).handle);
  });
});
