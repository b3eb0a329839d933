import { describe, expect, it } from "vitest";
import type { Observed, ObservedClaim, ObservedMember, ObservedPod } from "../../../src/controller/plan/observed.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import { blank, claim, configuration, inShort, member, observe, pod, seat } from "./observation.ts";

/** What may have become of one ordinal. */
const FATES = ["well", "no pod", "no pod and no claim", "not running", "silent", "ending", "lost", "corrupt", "disk", "foreign"] as const;
type Fate = (typeof FATES)[number];

interface Part {
  readonly pod: ObservedPod | null;
  readonly claim: ObservedClaim | null;
  readonly member: ObservedMember | null;
}

function partOf(ordinal: number, fate: Fate): Part {
  const well = { pod: pod(ordinal, { leaderLabel: false }), claim: claim(ordinal), member: member(ordinal, { role: "follower" }) };
  const unready = { ...well, pod: pod(ordinal, { leaderLabel: false, ready: false }) };
  switch (fate) {
    case "well": return well;
    case "no pod": return { ...well, pod: null, member: null };
    case "no pod and no claim": return { pod: null, claim: null, member: null };
    case "not running": return { ...well, pod: pod(ordinal, { leaderLabel: false, ready: false, running: false, waiting: "CrashLoopBackOff" }), member: null };
    case "silent": return { ...unready, member: null };
    case "ending": return { ...well, pod: pod(ordinal, { leaderLabel: false, ready: false, terminating: true }) };
    case "lost": return { ...unready, member: blank(ordinal) };
    case "corrupt": return { ...unready, member: member(ordinal, { role: "fenced", fence: { kind: "corrupt", reason: "x" } }) };
    case "disk": return { ...unready, member: member(ordinal, { role: "fenced", fence: { kind: "disk", reason: "x" } }) };
    case "foreign": return { ...unready, member: member(ordinal, { cluster: "other" }) };
  }
}

function observeFates(fates: readonly Fate[]): Observed {
  const parts = fates.map((fate, ordinal) => partOf(ordinal, fate));
  const well = fates.map((fate) => fate === "well");
  const led = well.filter(Boolean).length > fates.length / 2;
  const leads = led ? well.indexOf(true) : -1;
  const seats = fates.map((_, ordinal) => seat(ordinal, { leader: ordinal === leads, live: led ? well[ordinal] ?? false : null, caughtUp: led ? well[ordinal] ?? false : null }));
  const told = configuration(seats, led ? { leader: { name: `demo-${leads}`, ballot: { round: 9, incarnation: `i${leads}` } } } : { fromLeader: false, pending: null, leader: null });
  return observe({ spec: { replicas: fates.length } }, {
    pods: parts.map((part) => part.pod).filter((part) => part !== null).map((part) => ({ ...part, leaderLabel: part.ordinal === leads })),
    claims: parts.map((part) => part.claim).filter((part) => part !== null),
    members: parts.map((part) => part.member).filter((part) => part !== null),
    configuration: well.includes(true) || fates.some((fate) => fate === "corrupt" || fate === "disk") ? told : null,
  });
}

function combinations(count: number): Fate[][] {
  return count === 0 ? [[]] : combinations(count - 1).flatMap((fates) => FATES.map((fate) => [...fates, fate]));
}

/** What is right, said in another way than the plan does. */
function expected(fates: readonly Fate[]): string[] {
  const restarting = fates.includes("ending");
  const failed = fates.indexOf("disk");
  if (failed >= 0 && !restarting) return [`deletePod demo-${failed}`];
  if (fates.filter((fate) => fate === "well").length <= fates.length / 2) return [];
  const corrupt = fates.indexOf("corrupt");
  if (corrupt >= 0) return [`renewMember ${corrupt} i${corrupt}`];
  const lost = fates.indexOf("lost");
  return lost >= 0 ? [`addLearner ${lost} new${lost}`] : [];
}

describe("whatever is missing of three members", () => {
  it.each(FATES)("the one right thing is done, or nothing, when the first is: %s", (first) => {
    for (const rest of combinations(2)) {
      const fates = [first, ...rest];
      expect(inShort(plan(observeFates(fates))), fates.join(" | ")).toEqual(expected(fates));
    }
  });
});

describe("whatever is missing of five members", () => {
  it("at most one thing is done in a pass, and to the members nothing without a majority", () => {
    for (const fates of combinations(5).filter((_, index) => index % 37 === 0)) {
      expect(inShort(plan(observeFates(fates))), fates.join(" | ")).toEqual(expected(fates));
    }
  });
});
