import { describe, expect, it } from "vitest";
import type { Observed } from "../../../src/controller/plan/observed.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import { blank, claim, CLUSTER, condition, configuration, learner, member, observe, planned, pod, replaced, seat, without } from "./observation.ts";

const OTHER = "d".repeat(32);

/** Pods with empty folders, and nothing founded. */
const unfounded = (changes: Partial<Observed> = {}): Partial<Observed> => ({
  members: [blank(0), blank(1), blank(2)], configuration: null, bootstrap: null, pods: [0, 1, 2].map((ordinal) => pod(ordinal, { ready: false, leaderLabel: false })), ...changes,
});
/** All three have lost their volumes. */
const emptied = unfounded({ bootstrap: { uid: "b", cluster: CLUSTER, voters: [0, 1, 2].map((ordinal) => ({ incarnation: `i${ordinal}`, name: `demo-${ordinal}`, address: "" })) } });

describe("founding", () => {
  it("makes the document of every wanted member's incarnation, with addresses that last", () => {
    const [action] = plan(observe({}, unfounded())).actions;
    expect(action).toEqual({
      type: "createBootstrap", cluster: null,
      members: [0, 1, 2].map((ordinal) => ({ incarnation: `new${ordinal}`, name: `demo-${ordinal}`, address: `demo-${ordinal}.demo-members.prod.svc.cluster.local:7400` })),
    });
  });

  it.each<[string, Partial<Observed>]>([
    ["a member does not answer", unfounded({ members: [blank(0), blank(2)] })],
    ["a pod is not there", unfounded({ members: [blank(0), blank(1)], pods: [pod(0), pod(1)] })],
    ["an answer is that of a pod that was replaced", unfounded({ members: [blank(0), blank(1, { podUid: "former" }), blank(2)] })],
    ["a pod is about to end", unfounded({ pods: [pod(0), pod(1, { terminating: true }), pod(2)] })],
    ["a member calls itself by another name", unfounded({ members: [blank(0), blank(1, { name: "demo-7" }), blank(2)] })],
    ["a member's folder is fenced", unfounded({ members: [blank(0), blank(1, { fence: { kind: "corrupt", reason: "x" }, role: "fenced" }), blank(2)] })],
    ["two members are the same one", unfounded({ members: [blank(0), blank(1, { incarnation: "new0" }), blank(2)] })],
    ["a volume carries a cluster", unfounded({ members: [blank(0), member(1), blank(2)] })],
    ["two volumes carry different clusters", unfounded({ members: [blank(0), member(1), member(2, { cluster: OTHER })] })],
    ["all volumes carry a cluster: it is founded", unfounded({ members: [member(0), member(1), member(2)] })],
  ])("waits and founds nothing when %s", (_, changes) => {
    const labels = (action: string): boolean => !action.startsWith("labelLeader");
    expect(planned(observe({}, changes)).filter(labels)).toEqual([]);
  });

  it("looks into every volume of an earlier time first, beyond the wanted number", () => {
    const claims = [0, 1, 2, 3].map((ordinal) => claim(ordinal));
    expect(planned(observe({ spec: { replicas: 1 }, replicas: 1 }, unfounded({ members: [blank(0)], pods: [pod(0)], claims })))).toContain("apply StatefulSet/demo");
    const started = unfounded({ members: [blank(0), blank(1), blank(2), blank(3)], pods: [0, 1, 2, 3].map((ordinal) => pod(ordinal, { leaderLabel: false })), claims });
    expect(planned(observe({ spec: { replicas: 1 }, replicas: 4 }, started))).toEqual(["createBootstrap new0"]);
    expect(planned(observe({ spec: { replicas: 1 }, replicas: 4 }, { ...started, members: [blank(0), blank(1), blank(2), member(3)] }))).toEqual([]);
  });

  it("gives the document to those that it names, late ones too, and to nobody else", () => {
    const voters = [{ incarnation: "new0", name: "demo-0", address: "" }, { incarnation: "new1", name: "demo-1", address: "" }, { incarnation: "i2", name: "demo-2", address: "" }];
    const bootstrap = { uid: "b", cluster: CLUSTER, voters };
    expect(planned(observe({}, unfounded({ bootstrap })))).toEqual(["found 0 new0", "found 1 new1"]);
    expect(planned(observe({}, unfounded({ bootstrap, members: [member(0), blank(1), blank(2)] })))).toEqual(["found 1 new1"]);
  });

  it("is not repeated when the PaxosCluster is made again on volumes that were kept", () => {
    const kept = { pods: [], members: [], configuration: null, statefulSet: null, objects: new Map(), secret: null };
    expect(planned(observe({}, kept)).filter((action) => !action.startsWith("apply"))).toEqual(["createKey"]);
    expect(planned(observe({}, { ...kept, bootstrap: null }))).not.toContain("createBootstrap");
    expect(planned(observe({}, { members: [member(0), member(1), member(2)] }))).toEqual([]);
  });

  it("is not repeated for the one volume that was lost meanwhile: that member is replaced", () => {
    const silent = observe({}, { members: [member(0), member(1), blank(2)], configuration: null });
    expect(planned(silent)).toEqual([]);
    const configurationWithout2 = configuration([seat(0), seat(1), seat(2, { live: false, caughtUp: false })]);
    expect(planned(observe({}, { members: [member(0), member(1), blank(2)], configuration: configurationWithout2 }))).toEqual(["addLearner 2 new2"]);
  });

  it("starts every volume that was kept when only those can tell who is a member", () => {
    const kept = { pods: [], members: [], configuration: null, statefulSet: null, objects: new Map(), claims: [claim(0), claim(1), claim(2)] };
    const { actions } = plan(observe({ spec: { replicas: 1 } }, kept));
    expect(actions.find((action) => action.type === "apply" && action.object.kind === "StatefulSet")).toMatchObject({ object: { spec: { replicas: 3 } } });
  });

  it("is not done again when all volumes are lost, and says what to do", () => {
    expect(planned(observe({}, emptied))).toEqual([]);
    expect(condition(observe({}, emptied), "Degraded")).toBe("True AllVolumesLost");
    expect(condition(observe({}, emptied), "Ready")).toMatch(/^False/);
  });

  it("is written down again when somebody deleted the document, for the cluster that there is and those who vote in it", () => {
    const deleted = observe({ status: { clusterId: CLUSTER } }, { bootstrap: null });
    expect(plan(deleted).actions).toMatchObject([{ type: "createBootstrap", cluster: CLUSTER, members: [{ incarnation: "i0", name: "demo-0" }, { incarnation: "i1" }, { incarnation: "i2" }] }]);
    expect(planned({ ...deleted, configuration: configuration([seat(0), seat(1), seat(2)], { fromLeader: false }) })).toEqual([]);
  });

  it("says what to do when so many volumes are lost that no majority can ever come back, and touches nothing", () => {
    const seats = [seat(0, { leader: false, live: null }), seat(1, { live: null }), seat(2, { live: null })];
    const left = configuration(seats, { fromLeader: false, pending: null, leader: null });
    const lost = observe({}, { members: [member(0, { role: "candidate" }), blank(1), blank(2)], configuration: left });
    expect(planned(lost)).toEqual([]);
    expect(condition(lost, "Degraded")).toBe("True MajorityLost");
    const away = observe({}, { members: [member(0, { role: "candidate" }), blank(1)], configuration: left });
    expect(condition(away, "Degraded")).toBe("False AsExpected");
  });

  it("is not done again either when the founding document was deleted as well", () => {
    const lost = observe({ status: { clusterId: CLUSTER } }, unfounded());
    expect(planned(lost)).toEqual([]);
    expect(condition(lost, "Degraded")).toBe("True AllVolumesLost");
  });

  it("begins anew, the old document first, when neither claims nor StatefulSet are left", () => {
    const bare = { pods: [], members: [], claims: [], configuration: null, statefulSet: null, objects: new Map() };
    const first = plan(observe({ status: { clusterId: CLUSTER } }, bare));
    expect(first.actions).toEqual([{ type: "deleteBootstrap", uid: "bootstrap-uid" }]);
    expect(first.status?.clusterId).toBeUndefined();
    const second = plan(observe({ status: { clusterId: CLUSTER } }, { ...bare, bootstrap: null }));
    expect(second.actions).toEqual([]);
    expect(second.status?.clusterId).toBeUndefined();
    expect(planned(observe({}, { ...bare, bootstrap: null, secret: null }))).toContain("apply StatefulSet/demo");
  });

  it.each<[string, Partial<Observed>]>([
    ["a claim", { pods: [], statefulSet: null }],
    ["a StatefulSet", { pods: [], claims: [] }],
    ["a pod", { claims: [], statefulSet: null }],
  ])("keeps the document while %s is left", (_, left) => {
    expect(planned(observe({}, { members: [], configuration: null, ...left }))).not.toContain("deleteBootstrap");
  });

  it("leaves a volume of another cluster alone, and says so", () => {
    const foreign = observe({}, { members: [member(0), member(1), member(2, { cluster: OTHER })], configuration: configuration([seat(0), seat(1), seat(2, { live: false })]) });
    expect(planned(foreign)).toEqual([]);
    expect(condition(foreign, "Degraded")).toBe("True ForeignVolume");
  });

  it("does not take the configuration of another cluster for its own", () => {
    const foreign = observe({}, { configuration: configuration([learner(0), seat(1)], { cluster: OTHER }) });
    expect(planned(foreign)).toEqual([]);
    expect(condition(foreign, "Quorate")).toBe("False NoQuorum");
  });

  it("tells whose cluster it is from the volumes, once all have been asked and agree", () => {
    const alone = { bootstrap: null, configuration: configuration([seat(0), seat(1), seat(2)]) };
    expect(plan(observe({}, alone)).status?.clusterId).toBe(CLUSTER);
    expect(plan(observe({}, { ...alone, members: without([member(0), member(1), member(2)], 1) })).status?.clusterId).toBeUndefined();
    expect(plan(observe({}, { ...alone, members: replaced([member(0), member(1), member(2)], member(1, { cluster: OTHER })) })).status?.clusterId).toBeUndefined();
  });
});
