import { describe, expect, it } from "vitest";
import { checkHistory, DEFAULT_BOUNDS } from "../../src/history/checker.ts";
import { isLinearizableByTryingAll } from "./exhaustive-checker.ts";
import type { Operation, Outcome, Request } from "../../src/history/operation.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { simulateHistory } from "./simulated-history.ts";

type Span = readonly [invokeNs: number, returnNs: number];
const UNKNOWN: Outcome = { outcome: "unknown", code: "timeout" };
const FAIL: Outcome = { outcome: "fail", code: "refused" };
const REFUSED: Outcome = { outcome: "ok", result: { is: "refused" } };
const ABSENT: Outcome = { outcome: "ok", result: { is: "absent" } };
const written = (revision: number): Outcome => ({ outcome: "ok", result: { is: "written", revision } });
const found = (value: string, revision: number): Outcome => ({ outcome: "ok", result: { is: "value", value, revision } });

const operation = (request: Request, outcome: Outcome, [invokeNs, returnNs]: Span): Operation =>
  ({ ...request, ...outcome, client: 0, member: "m", invokeNs, returnNs });
const put = (value: string, outcome: Outcome, span: Span, key = "k"): Operation => operation({ op: "write", key, value }, outcome, span);
const read = (outcome: Outcome, span: Span, key = "k"): Operation => operation({ op: "read", key }, outcome, span);
const del = (outcome: Outcome, span: Span): Operation => operation({ op: "delete", key: "k" }, outcome, span);
const cad = (prevRevision: number, outcome: Outcome, span: Span): Operation => operation({ op: "cad", key: "k", prevRevision }, outcome, span);
const cas = (prevRevision: number, value: string, outcome: Outcome, span: Span): Operation =>
  operation({ op: "cas", key: "k", value, prevRevision }, outcome, span);

const verdictOf = (...operations: Operation[]): string => checkHistory(operations).verdict;

describe("the checker accepts", () => {
  it("an empty history", () => expect(verdictOf()).toBe("ok"));
  it("a put, a read of it, a delete and a read of nothing", () =>
    expect(verdictOf(put("a", written(1), [0, 1]), read(found("a", 1), [2, 3]), del(written(2), [4, 5]), read(ABSENT, [6, 7]))).toBe("ok"));
  it("either order of a read and the put that it overlaps", () => {
    const begun = [put("a", written(1), [0, 1]), put("b", written(2), [2, 9])];
    expect(verdictOf(...begun, read(found("a", 1), [3, 4]), read(found("b", 2), [5, 6]))).toBe("ok");
  });
  it("an unknown put that takes effect long after its client gave up", () =>
    expect(verdictOf(put("a", UNKNOWN, [0, 1]), put("b", written(1), [2, 3]), read(found("b", 1), [4, 5]), read(found("a", 2), [90, 91]))).toBe("ok"));
  it("an unknown put that never takes effect", () =>
    expect(verdictOf(put("a", UNKNOWN, [0, 1]), read(ABSENT, [2, 3]), put("b", written(1), [4, 5]), read(found("b", 1), [6, 7]))).toBe("ok"));
  it("a failed put that nobody sees", () => expect(verdictOf(put("a", FAIL, [0, 1]), read(ABSENT, [2, 3]))).toBe("ok"));
  it("a compare-and-set refused because of an unknown put that nobody read", () =>
    expect(verdictOf(put("a", written(1), [0, 1]), put("b", UNKNOWN, [2, 3]), cas(1, "c", REFUSED, [4, 5]), put("d", written(3), [6, 7]))).toBe("ok"));
  it("a read of nothing because of an unknown delete, and a create after it", () =>
    expect(verdictOf(put("a", written(1), [0, 1]), del(UNKNOWN, [2, 3]), read(ABSENT, [4, 5]), cas(0, "b", written(3), [6, 7]))).toBe("ok"));
  it("a delete that found the value of an unknown create", () =>
    expect(verdictOf(cas(0, "a", UNKNOWN, [0, 1]), del(written(2), [2, 3]), read(ABSENT, [4, 5]))).toBe("ok"));
  it("a compare-and-set on the revision of an unknown put, learnt outside the history", () =>
    expect(verdictOf(put("a", UNKNOWN, [0, 1]), cas(1, "b", written(2), [2, 3]), read(found("b", 2), [4, 5]))).toBe("ok"));
  it("a create refused by the value that an unknown delete and an unknown create left", () =>
    expect(verdictOf(put("a", written(1), [0, 1]), del(UNKNOWN, [2, 3]), cas(0, "b", UNKNOWN, [2, 3]), cas(1, "c", REFUSED, [4, 5]),
      cas(0, "d", REFUSED, [6, 7]))).toBe("ok"));
  it("a compare-and-delete, one that is refused since the key has another revision, and one that is since it is absent", () =>
    expect(verdictOf(put("a", written(1), [0, 1]), cad(2, REFUSED, [2, 3]), cad(1, written(2), [4, 5]), cad(1, REFUSED, [6, 7]), read(ABSENT, [8, 9]))).toBe("ok"));
  it("a read of nothing because of an unknown compare-and-delete of what was there", () =>
    expect(verdictOf(put("a", written(1), [0, 1]), cad(1, UNKNOWN, [2, 3]), read(ABSENT, [4, 5]), cas(0, "b", written(3), [6, 7]))).toBe("ok"));
  it("a read of nothing because of an unknown put, and an unknown compare-and-delete of what that left", () =>
    expect(verdictOf(put("a", written(1), [0, 1]), put("b", UNKNOWN, [2, 3]), cad(2, UNKNOWN, [4, 5]), read(ABSENT, [6, 7]), put("c", written(4), [8, 9]))).toBe("ok"));
});

