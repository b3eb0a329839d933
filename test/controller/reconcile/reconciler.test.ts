import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authorization, parseKey } from "../../../src/auth/key.ts";
import { fingerprintOf } from "../../../src/controller/members/keys.ts";
import type { Action, Plan } from "../../../src/controller/plan/actions.ts";
import { APPS, claim, CLUSTERS, CORE, incarnationOf, pod, Stage, statusOf } from "./stage.ts";

const planOf = (...actions: Action[]): (() => Plan) => () => ({ actions, notices: [], status: null, againMs: null });

describe("the reconciler", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.set(3);
  });
  afterEach(() => stage.close());

  const keyIn = (field: string): string => Buffer.from(((stage.server.get(`${CORE}/secrets`, "x-key")?.["data"] ?? {}) as Record<string, string>)[field] ?? "", "base64").toString("utf8");

  it("makes a cluster of pods: objects, key, founding document, and shows who leads", async () => {
    await stage.settle();
    const bootstrap = stage.server.get(`${CORE}/configmaps`, "x-bootstrap");
    expect(bootstrap).toMatchObject({ immutable: true });
    expect(bootstrap?.metadata.ownerReferences).toBeUndefined();
    const { cluster = "" } = (bootstrap?.["data"] ?? {}) as Record<string, string>;
    expect(stage.members.map((member) => member.cluster)).toEqual([cluster, cluster, cluster]);
    expect(stage.server.get(`${CORE}/configmaps`, "x-leader")?.["data"]).toMatchObject({ leader: "x-0", ballot: "1.x-0", cluster });
    expect(stage.server.get(`${CORE}/pods`, "x-0")?.metadata.labels).toMatchObject({ "synod.dev/role": "leader" });
    expect(statusOf(stage.cluster)).toMatchObject({ ready: "3/3", leader: "x-0", clusterId: cluster });
    expect(stage.told.map(({ reason }) => reason)).toContain("Founded");
  });

  it("signs what it asks of members with the cluster's key", async () => {
    await stage.settle();
    const [call] = stage.members[0]?.calls ?? [];
    expect(call).toMatchObject({ path: "/v1/founding", authorization: authorization(parseKey(keyIn("current"), "test")) });
  });

  it("writes nothing while nothing is to be done", async () => {
    const reconciler = await stage.settle();
    const writes = stage.server.writes.length;
    const calls = stage.members.flatMap((member) => member.calls).length;
    const told = stage.told.length;
    for (let pass = 0; pass < 10; pass++) {
      stage.clock.advance(60_000);
      await reconciler.pass("n/x");
    }
    expect(stage.server.writes.slice(writes).map(({ method, path }) => `${method} ${path}`)).toEqual([]);
    expect(stage.members.flatMap((member) => member.calls)).toHaveLength(calls);
    expect(stage.told).toHaveLength(told);
  });

  it("neither lists nor watches Secrets", async () => {
    await stage.settle();
    const secrets = stage.server.requests.filter(({ path }) => path.includes("/secrets"));
    expect([...new Set(secrets.map(({ method, path }) => `${method} ${path}`))].toSorted())
      .toEqual([`GET ${CORE}/secrets/x-key`, `POST ${CORE}/secrets`]);
  });

  it("takes the steps of a plan up to the first that fails, tells of it, and rejects", async () => {
    await stage.settle();
    const uid = stage.server.get(`${CORE}/pods`, "x-2")?.metadata.uid ?? "";
    const reconciler = stage.reconciler(planOf(
      { type: "labelLeader", pod: "x-1", leads: true },
      { type: "labelLeader", pod: "x-9", leads: true },
      { type: "deletePod", name: "x-2", uid },
    ));
    await expect(reconciler.pass("n/x")).rejects.toMatchObject({ code: "SYNOD_ERR_KUBERNETES", outcome: "notFound" });
    expect(stage.server.get(`${CORE}/pods`, "x-1")?.metadata.labels).toMatchObject({ "synod.dev/role": "leader" });
    expect(stage.server.get(`${CORE}/pods`, "x-2")).toBeDefined();
    expect(stage.told.at(-1)).toMatchObject({ type: "Warning", reason: "StepFailed" });
  });

  it("makes no Event of a change of members that is not known to be made: the next pass asks for it again", async () => {
    await stage.settle();
    const told = stage.told.length;
    const reconciler = stage.reconciler(planOf({ type: "removeMember", id: incarnationOf(2), name: "x-2", configuration: 1 }));
    for (const member of stage.members) member.refuse = () => ({ status: 504, code: "SYNOD_ERR_CHANGE_UNKNOWN" });
    await expect(reconciler.pass("n/x")).rejects.toMatchObject({ code: "SYNOD_ERR_CHANGE_UNKNOWN" });
    for (const member of stage.members) member.refuse = () => "lost";
    await expect(reconciler.pass("n/x")).rejects.toMatchObject({ code: "SYNOD_ERR_CHANGE_UNKNOWN" });
    expect(stage.told).toHaveLength(told);
  });

  it("goes on behind a step that Kubernetes refuses for good, and has it in what it observes until a pass went through", async () => {
    await stage.settle();
    const uid = stage.server.get(`${CORE}/pods`, "x-2")?.metadata.uid ?? "";
    const seen: (string | null)[] = [];
    const steps: Action[] = [{ type: "labelLeader", pod: "x-1", leads: true }, { type: "deletePod", name: "x-2", uid }];
    const reconciler = stage.reconciler(({ refusal }) => {
      seen.push(refusal);
      return { actions: steps.splice(0), notices: [], status: null, againMs: null };
    });
    stage.server.fault = ({ method }) => (method === "PATCH" ? { status: 422 } : null);
    await expect(reconciler.pass("n/x")).rejects.toMatchObject({ outcome: "invalid" });
    expect(stage.server.get(`${CORE}/pods`, "x-2")).toBeUndefined();
    expect(stage.told.filter(({ reason }) => reason === "StepFailed")).toEqual([]);
    await reconciler.pass("n/x");
    await reconciler.pass("n/x");
    expect(seen).toEqual([null, "the server said Faulty", null]);
  });

  it("tells a notice that lasts once, and again after it was gone", async () => {
    let notices: Plan["notices"] = [{ type: "Warning", reason: "Refused", message: "why" }];
    const reconciler = stage.reconciler(() => ({ actions: [], notices, status: null, againMs: null }));
    const refusals = (): number => stage.told.filter(({ reason }) => reason === "Refused").length;
    await reconciler.pass("n/x");
    await reconciler.pass("n/x");
    expect(refusals()).toBe(1);
    const lasting = notices;
    notices = [];
    await reconciler.pass("n/x");
    notices = lasting;
    await reconciler.pass("n/x");
    expect(refusals()).toBe(2);
  });

  it("does nothing once another may hold the Lease, even in the middle of a pass", async () => {
    await stage.settle();
    const uid = stage.server.get(`${CORE}/pods`, "x-2")?.metadata.uid ?? "";
    const reconciler = stage.reconciler((): Plan => {
      stage.held = false;
      return { actions: [{ type: "deletePod", name: "x-2", uid }], notices: [], status: { ready: "0/3" }, againMs: null };
    });
    const writes = stage.server.writes.length;
    await expect(reconciler.pass("n/x")).rejects.toThrow("not held");
    expect(stage.server.writes).toHaveLength(writes);
  });

  it("forgets a cluster that is gone", async () => {
    const reconciler = await stage.settle();
    stage.server.remove(CLUSTERS, "x");
    expect(await reconciler.pass("n/x")).toBeNull();
  });

  describe("deletes only what it planned to delete", () => {
    it.each([
      ["pod", `${CORE}/pods`, "x-1", pod, (uid: string): Action => ({ type: "deletePod", name: "x-1", uid })],
      ["claim", `${CORE}/persistentvolumeclaims`, "data-x-1", claim, (uid: string): Action => ({ type: "deleteClaim", name: "data-x-1", uid })],
    ] as const)("a %s that was made anew meanwhile stays", async (_, collection, name, make, deletion) => {
      await stage.settle();
      const action = deletion(stage.server.get(collection, name)?.metadata.uid ?? "");
      stage.server.remove(collection, name);
      stage.server.put(collection, make(name));
      await expect(stage.reconciler(planOf(action)).pass("n/x")).rejects.toMatchObject({ outcome: "conflict" });
      expect(stage.server.get(collection, name)).toBeDefined();
      const present = deletion(stage.server.get(collection, name)?.metadata.uid ?? "");
      await stage.reconciler(planOf(present)).pass("n/x");
      expect(stage.server.get(collection, name)).toBeUndefined();
    });

    it("the founding document stays while there is a volume or a StatefulSet", async () => {
      await stage.settle();
      const uid = stage.server.get(`${CORE}/configmaps`, "x-bootstrap")?.metadata.uid ?? "";
      const reconciler = stage.reconciler(planOf({ type: "deleteBootstrap", uid }));
      stage.server.remove(`${APPS}/statefulsets`, "x");
      await expect(reconciler.pass("n/x")).rejects.toMatchObject({ outcome: "conflict" });
      for (const { name } of stage.members) stage.server.remove(`${CORE}/persistentvolumeclaims`, `data-${name}`);
      await reconciler.pass("n/x");
      expect(stage.server.get(`${CORE}/configmaps`, "x-bootstrap")).toBeUndefined();
    });
  });

  describe("adds or empties a member only on what the API server and the pod say now", () => {
    const podUid = (): string => stage.server.get(`${CORE}/pods`, "x-2")?.metadata.uid ?? "";
    const addLearner = (uid: string): Action => ({ type: "addLearner", ordinal: 2, podUid: uid, incarnation: incarnationOf(2), address: "x-2:7400", configuration: 7 });
    const changes = (): string[] => stage.members.flatMap(({ calls }) => calls.map(({ method, path }) => `${method} ${path}`)).filter((call) => !call.endsWith("founding"));

    it("asks the leader to add it, and names the configuration that was planned from", async () => {
      await stage.settle();
      await stage.reconciler(planOf(addLearner(podUid()))).pass("n/x");
      expect(changes()).toEqual(["POST /v1/members"]);
      expect(stage.members[0]?.calls.at(-1)?.body).toEqual({ address: "x-2:7400", id: incarnationOf(2), configuration: 7 });
    });

    it("not when the pod was made anew after the plan", async () => {
      await stage.settle();
      const planned = podUid();
      stage.server.remove(`${CORE}/pods`, "x-2");
      stage.server.put(`${CORE}/pods`, pod("x-2"));
      await expect(stage.reconciler(planOf(addLearner(planned))).pass("n/x")).rejects.toMatchObject({ outcome: "conflict" });
      expect(changes()).toEqual([]);
    });

    it("not when its process is another incarnation by now", async () => {
      await stage.settle();
      const reconciler = stage.reconciler((): Plan => {
        if (stage.members[2] !== undefined) stage.members[2].incarnation = "f".repeat(32);
        return planOf(addLearner(podUid()))();
      });
      await expect(reconciler.pass("n/x")).rejects.toMatchObject({ outcome: "conflict" });
      expect(changes()).toEqual([]);
    });

    it("renews the member in its own pod, by its incarnation", async () => {
      await stage.settle();
      await stage.reconciler(planOf({ type: "renewMember", ordinal: 2, podUid: podUid(), incarnation: incarnationOf(2) })).pass("n/x");
      expect(stage.members[2]?.calls.at(-1)).toMatchObject({ path: "/v1/renew", body: { incarnation: incarnationOf(2) } });
    });
  });

  describe("the key", () => {
    it("is rolled when its Secret is lost: the members' key stays valid as the previous one", async () => {
      const reconciler = await stage.settle();
      const lost = keyIn("current");
      stage.server.remove(`${CORE}/secrets`, "x-key");
      await reconciler.pass("n/x");
      expect(keyIn("previous")).toBe(lost);
      expect(keyIn("current")).toMatch(/^[0-9a-f]{64}$/);
      expect(keyIn("current")).not.toBe(lost);
    });

    it("that is new is asked for at the kubelets by an annotation of each pod, once, and nothing else of the pods changes", async () => {
      const reconciler = await stage.settle();
      stage.server.remove(`${CORE}/secrets`, "x-key");
      await reconciler.pass("n/x");
      const before = stage.server.writes.length;
      for (let pass = 0; pass < 3; pass++) await reconciler.pass("n/x");
      const touched = stage.server.writes.slice(before).filter(({ path }) => path.includes("/pods/"));
      expect(touched.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([0, 1, 2].map((ordinal) => `PATCH ${CORE}/pods/x-${ordinal}`));
      expect(stage.server.get(`${CORE}/pods`, "x-1")?.metadata.annotations).toEqual({
        "synod.dev/key-announced": `${fingerprintOf(keyIn("current"))} ${new Date(stage.clock.wallMs()).toISOString()}`,
      });
    });

    it("is tried before the new one is refused: a member may not have read it yet", async () => {
      await stage.settle();
      const old = authorization(parseKey(keyIn("current"), "test"));
      await stage.reconciler(planOf({ type: "rotateKey", rotatedAt: "now" })).pass("n/x");
      for (const member of stage.members) member.refuse = (call) => (call.authorization === old ? null : { status: 401, code: "SYNOD_ERR_UNAUTHORIZED" });
      await stage.reconciler(planOf({ type: "transferLeadership", to: incarnationOf(1) })).pass("n/x");
      expect(stage.members[0]?.calls.slice(-2).map(({ authorization: sent }) => sent === old)).toEqual([false, true]);
    });

    it("is told in no request but to the Secret, and in no error", async () => {
      await stage.settle();
      const secret = Buffer.from(keyIn("current")).toString("base64");
      const others = stage.server.requests.filter(({ path }) => !path.includes("/secrets"));
      expect(JSON.stringify(others)).not.toContain(secret);
      stage.server.fault = ({ path, method }) => (path.includes("/secrets") && method === "PATCH" ? { status: 422, body: { reason: "Invalid", message: `bad value ${secret}` } } : null);
      const failure = await stage.reconciler(planOf({ type: "rotateKey", rotatedAt: "now" })).pass("n/x").catch((error: unknown) => error);
      expect(failure).toMatchObject({ outcome: "invalid" });
      expect(String(failure)).not.toContain(secret);
    });
  });
});
