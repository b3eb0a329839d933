import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LeaderBoard, type Leadership } from "../../../src/controller/reconcile/leader-board.ts";
import { CORE, incarnationOf, Stage } from "./stage.ts";

const CLUSTER = "c".repeat(32);

describe("the leader's notice board", () => {
  let stage: Stage;
  let board: LeaderBoard;
  beforeEach(async () => {
    stage = await Stage.set(1);
    board = new LeaderBoard(stage.client, stage.assertHeld);
    const voters = JSON.stringify([{ incarnation: incarnationOf(0), name: "x-0", address: "x-0:7400" }]);
    stage.server.put(`${CORE}/configmaps`, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x-bootstrap" }, data: { cluster: CLUSTER, voters } } as never);
  });
  afterEach(() => stage.close());

  const leads = (ordinal: number, round: number, cluster = CLUSTER): Leadership => ({
    cluster, leader: `x-${ordinal}`, round, incarnation: incarnationOf(ordinal), address: `x-${ordinal}:7400`, sinceMs: 1_000 * round,
  });
  const shown = (): Record<string, string> | undefined => stage.server.get(`${CORE}/configmaps`, "x-leader")?.["data"] as Record<string, string> | undefined;
  const show = (told: Leadership): Promise<boolean> => board.show(stage.cluster, told);

  it("shows who leads, owned by the cluster", async () => {
    expect(await show(leads(0, 7))).toBe(true);
    expect(shown()).toEqual({ leader: "x-0", ballot: "7.x-0", address: "x-0:7400", since: "1970-01-01T00:00:07.000Z", cluster: CLUSTER, incarnation: incarnationOf(0) });
    expect(stage.server.get(`${CORE}/configmaps`, "x-leader")?.metadata.ownerReferences).toMatchObject([{ uid: stage.cluster.metadata.uid, controller: true }]);
  });

  it("leaves a ConfigMap of that name alone that is somebody else's", async () => {
    const foreign = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x-leader" }, data: { mine: "1" } };
    stage.server.put(`${CORE}/configmaps`, foreign as never);
    expect(await show(leads(0, 7))).toBe(false);
    expect(shown()).toEqual({ mine: "1" });
  });

  it("shows the newest ballot, whatever order the words arrive in: by round, then by incarnation", async () => {
    const words = [leads(1, 3), leads(2, 5), leads(0, 2), leads(1, 5), leads(2, 4), leads(0, 5)];
    for (const word of words) await show(word);
    expect(shown()).toMatchObject({ ballot: "5.x-2" });
    await show(leads(0, 10));
    expect(shown()).toMatchObject({ ballot: "10.x-0" });
  });

  it("writes nothing when it shows that already", async () => {
    await show(leads(0, 7));
    const writes = stage.server.writes.length;
    expect(await show({ ...leads(0, 7), sinceMs: 99_000 })).toBe(false);
    expect(stage.server.writes).toHaveLength(writes);
  });

  it("keeps the newer of two when both are written at once", async () => {
    await show(leads(0, 1));
    // The older word was compared with what it finds no more when it writes.
    let raced = false;
    stage.server.fault = ({ method, path }) => {
      if (method === "PATCH" && path.endsWith("x-leader") && !raced) {
        raced = true;
        stage.server.put(`${CORE}/configmaps`, { ...stage.server.get(`${CORE}/configmaps`, "x-leader"), data: { ...shown(), ballot: "9.x-2", leader: "x-2", incarnation: incarnationOf(2) } } as never);
      }
      return null;
    };
    expect(await show(leads(1, 5))).toBe(false);
    expect(shown()).toMatchObject({ ballot: "9.x-2" });
  });

  it("gives up after a bounded number of conflicts", async () => {
    await show(leads(0, 1));
    stage.server.fault = ({ method }) => (method === "PATCH" ? { status: 409 } : null);
    await expect(show(leads(1, 5))).rejects.toMatchObject({ outcome: "conflict" });
    expect(stage.server.writes.filter(({ method }) => method === "PATCH")).toHaveLength(5);
  });

  it("does not believe a member of a foreign cluster, and lets the present cluster overwrite a former one", async () => {
    expect(await show(leads(1, 50, "d".repeat(32)))).toBe(false);
    await show(leads(0, 7));
    expect(await show(leads(1, 50, "d".repeat(32)))).toBe(false);
    expect(shown()).toMatchObject({ ballot: "7.x-0" });
    stage.server.put(`${CORE}/configmaps`, { ...stage.server.get(`${CORE}/configmaps`, "x-leader"), data: { ...shown(), cluster: "d".repeat(32), ballot: "90.x-0" } } as never);
    await show(leads(0, 7));
    expect(shown()).toMatchObject({ ballot: "7.x-0", cluster: CLUSTER });
  });

  it("takes the status for the founding document of a cluster that was recovered and has none", async () => {
    stage.server.remove(`${CORE}/configmaps`, "x-bootstrap");
    expect(await show(leads(0, 7))).toBe(false);
    const recovered = { ...stage.cluster, status: { ...stage.cluster.status, clusterId: CLUSTER } };
    expect(await board.show(recovered, leads(1, 8, "d".repeat(32)))).toBe(false);
    expect(await board.show(recovered, leads(0, 7))).toBe(true);
    expect(shown()).toMatchObject({ ballot: "7.x-0" });
  });

  it.each([{}, { leader: "nobody" }, { ballot: "seven" }])("is mended when somebody spoils it: %o", async (spoilt) => {
    await show(leads(0, 7));
    const whole = shown() ?? {};
    const data = Object.keys(spoilt).length === 0 ? {} : { ...whole, ...spoilt };
    stage.server.put(`${CORE}/configmaps`, { ...stage.server.get(`${CORE}/configmaps`, "x-leader"), data } as never);
    await show(leads(0, 7));
    expect(shown()).toMatchObject({ leader: "x-0", ballot: "7.x-0" });
  });
});