describe("the checker finds", () => {
  const finds = (...operations: Operation[]): void => expect(verdictOf(...operations)).toBe("violation");

  it("a stale read", () => finds(put("a", written(1), [0, 1]), put("b", written(2), [2, 3]), read(found("a", 1), [4, 5])));
  it("a read of nothing after a put", () => finds(put("a", written(1), [0, 1]), read(ABSENT, [2, 3])));
  it("a lost update", () =>
    finds(put("a", written(1), [0, 1]), cas(1, "b", written(2), [2, 3]), cas(2, "c", written(3), [4, 5]), read(found("b", 2), [6, 7])));
  it("a read of a value that nobody wrote", () => finds(read(found("a", 1), [0, 1])));
  it("a read of a value from before its write began", () => finds(read(found("a", 1), [0, 1]), put("a", UNKNOWN, [2, 3])));
  it("a read of the value of a failed put", () => finds(put("a", FAIL, [0, 1]), read(found("a", 1), [2, 3])));
  it("a read of the value of a refused compare-and-set", () =>
    finds(put("a", written(1), [0, 1]), cas(9, "b", REFUSED, [2, 3]), read(found("b", 2), [4, 5])));
  it("two winners of one compare-and-set", () =>
    finds(put("a", written(1), [0, 1]), cas(1, "b", written(2), [2, 9]), cas(1, "c", written(3), [2, 9])));
  it("two winners of a create", () => finds(cas(0, "a", written(1), [0, 9]), cas(0, "b", written(2), [0, 9])));
  it("a refused compare-and-set that should have succeeded", () => finds(put("a", written(1), [0, 1]), cas(1, "b", REFUSED, [2, 3])));
  it("reads that go back in time while a put is open", () =>
    finds(put("a", written(1), [0, 1]), put("b", written(2), [2, 90]), read(found("b", 2), [3, 4]), read(found("a", 1), [5, 6])));
  it("an unknown put that is seen, then not, then seen again", () =>
    finds(put("a", written(1), [0, 1]), put("b", UNKNOWN, [2, 3]), read(found("b", 2), [4, 5]), put("c", written(3), [6, 7]), read(found("b", 2), [8, 9])));
  it("a put that was applied twice", () =>
    finds(put("a", written(1), [0, 1]), put("b", written(2), [2, 3]), read(found("a", 3), [4, 5])));
  it("an unknown put that was applied twice", () =>
    finds(put("a", UNKNOWN, [0, 1]), read(found("a", 1), [2, 3]), put("b", written(2), [4, 5]), read(found("a", 3), [6, 7])));
  it("an unknown compare-and-set that took effect without its condition", () =>
    finds(put("a", written(1), [0, 1]), put("b", written(2), [2, 3]), cas(1, "c", UNKNOWN, [4, 5]), read(found("c", 3), [6, 7])));
  it("two winners of one compare-and-delete", () =>
    finds(put("a", written(1), [0, 1]), cad(1, written(2), [2, 9]), cad(1, written(3), [2, 9])));
  it("a compare-and-delete of what has another revision", () => finds(put("a", written(2), [0, 1]), cad(1, written(3), [2, 3])));
  it("a refused compare-and-delete that should have succeeded", () => finds(put("a", written(1), [0, 1]), cad(1, REFUSED, [2, 3])));
  it("a read of nothing where the unknown compare-and-delete needs another revision", () =>
    finds(put("a", written(1), [0, 1]), put("b", written(2), [2, 3]), cad(1, UNKNOWN, [4, 5]), read(ABSENT, [6, 7])));
  it("revisions of one key that fall", () => finds(put("a", written(5), [0, 1]), put("b", written(4), [2, 3])));
  it("revisions of two keys that fall", () => finds(put("a", written(5), [0, 1], "k"), put("b", written(4), [2, 3], "l")));
  it("one revision given to writes of two keys", () => finds(put("a", written(5), [0, 9], "k"), put("b", written(5), [0, 9], "l")));
  it("an unseen write for which the revisions leave no room", () =>
    finds(put("a", written(1), [0, 1]), put("b", UNKNOWN, [2, 3]), cas(1, "c", REFUSED, [4, 5]), put("d", written(2), [6, 7])));
  it("more absences than unknown deletes explain", () =>
    finds(put("a", written(1), [0, 1]), del(UNKNOWN, [2, 3]), read(ABSENT, [4, 5]), put("b", written(5), [6, 7]), read(ABSENT, [8, 9])));
  it("two operations that claim to write the same value", () => finds(put("a", written(1), [0, 1]), put("a", written(2), [2, 3])));
  it("the violating key among good ones, and names it", () => {
    const verdict = checkHistory([put("a", written(1), [0, 1], "good"), put("b", written(2), [2, 3], "bad"), read(ABSENT, [4, 5], "bad")]);
    expect(verdict).toMatchObject({ verdict: "violation", violations: [{ key: "bad" }] });
  });
});

