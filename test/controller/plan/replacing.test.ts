import { describe, expect, it } from "vitest";
import type { Observed, ObservedMember, ObservedSeat } from "../../../src/controller/plan/observed.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import { blank, condition, configuration, learner, member, NOW_MS, observe, planned, pod, replaced, seat } from "./observation.ts";

const dead = (ordinal: number): ObservedSeat => seat(ordinal, { live: false, caughtUp: false, leader: false });
const corrupt = { kind: "corrupt", reason: "segment 3 is damaged." } as const;
const disk = { kind: "disk", reason: "EIO." } as const;
const fenced = (ordinal: number, fence: ObservedMember["fence"] = corrupt): ObservedMember => member(ordinal, { role: "fenced", fence });
const all = (...changed: ObservedMember[]): ObservedMember[] => replaced([member(0), member(1), member(2)], ...changed);

describe("a volume that was lost", () => {
  const lost = [seat(0), seat(1), dead(2)];

  it.each<[string, readonly ObservedSeat[], readonly ObservedMember[], string[]]>([
    ["first the pod's new member becomes a learner", lost, all(blank(2)), ["addLearner 2 new2"]],
    ["then it catches up", [...lost, learner(2, { caughtUp: false })], all(blank(2, { cluster: member(0).cluster })), []],
    ["then it takes its former self's place in one step", [...lost, learner(2)], all(blank(2, { cluster: member(0).cluster })), ["promote new2 replacing i2"]],
    ["a learner that does not know that it is one is told", [...lost, learner(2, { live: false, caughtUp: false })], all(blank(2)), ["addLearner 2 new2"]],
    ["a learner of a volume that is gone too goes first", [...lost, learner(2, { id: "gone" })], all(blank(2)), ["removeMember gone"]],
    ["a learner goes when the old volume is back", [seat(0), seat(1), seat(2), learner(2)], all(), ["removeMember new2"]],
    ["a learner stays while its pod does not answer", [...lost, learner(2, { live: false })], [member(0), member(1)], []],
    ["nothing while the former member still answers its peers", [seat(0), seat(1), seat(2)], all(blank(2)), []],
    ["nothing without a live majority of the others", [seat(0), dead(1), dead(2)], all(blank(2)), []],
    ["one member after the other", [seat(0), dead(1), dead(2), seat(3), seat(4)], all(blank(1), blank(2)), ["addLearner 1 new1"]],
    ["the one that was begun goes on first", [seat(0), dead(1), dead(2), seat(3), seat(4), learner(2)], all(blank(1), blank(2, { cluster: member(0).cluster })), ["promote new2 replacing i2"]],
  ])("%s", (_, seats, members, expected) => {
    const five = seats.some(({ name }) => name === "demo-4");
    const others = five ? [member(3), member(4)] : [];
    expect(planned(observe({ spec: { replicas: five ? 5 : 3 } }, { configuration: configuration(seats), members: [...members, ...others] }))).toEqual(expected);
  });

  it.each<[string, Partial<Parameters<typeof configuration>[1]>]>([
    ["the last change is not done", { pending: true }],
    ["it is not known whether the last change is done", { pending: null }],
    ["no leader told who is a member", { fromLeader: false }],
  ])("waits while %s", (_, changes) => {
    expect(planned(observe({}, { configuration: configuration(lost, changes), members: all(blank(2)) }))).toEqual([]);
  });

  it("names the pod, the incarnation and the configuration that it was planned from", () => {
    const { actions } = plan(observe({}, { configuration: configuration(lost), members: all(blank(2)) }));
    expect(actions).toEqual([{
      type: "addLearner", ordinal: 2, podUid: "pod-2", incarnation: "new2", address: "demo-2.demo-members.prod.svc.cluster.local:7400", configuration: 40,
    }]);
  });
});

describe("a member that will not vote again", () => {
  const seats = [seat(0), seat(1), dead(2)];

  it.each<[string, readonly ObservedSeat[], readonly ObservedMember[], readonly string[], string[]]>([
    ["one with a corrupt folder begins anew", seats, all(fenced(2)), [], ["renewMember 2 i2"]],
    ["one with a copied folder begins anew", seats, all(fenced(2, { kind: "copied", reason: "x" })), [], ["renewMember 2 i2"]],
    ["not while too few of the others live", [seat(0), dead(1), dead(2)], all(fenced(2)), [], []],
    ["not on its own vote, should the leader still have heard it", [seat(0), seat(1, { live: false }), seat(2)], all(fenced(2)), [], []],
    ["a retired ordinal's old volume begins anew when it comes back", [seat(0), seat(1)], all(member(2, { role: "removed" })), ["i2"], ["renewMember 2 i2"]],
    ["so it does before it knows that it was removed", [seat(0), seat(1)], all(member(2)), ["i2"], ["renewMember 2 i2"]],
    ["so it does when it was removed longer ago than is remembered", [seat(0), seat(1)], all(member(2, { role: "removed" })), [], ["renewMember 2 i2"]],
    ["so it does when nobody knows it any more", [seat(0), seat(1)], all(member(2)), [], ["renewMember 2 i2"]],
    ["so it does when its adding was interrupted and undone", [seat(0), seat(1)], all(blank(2)), ["new2"], ["renewMember 2 new2"]],
    ["one that is behind in learning that it is a member does not", [seat(0), seat(1), seat(2)], all(member(2, { role: "removed" })), [], []],
  ])("%s", (_, configured, members, removed, expected) => {
    expect(planned(observe({}, { configuration: configuration(configured, { removed }), members }))).toEqual(expected);
  });

  it("waits for its turn while another member is being replaced", () => {
    const members = [member(0), member(1), fenced(2), blank(3, { cluster: member(0).cluster }), member(4)];
    const configured = configuration([seat(0), seat(1), dead(2), dead(3), seat(4), learner(3, { caughtUp: false })]);
    expect(planned(observe({ spec: { replicas: 5 } }, { configuration: configured, members }))).toEqual([]);
  });

  it("begins anew even when its folder no longer tells its cluster", () => {
    expect(planned(observe({}, { configuration: configuration(seats), members: all(member(2, { role: "fenced", fence: corrupt, cluster: null })) }))).toEqual(["renewMember 2 i2"]);
  });
});

describe("a member whose disk failed", () => {
  const fencedBy = (age: number, changes: Partial<Observed> = {}): Observed => observe({}, {
    configuration: configuration([seat(0), seat(1), dead(2)]), members: all(fenced(2, disk)),
    pods: [pod(0), pod(1), pod(2, { ready: false, createdMs: NOW_MS - age })], ...changes,
  });

  it("is restarted, at most once a minute", () => {
    expect(planned(fencedBy(60_000))).toEqual(["deletePod demo-2"]);
    expect(planned(fencedBy(59_000))).toEqual([]);
    expect(condition(fencedBy(59_000), "Degraded")).toBe("True MemberFenced");
  });

  it("is restarted without a majority too: that may bring it back", () => {
    const both = { configuration: null, members: [member(0), fenced(1, disk), fenced(2, disk)] };
    expect(planned(fencedBy(100_000, both))).toEqual(["deletePod demo-1"]);
  });

  it("waits for one that was restarted just now", () => {
    const pods = [pod(0), pod(1, { createdMs: NOW_MS - 5_000, running: false, ready: false, waiting: "ContainerCreating" }), pod(2, { ready: false })];
    expect(planned(fencedBy(0, { pods, members: [member(0), fenced(2, disk)] }))).toEqual([]);
  });
});
