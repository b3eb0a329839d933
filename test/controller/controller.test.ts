import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Controller } from "../../src/controller/controller.ts";
import { systemClock } from "../../src/controller/kube/clock.ts";
import { plan } from "../../src/controller/plan/plan.ts";
import { APPS, CLUSTERS, CORE, Stage } from "./reconcile/stage.ts";

const LEASE = "/apis/coordination.k8s.io/v1/namespaces/n/leases";

describe("the controller", () => {
  let stage: Stage;
  let controllers: Controller[];
  beforeEach(async () => {
    stage = await Stage.set(3);
    controllers = [];
  });
  afterEach(async () => {
    await Promise.all(controllers.map((controller) => controller.stop()));
    await stage.close();
  });

  async function start(identity: string): Promise<Controller> {
    const controller = new Controller({
      config: stage.server.config, namespace: "n", lease: { namespace: "n", name: "synod" }, identity, listen: { host: "127.0.0.1", port: 0 },
      log: pino({ level: "silent" }), plan, urlOf: stage.urlOf, clock: systemClock,
    });
    await controller.start();
    controllers.push(controller);
    return controller;
  }

  const holder = (): unknown => (stage.server.get(LEASE, "synod")?.["spec"] as Record<string, unknown> | undefined)?.["holderIdentity"];
  const board = (): Record<string, string> => (stage.server.get(`${CORE}/configmaps`, "x-leader")?.["data"] ?? {}) as Record<string, string>;
  const shows = (ballot: string): Promise<void> => stage.server.until(() => board()["ballot"] === ballot);

  it("acts on a new PaxosCluster, follows its members, and shows a new leader when one of them tells", async () => {
    stage.server.remove(CLUSTERS, "x");
    await start("a");
    await stage.server.until(() => holder() === "a");
    stage.server.put(CLUSTERS, { apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", metadata: { name: "x" }, spec: { replicas: 3, image: "synod:1", storage: { size: "64Mi" } } } as never);
    await stage.server.until(() => stage.server.get(`${APPS}/statefulsets`, "x") !== undefined && stage.server.get(`${CORE}/secrets`, "x-key") !== undefined);
    stage.runPods();
    stage.mountKeys();
    await Promise.all(stage.members.map((member) => member.until(() => member.cluster !== null)));
    stage.elect(0, 1);
    stage.members[1]?.tell("leaderChanged");
    await shows("1.x-0");
    stage.elect(2, 2);
    stage.members[1]?.tell("leaderChanged");
    await shows("2.x-2");
    await stage.server.until(() => stage.server.get(`${CORE}/pods`, "x-2")?.metadata.labels?.["synod.dev/role"] === "leader");
    await stage.server.until(() => stage.server.get(`${CORE}/pods`, "x-0")?.metadata.labels?.["synod.dev/role"] === undefined);
  });

  it("leaves the acting to the holder of the Lease; the other takes over when that stops, and shows the leader that was elected meanwhile", async () => {
    await stage.settle();
    const first = await start("a");
    await stage.server.until(() => holder() === "a");
    await start("b");
    await first.stop();
    controllers.shift();
    stage.elect(1, 5);
    await shows("5.x-1");
    expect(holder()).toBe("b");
  });

  it("serves health, readiness once everything was listed, and metrics", async () => {
    stage.server.fault = ({ path }) => (path.endsWith("/pods") ? { status: 503 } : null);
    const controller = await start("a");
    const ask = async (path: string): Promise<Response> => fetch(new URL(path, controller.url));
    expect((await ask("/healthz")).status).toBe(200);
    expect((await ask("/readyz")).status).toBe(503);
    expect((await ask("/teapot")).status).toBe(404);
    stage.server.fault = () => null;
    await stage.server.until(() => holder() === "a");
    expect((await ask("/readyz")).status).toBe(200);
    const metrics = await (await ask("/metrics")).text();
    for (const name of ["queue_depth", "reconcile_seconds_count", "reconciles_total", "lease_held", "event_streams", "leader_changes_total"]) {
      expect(metrics).toContain(`synod_controller_${name}`);
    }
  });

  it("gives its Lease back when it stops, and asks nothing any more", async () => {
    await stage.settle();
    const controller = await start("a");
    await stage.server.until(() => holder() === "a" && stage.server.watchCount > 0);
    await controller.stop();
    controllers = [];
    expect(holder()).toBeUndefined();
    const asked = stage.server.requests.length;
    stage.server.put(CLUSTERS, { ...stage.cluster, spec: { ...stage.cluster.spec, replicas: 5 } } as never);
    await stage.server.until(() => stage.server.watchCount === 0);
    expect(stage.server.requests).toHaveLength(asked);
  });
});