describe("the checker, beyond its bounds,", () => {
  const good = [put("a", written(1), [0, 1]), read(found("a", 1), [2, 3])];
  it("leaves a history that is too long undecided", () =>
    expect(checkHistory(good, { ...DEFAULT_BOUNDS, maxOperations: 1 }).verdict).toBe("undecided"));
  it("leaves a search that takes too many steps undecided", () =>
    expect(checkHistory(good, { ...DEFAULT_BOUNDS, maxSteps: 1 }).verdict).toBe("undecided"));
});

describe("the checker on random histories", () => {
  it("accepts every history of a simulated atomic store", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = new SeededRandom(seed);
      const history = simulateHistory(random, { operations: 600, clients: 1 + random.below(16), keys: 1 + random.below(4), unknownRate: random.next() * 0.3, deletes: random.chance(0.8) });
      expect(checkHistory(history), `seed ${seed}`).toMatchObject({ verdict: "ok" });
    }
  });

  it("agrees with trying every order on small histories of arbitrary answers", () => {
    const counts = { ok: 0, violation: 0, undecided: 0 };
    for (let seed = 1; seed <= 40_000; seed++) {
      const history = arbitraryHistory(new SeededRandom(seed));
      const { verdict } = checkHistory(history);
      const expected = isLinearizableByTryingAll(history) && !revisionsFall(history) ? "ok" : "violation";
      expect(verdict, `seed ${seed}: ${JSON.stringify(history)}`).toBe(expected);
      counts[verdict]++;
    }
    expect(Math.min(counts.ok, counts.violation)).toBeGreaterThan(4_000);
  });

  it.each([
    { anomaly: "a stale read", plant: plantStaleRead, clients: 8, unknownRate: 0.1, deletes: true },
    { anomaly: "a lost value", plant: plantAbsence, clients: 8, unknownRate: 0.1, deletes: false },
    { anomaly: "a wrong refusal", plant: plantWrongRefusal, clients: 1, unknownRate: 0, deletes: true },
  ])("finds $anomaly planted in the history of an atomic store", ({ plant, ...options }) => {
    let planted = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const broken = plant(simulateHistory(new SeededRandom(seed), { operations: 600, keys: 2, ...options }));
      if (broken === undefined) continue;
      planted++;
      expect(checkHistory(broken).verdict, `seed ${seed}`).toBe("violation");
    }
    expect(planted).toBeGreaterThan(80);
  });

  it.each([0, 0.005, 0.05])("decides 200,000 operations of 16 clients on 8 keys within seconds, with %d of the writes unknown", (unknownRate) => {
    const history = simulateHistory(new SeededRandom(7), { operations: 200_000, clients: 16, keys: 8, unknownRate, deletes: true });
    const startMs = performance.now();
    expect(checkHistory(history).verdict).toBe("ok");
    expect(checkHistory(plantStaleRead(history) ?? []).verdict).toBe("violation");
    expect(performance.now() - startMs).toBeLessThan(20_000);
  });
});

