import { describe, expect, it } from "vitest";
import type { Observed, ObservedSeat } from "../../../src/controller/plan/observed.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import { blank, claim, CLUSTER, condition, configuration, learner, member, observe, planned, pod, seat } from "./observation.ts";

const dead = (ordinal: number): ObservedSeat => seat(ordinal, { live: false, caughtUp: false, leader: false });
const seats = (...ordinals: number[]): ObservedSeat[] => ordinals.map((ordinal) => seat(ordinal, { leader: ordinal === Math.min(...ordinals) }));
const replicasOf = (observed: Observed): unknown => {
  const set = plan(observed).actions.find((action) => action.type === "apply" && action.object.kind === "StatefulSet");
  return (set as { object: { spec: { replicas: number } } } | undefined)?.object.spec.replicas;
};

/** `size` pods, of which `desired` are wanted. */
function sized(desired: number, size: number, configured: readonly ObservedSeat[], changes: Partial<Observed> = {}): Observed {
  return observe({ spec: { replicas: desired }, replicas: size }, { configuration: configuration(configured), ...changes });
}

describe("shrinking", () => {
  it.each<[string, number, number, readonly ObservedSeat[], string[]]>([
    ["removes the highest first", 3, 5, seats(0, 1, 2, 3, 4), ["removeMember i4"]],
    ["goes on with the next", 3, 5, seats(0, 1, 2, 3), ["apply PodDisruptionBudget/demo", "apply StatefulSet/demo", "removeMember i3"]],
    ["counts, and does not spell: 11 is above 9", 9, 12, seats(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11), ["removeMember i11"]],
    ["removes a learner before any voter", 3, 5, [...seats(0, 1, 2, 3), learner(4)], ["removeMember new4"]],
    ["removes the dead before the living, so that more may be dead", 3, 5, [seat(0), seat(1), dead(2), seat(3), dead(4)], ["removeMember i4"]],
    ["removes a lower dead one before a higher living one", 3, 5, [dead(0), seat(1, { leader: true }), seat(2), dead(3), seat(4)], ["removeMember i3"]],
    ["down to one", 1, 3, seats(0, 1, 2), ["removeMember i2"]],
  ])("%s", (_, desired, size, configured, expected) => {
    expect(planned(sized(desired, size, configured))).toEqual(expected);
  });

  it.each<[string, number, number, readonly ObservedSeat[]]>([
    ["5 to 3 with members 0 and 1 dead", 3, 5, [dead(0), dead(1), seat(2), seat(3), seat(4)]],
    ["3 to 1 with member 0 dead", 1, 3, [dead(0), seat(1), seat(2)]],
    ["5 to 1 with member 0 dead, from the start and not half-way", 1, 5, [dead(0), seat(1), seat(2), seat(3), seat(4)]],
  ])("is refused where too few of those who stay are alive: %s", (_, desired, size, configured) => {
    const observed = sized(desired, size, configured);
    expect(planned(observed)).toEqual([]);
    expect(condition(observed, "Degraded")).toBe("True ShrinkRefused");
    const [notice] = plan(observed).notices;
    expect(notice).toMatchObject({ type: "Warning", reason: "ShrinkRefused" });
    expect(notice?.message).toContain("demo-0");
  });

  it("goes on once they are back", () => {
    expect(planned(sized(3, 5, [dead(0), seat(1), seat(2), seat(3), seat(4)]))).toEqual(["removeMember i4"]);
  });

  it("waits while the one member that is wanted does not vote yet", () => {
    const observed = sized(1, 3, [seat(1, { leader: true }), seat(2)], { members: [blank(0), member(1), member(2)] });
    expect(planned(observed)).toContain("addLearner 0 new0");
    expect(planned(observed).join()).not.toContain("removeMember");
  });

  it("takes pods only when nobody above has a seat and the change is done", () => {
    expect(replicasOf(sized(3, 5, seats(0, 1, 2, 3, 4)))).toBeUndefined();
    expect(replicasOf(sized(3, 5, seats(0, 1, 2, 3)))).toBe(4);
    expect(replicasOf(sized(3, 5, seats(0, 1, 2)))).toBe(3);
    for (const unsure of [{ pending: true }, { pending: null }, { fromLeader: false }]) {
      expect(replicasOf(sized(3, 5, seats(0, 1, 2), { configuration: configuration(seats(0, 1, 2), unsure) }))).toBeUndefined();
    }
    expect(replicasOf(sized(3, 5, [], { configuration: null }))).toBeUndefined();
  });

  it("never follows what somebody wrote into the StatefulSet", () => {
    expect(replicasOf(sized(3, 1, seats(0, 1, 2), { objects: observe({ spec: { replicas: 3 }, replicas: 1 }).objects }))).toBe(3);
    expect(replicasOf(sized(1, 0, seats(0, 1, 2)))).toBe(3);
    expect(replicasOf(sized(1, 0, seats(0, 1, 2), { configuration: configuration(seats(0, 1, 2), { fromLeader: false, pending: null }) }))).toBe(3);
    expect(replicasOf(sized(3, 9, seats(0, 1, 2)))).toBe(3);
  });

  it("deletes a volume after its pod, where that is the policy", () => {
    const claims = [0, 1, 2, 3, 4].map((ordinal) => claim(ordinal));
    const storage = { size: "1Gi", whenScaled: "Delete" } as const;
    const gone = observe({ spec: { replicas: 3, storage } }, { claims });
    expect(planned(gone)).toEqual(["deleteClaim data-demo-3", "deleteClaim data-demo-4"]);
    expect(planned(observe({ spec: { replicas: 3 } }, { claims }))).toEqual([]);
    expect(planned({ ...gone, pods: [...gone.pods, pod(4, { leaderLabel: false })] })).toEqual(["deleteClaim data-demo-3"]);
    expect(planned({ ...gone, claims: [...claims.slice(0, 4), claim(4, { terminating: true })] })).toEqual(["deleteClaim data-demo-3"]);
    expect(planned({ ...gone, configuration: configuration(seats(0, 1, 2), { pending: true }) })).toEqual([]);
    expect(planned({ ...gone, configuration: null })).toEqual([]);
    expect(planned({ ...gone, configuration: configuration(seats(0, 1, 2, 4)) })).not.toContain("deleteClaim data-demo-4");
  });
});

