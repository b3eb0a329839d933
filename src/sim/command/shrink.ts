import { drawPlan, FAULTS, operationsPerSecond, type Plan, type Wishes } from "../plan.ts";

/** The kind of what a run with these wishes fails with (see `failureKind`); null: it does not fail. */
export type Fails = (wishes: Wishes) => Promise<string | null>;

const ROUNDS = 4;
const SHORTEST_MS = 100;

/**
 * Looks for wishes with which a failing seed still fails in the same way, and in which less goes on: a shorter time, fewer kinds of faults,
 * fewer clients, keys and members. Each is tried on its own and kept when the run still fails; what helps may open the way for another, so
 * every other round goes the other way round.
 */
export async function shrink(seed: number, start: Wishes, fails: Fails): Promise<Wishes> {
  const failure = await fails(start);
  if (failure === null) return start;
  let best = start;
  for (let round = 0; round < ROUNDS; round++) {
    const before = best;
    for (const step of round % 2 === 0 ? STEPS : STEPS.toReversed()) {
      for (const wishes of step(seed, best)) {
        if ((await fails(wishes)) !== failure) continue;
        best = wishes;
        break;
      }
    }
    if (best === before && round > 0) break;
  }
  return best;
}

/** Smaller wishes to try, the smallest first. */
type Step = (seed: number, wishes: Wishes) => Wishes[];

const shorter: Step = (seed, wishes) => {
  const { troubleMs } = drawPlan(seed, wishes);
  return [0.1, 0.25, 0.5, 0.75, 0.9].map((part) => Math.round(troubleMs * part)).filter((ms) => ms >= SHORTEST_MS).map((ms) => ({ ...wishes, troubleMs: ms }));
};

const withoutAll: Step = (seed, wishes) => {
  const plan = drawPlan(seed, wishes);
  const { without = [] } = wishes;
  const active = FAULTS.filter((fault) => plan.faults[fault] > 0);
  const network = without.includes("network") ? [] : ["network" as const];
  return [[...active, ...network]].filter((these) => these.length > 0).map((these) => ({ ...wishes, without: [...without, ...these] }));
};

const withoutOne = (fault: NonNullable<Wishes["without"]>[number]): Step => (seed, wishes) => {
  const { without = [] } = wishes;
  const isActive = fault === "network" ? !without.includes(fault) : drawPlan(seed, wishes).faults[fault] > 0;
  return isActive ? [{ ...wishes, without: [...without, fault] }] : [];
};

type Countable = "clients" | "sessions" | "keys" | "size" | "perSecond";

const fewer = (what: Countable, most: number): Step => (seed, wishes) => {
  const now = countOf(drawPlan(seed, wishes), what);
  return [1, 2, 3, 5, 10, 20].filter((fewer) => fewer < now && fewer <= most).map((fewer) => ({ ...wishes, [what]: fewer }));
};

function countOf(plan: Plan, what: Countable): number {
  return what === "perSecond" ? operationsPerSecond(plan) : plan[what];
}

const nothingLasts: Step = (seed, wishes) => (drawPlan(seed, wishes).lasting === "whole" ? [] : [{ ...wishes, lasting: "whole" }]);

const nobodyJoins: Step = (seed, wishes) => (drawPlan(seed, wishes).spares === 0 ? [] : [{ ...wishes, spares: 0 }]);

const noSessions: Step = (seed, wishes) => (drawPlan(seed, wishes).sessions === 0 ? [] : [{ ...wishes, sessions: 0 }]);

const STEPS: readonly Step[] = [
  withoutAll, shorter, ...FAULTS.map(withoutOne), withoutOne("network"), nothingLasts, nobodyJoins, noSessions,
  fewer("size", 5), fewer("clients", 5), fewer("sessions", 2), fewer("keys", 3), fewer("perSecond", 20), shorter,
];