/** Gives the last possible read the answer of a much earlier read of its key, which a write has replaced since. */
function plantStaleRead(history: readonly Operation[]): Operation[] | undefined {
  const reads = history.filter((it) => it.op === "read" && it.outcome === "ok" && it.result.is === "value");
  for (const target of reads.toReversed()) {
    const own = reads.filter((it) => it.key === target.key && it.returnNs < target.invokeNs);
    const old = own.find((it) => own.some((newer) => it.returnNs < newer.invokeNs && revisionRead(it) < revisionRead(newer)));
    if (old?.outcome === "ok") return history.map((it) => (it === target ? ({ ...it, result: old.result } as Operation) : it));
  }
  return undefined;
}

/** Refuses a compare-and-set of the second half that succeeded and whose value nobody read. */
function plantWrongRefusal(history: readonly Operation[]): Operation[] | undefined {
  const half = Math.floor(history.length / 2);
  const read = new Set(history.map((it) => (it.outcome === "ok" && it.result.is === "value" ? it.result.value : undefined)));
  const target = history.find((it, index) =>
    index > half && it.op === "cas" && it.outcome === "ok" && it.result.is === "written" && !read.has(it.value));
  return target && history.map((it) => (it === target ? ({ ...it, ...REFUSED } as Operation) : it));
}

/** Makes the last read that found something find nothing. */
function plantAbsence(history: readonly Operation[]): Operation[] | undefined {
  const target = history.findLast((it) => it.op === "read" && it.outcome === "ok" && it.result.is === "value");
  return target && history.map((it) => (it === target ? ({ ...it, ...ABSENT } as Operation) : it));
}

const revisionRead = (it: Operation): number => (it.outcome === "ok" && it.result.is === "value" ? it.result.revision : 0);

/** Two to six operations on one key with answers that are often plausible and sometimes not. */
function arbitraryHistory(random: SeededRandom): Operation[] {
  const values = ["a", "b", "c"];
  const plausible = new Map(values.map((value) => [value, 1 + random.below(5)]));
  const revisionOf = (value: string): number => (random.chance(0.9) ? plausible.get(value) ?? 1 : 1 + random.below(6));
  const unused = [...values];
  const count = 2 + random.below(5);
  return Array.from({ length: count }, (_, index) => {
    const invokeNs = index * 4 + random.below(12);
    const span: Span = [invokeNs, invokeNs + random.below(14)];
    const draw = random.next();
    const value = draw < 0.5 ? unused.shift() : undefined;
    const outcome = (ok: Outcome): Outcome => (random.chance(0.35) ? UNKNOWN : random.chance(0.05) ? FAIL : ok);
    if (value !== undefined && draw < 0.25) return put(value, outcome(written(revisionOf(value))), span);
    if (value !== undefined) {
      const prevRevision = random.chance(0.4) ? 0 : revisionOf(random.pick(values));
      return cas(prevRevision, value, outcome(random.chance(0.5) ? REFUSED : written(revisionOf(value))), span);
    }
    if (random.chance(0.25)) return cad(revisionOf(random.pick(values)), outcome(random.chance(0.4) ? REFUSED : written(1 + random.below(6))), span);
    if (random.chance(0.3)) return del(outcome(random.chance(0.3) ? ABSENT : written(1 + random.below(6))), span);
    const seen = random.pick(values);
    return read(random.chance(0.4) ? ABSENT : found(seen, revisionOf(seen)), span);
  });
}

/** What the checker asks of revisions across keys, said naively: no write that begins after an answer has a revision that is not greater. */
function revisionsFall(history: readonly Operation[]): boolean {
  const shown = (it: Operation): number => (it.outcome === "ok" && "revision" in it.result ? it.result.revision : 0);
  return history.some((write) => shown(write) > 0 && write.op !== "read"
    && history.some((it) => it !== write && it.returnNs < write.invokeNs && shown(it) >= shown(write)));
}
