import { describe, expect, it } from "vitest";
import type { Observed, ObservedPod } from "../../../src/controller/plan/observed.ts";
import { condition, configuration, NOW_MS, observe, planned, pod, replaced, seat } from "./observation.ts";

const old = (ordinal: number, changes: Partial<ObservedPod> = {}): ObservedPod => pod(ordinal, { revision: "r0", ...changes });
const failing = { running: false, ready: false, waiting: "ImagePullBackOff" } as const;
const SINCE_LONG = "2027-01-15T07:00:00Z";

function rolling(pods: readonly ObservedPod[], changes: Partial<Observed> = {}): Observed {
  return observe({ spec: { replicas: pods.length } }, { pods, ...changes });
}

describe("a rolling update", () => {
  it.each<[string, readonly ObservedPod[], string[]]>([
    ["begins with the highest ordinal", [old(0), old(1), old(2)], ["deletePod demo-2"]],
    ["goes on when everybody is ready", [old(0), old(1), pod(2)], ["deletePod demo-1"]],
    ["waits for the member that it replaced", [old(0), old(1), pod(2, { ready: false })], []],
    ["waits for one that is on its way out", [old(0), old(1), pod(2, { terminating: true })], []],
    ["waits for a pod to be made", [old(0), old(1)], []],
    ["hands leadership over when only the leader is left", [old(0), pod(1), pod(2)], ["transferLeadership i1"]],
    ["is done when all are of the present revision", [pod(0), pod(1), pod(2)], []],
    ["replaces the only member there is", [old(0)], ["deletePod demo-0"]],
    ["takes a member that is not ready first", [old(0), old(1, { ready: false }), old(2)], ["deletePod demo-1"]],
    ["waits for the member that it replaced before it takes one that is not ready", [old(0), old(1, { ready: false }), pod(2, { ready: false })], []],
    ["takes one that does not run at once, whatever the others do", [old(0), old(1, failing), pod(2, { ready: false })], ["deletePod demo-1"]],
  ])("%s", (_, pods, expected) => {
    const missing = pods.length === 2;
    expect(planned(missing ? { ...rolling([old(0), old(1), old(2)]), pods } : rolling(pods))).toEqual(expected);
  });

  it.each<[string, readonly ObservedPod[], string]>([
    ["while pods of an older revision are left", [old(0), pod(1), pod(2)], "True RollingUpdate"],
    ["while the last of them ends", [old(0, { ready: false, terminating: true }), pod(1), pod(2)], "True RollingUpdate"],
    ["while it is not made again", [pod(1), pod(2)], "True AwaitingMembers"],
    ["while it does not run", [pod(0, { running: false, ready: false, waiting: "ContainerCreating" }), pod(1), pod(2)], "True AwaitingMembers"],
    ["while it catches up, and so is not ready", [pod(0, { ready: false }), pod(1), pod(2)], "True AwaitingMembers"],
    ["no longer than until it is ready", [pod(0), pod(1), pod(2)], "False Settled"],
  ])("is in progress %s", (_, pods, expected) => {
    const led = configuration([seat(0, { leader: false }), seat(1, { leader: true }), seat(2)], { leader: { name: "demo-1", ballot: { round: 8, incarnation: "i1" } } });
    const labelled = pods.map((each) => ({ ...each, leaderLabel: each.ordinal === 1 }));
    expect(condition({ ...rolling([pod(0), pod(1), pod(2)], { configuration: led }), pods: labelled }, "Progressing")).toBe(expected);
  });

  it("leaves the leader for last, whichever it is", () => {
    const seats = [seat(0, { leader: false }), seat(1), seat(2, { leader: true })];
    const led = configuration(seats, { leader: { name: "demo-2", ballot: { round: 8, incarnation: "i2" } } });
    const label = (pods: readonly ObservedPod[]): ObservedPod[] => pods.map((each) => ({ ...each, leaderLabel: each.ordinal === 2 }));
    expect(planned(rolling(label([old(0), old(1), old(2)]), { configuration: led }))).toEqual(["deletePod demo-1"]);
    expect(planned(rolling(label([pod(0), pod(1), old(2)]), { configuration: led }))).toEqual(["transferLeadership i0"]);
  });

  it.each<[string, Partial<Observed>]>([
    ["no leader is known", { configuration: null }],
    ["a change of the members is not done", { configuration: configuration([seat(0), seat(1), seat(2)], { pending: true }) }],
    ["a voter is not heard", { configuration: configuration([seat(0), seat(1), seat(2, { live: false })]) }],
    ["a learner has not become a voter", { configuration: configuration([seat(0), seat(1), seat(2), seat(3, { role: "learner" })]) }],
    ["the StatefulSet's controller has not seen its new form", { statefulSet: { uid: "x", replicas: 3, updateRevision: "r1", settled: false } }],
  ])("waits while %s", (_, changes) => {
    expect(planned(rolling([old(0), old(1), old(2)], changes)).filter((action) => /deletePod|transfer/.test(action))).toEqual([]);
  });

  it.each<[string, Partial<ObservedPod>]>([
    ["the image is missing", failing],
    ["it crashes again and again", { running: false, ready: false, waiting: "CrashLoopBackOff" }],
    ["it is never ready", { ready: false }],
  ])("stops and says so when a member does not come back: %s", (_, how) => {
    const stuck = rolling([old(0), old(1), pod(2, how)]);
    expect(planned(stuck)).toEqual([]);
    expect(condition(stuck, "Degraded")).toBe("True RolloutStopped");
  });

  it("goes on from the broken member when a working revision is set", () => {
    const fixed = rolling([old(0), old(1), pod(2, { ...failing, revision: "broken" })]);
    expect(planned(fixed)).toEqual(["deletePod demo-2"]);
    expect(planned(rolling([old(0), old(1), pod(2, { ready: false, revision: "broken" })]))).toEqual(["deletePod demo-2"]);
  });

  it("replaces a bad image that was there from the first install, with no quorum and nothing founded", () => {
    const pods = [0, 1, 2].map((ordinal) => old(ordinal, { ...failing, leaderLabel: false }));
    const install = { members: [], configuration: null, bootstrap: null };
    expect(planned(rolling(pods, install))).toEqual(["deletePod demo-0"]);
    expect(planned(rolling(pods.map((each) => ({ ...each, revision: "r1" })), install))).toEqual([]);
    expect(condition(rolling(pods.map((each) => ({ ...each, revision: "r1" })), install), "Degraded")).toBe("True PodFailing");
  });

  it("replaces running members that are not ready only after two minutes without a majority", () => {
    const lost = (lastTransitionTime: string): Observed => {
      const quorate = { type: "Quorate", status: "False", reason: "NoQuorum", message: "", observedGeneration: 1, lastTransitionTime } as const;
      const pods = [0, 1, 2].map((ordinal) => old(ordinal, { ready: false }));
      return { ...observe({ status: { conditions: [quorate] } }, { pods, configuration: null }), nowMs: NOW_MS };
    };
    expect(planned(lost(SINCE_LONG))).toEqual(["deletePod demo-2"]);
    expect(planned(lost("2027-01-15T07:59:00Z"))).toEqual([]);
  });

  it("keeps the majority where a member that is not ready still counts in it", () => {
    const pods = [old(0), old(1, { ready: false }), pod(2)];
    expect(planned(rolling(pods, { configuration: configuration([seat(0), seat(1), seat(2, { live: false })]) }))).toEqual([]);
    expect(planned(rolling(pods, { configuration: configuration([seat(0), seat(1, { live: false }), seat(2)]) }))).toEqual(["deletePod demo-1"]);
  });

  it("takes no notice of pods that are about to leave", () => {
    const five = observe({ replicas: 5 }, { configuration: configuration([seat(0), seat(1), seat(2)]) });
    expect(planned({ ...five, pods: replaced(five.pods, old(4)) })).not.toContain("deletePod demo-4");
  });
});