describe("growing", () => {
  const five = (configured: readonly ObservedSeat[], members: Observed["members"], changes: Partial<Observed> = {}): Observed =>
    sized(5, 5, configured, { members: [member(0), member(1), member(2), ...members], ...changes });

  it("makes the pods first", () => {
    expect(replicasOf(sized(5, 3, seats(0, 1, 2)))).toBe(5);
    expect(replicasOf(sized(5, 3, [], { configuration: null }))).toBe(5);
  });

  it.each<[string, Observed, string[]]>([
    ["adds a new pod's member as a learner", five(seats(0, 1, 2), [blank(3), blank(4)]), ["addLearner 3 new3"]],
    ["adds the next while the first is learning", five([...seats(0, 1, 2), learner(3, { caughtUp: false })], [blank(3, { cluster: CLUSTER }), blank(4)]), ["addLearner 4 new4"]],
    ["is not held up by one that does not come", five(seats(0, 1, 2), [blank(4)]), ["addLearner 4 new4"]],
    ["makes a learner a voter when it has caught up", five([...seats(0, 1, 2), learner(3)], [blank(3, { cluster: CLUSTER })]), ["promote new3"]],
    ["not before", five([...seats(0, 1, 2), learner(3, { caughtUp: false })], [blank(3, { cluster: CLUSTER })]), []],
    ["nor while it is not heard", five([...seats(0, 1, 2), learner(3, { live: false })], [blank(3, { cluster: CLUSTER })]), []],
    ["nor when its pod has another member by now", five([...seats(0, 1, 2), learner(3, { id: "former" })], [blank(3)]), ["removeMember former"]],
    ["does so one by one, where only one of two has come", sized(3, 3, [seat(0), learner(2)], { members: [member(0), blank(2, { cluster: CLUSTER })] }), ["promote new2"]],
  ])("%s", (_, observed, expected) => {
    expect(planned(observed)).toEqual(expected);
  });

  it("keeps a learner back where a majority with it would not be alive", () => {
    const members = [member(0), member(1), member(2), blank(4, { cluster: CLUSTER })];
    expect(planned(sized(5, 5, [seat(0), seat(1), dead(2), learner(4)], { members }))).toEqual(["promote new4"]);
    expect(planned(sized(5, 5, [seat(0), dead(1), learner(4)], { members }))).toEqual([]);
  });

  it("follows a wish that changes in the middle", () => {
    const half = [...seats(0, 1, 2, 3), learner(4, { caughtUp: false })];
    expect(planned(sized(3, 5, half))).toEqual(["removeMember new4"]);
    expect(planned(sized(5, 4, seats(0, 1, 2, 3), { pods: [0, 1, 2, 3].map((ordinal) => pod(ordinal)), members: [0, 1, 2, 3].map((ordinal) => member(ordinal)) })))
      .toEqual(["apply PodDisruptionBudget/demo", "apply StatefulSet/demo"]);
  });

  it("takes a volume that was kept for what it is", () => {
    const back = (volume: Observed["members"][number], removed: string[]): string[] =>
      planned(sized(3, 3, seats(0), { members: [member(0), volume], configuration: configuration(seats(0), { removed }) }));
    expect(back(member(1, { role: "removed" }), ["i1"])).toEqual(["renewMember 1 i1"]);
    expect(back(blank(1), ["i1"])).toEqual(["addLearner 1 new1"]);
  });
});
