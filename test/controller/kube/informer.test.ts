import type { KubernetesObject } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../../../src/controller/kube/client.ts";
import { Informer } from "../../../src/controller/kube/informer.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const PODS = "/api/v1/namespaces/n/pods";
const pod = (name: string, labels: Record<string, string> = { app: "x" }): KubernetesObject => ({ apiVersion: "v1", kind: "Pod", metadata: { name, labels } });

describe("an informer", () => {
  let server: FakeApiServer;
  let clock: ManualClock;
  let informer: Informer<string>;
  let told: string[];
  let errors: unknown[];
  let waiting: (() => void)[];

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new ManualClock();
    [told, errors, waiting] = [[], [], []];
  });
  afterEach(async () => {
    await informer.stop();
    await server.close();
  });

  function start(options: { readonly onChange?: (name: string) => void } = {}): void {
    informer = new Informer({
      client: new KubeClient(server.config), clock, place: { kind: "Pod", namespace: "n" }, labelSelector: "app=x", relistMs: 60_000,
      keep: ({ metadata }) => metadata?.name ?? "",
      onChange: (name, change) => {
        told.push(`${change} ${name}`);
        for (const wake of waiting.splice(0)) wake();
        options.onChange?.(name);
      },
      onError: (error) => {
        errors.push(error);
        for (const wake of waiting.splice(0)) wake();
      },
    });
    informer.start();
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => waiting.push(resolve));
  }

  it("tells what there is and what happens to it, and of what its selector asks for only", async () => {
    server.put(PODS, pod("a"));
    server.put(PODS, pod("other", { app: "y" }));
    start();
    await informer.synced;
    expect(told).toEqual(["set a"]);
    await server.until(() => server.watchCount === 1);
    server.put(PODS, pod("b"));
    server.put(PODS, pod("b", { app: "x", more: "" }));
    server.remove(PODS, "a");
    await until(() => told.length === 4);
    expect(told).toEqual(["set a", "set b", "set b", "deleted a"]);
    expect(informer.values()).toEqual(["b"]);
  });

  it.each(["cleanly", "cut"] as const)("goes on after a watch that ended %s, and misses nothing", async (how) => {
    start();
    await server.until(() => server.watchCount === 1);
    server.endWatches(how);
    server.put(PODS, pod("a"));
    await clock.scheduled();
    clock.advance(10_000);
    await until(() => told.length === 1);
    expect(told).toEqual(["set a"]);
    expect(server.requests.filter(({ path, query }) => path === PODS && query.get("watch") === null)).toHaveLength(1);
  });

  it("lists anew when its version is too old, and then tells of deletions that it missed", async () => {
    server.put(PODS, pod("a"));
    start();
    await server.until(() => server.watchCount === 1);
    server.endWatches("cut");
    server.remove(PODS, "a");
    server.put(PODS, pod("b"));
    server.compact();
    for (const wanted of [1, 2]) {
      await clock.scheduled();
      clock.advance(10_000);
      if (wanted === 1) await server.until(() => server.requests.filter(({ query }) => query.get("watch") === "true").length === 2);
    }
    await until(() => told.length === 3);
    expect(told.slice(1).toSorted()).toEqual(["deleted a", "set b"]);
    expect(errors).toHaveLength(1);
  });

  it("lists anew every so often although nothing failed, and then tells what no watch told", async () => {
    const listed = (): number => server.requests.filter(({ path, query }) => path === PODS && query.get("watch") === null).length;
    const watched = (): number => server.requests.filter(({ query }) => query.get("watch") === "true").length;
    server.put(PODS, pod("a"));
    const b = server.put(PODS, pod("b"));
    start();
    await server.until(() => server.watchCount === 1);
    // One goes and one comes, and the watch that should have told of it is silent.
    server.objects.delete(`${PODS}/a`);
    server.objects.set(`${PODS}/c`, { ...b, metadata: { ...b.metadata, name: "c", uid: "uid-c", resourceVersion: "99" } });
    clock.advance(59_000);
    server.endWatches("cleanly");
    await server.until(() => watched() === 2 && server.watchCount === 1);
    expect([listed(), told]).toEqual([1, ["set a", "set b"]]);
    clock.advance(1_000);
    server.endWatches("cleanly");
    await until(() => told.length === 4);
    // What stayed the same is not told again.
    expect(told.slice(2)).toEqual(["set c", "deleted a"]);
    expect([listed(), informer.values()]).toEqual([2, ["b", "c"]]);
    await server.until(() => watched() === 3);
    expect(errors).toEqual([]);
  });

  it("takes an object that was deleted and made again for two", async () => {
    server.put(PODS, pod("a"));
    start();
    await server.until(() => server.watchCount === 1);
    server.endWatches("cut");
    server.remove(PODS, "a");
    server.put(PODS, pod("a"));
    server.compact();
    for (const watches of [2, 3]) {
      await clock.scheduled();
      clock.advance(10_000);
      await server.until(() => server.requests.filter(({ query }) => query.get("watch") === "true").length === watches);
    }
    expect(told).toEqual(["set a", "deleted a", "set a"]);
  });

  it("goes on after errors of any kind, later and later", async () => {
    let failures = 0;
    server.fault = () => {
      failures += 1;
      return failures <= 4 ? (failures % 2 === 0 ? "cut" : { status: 500 }) : null;
    };
    start();
    const pauses: (number | null)[] = [];
    for (let failure = 1; failure <= 4; failure++) {
      await until(() => errors.length === failure);
      await clock.scheduled();
      pauses.push(clock.nextMs);
      clock.advance(10_000);
    }
    await informer.synced;
    expect(pauses).toEqual([200, 400, 800, 1_600]);
  });

  it("catches what a listener throws, and goes on", async () => {
    server.put(PODS, pod("a"));
    start({ onChange: () => { throw new Error("a listener's fault"); } });
    await server.until(() => server.watchCount === 1);
    server.put(PODS, pod("b"));
    await until(() => errors.length === 2);
    expect(informer.values()).toEqual(["a", "b"]);
  });

  it("stays stopped, although stopping breaks its watch", async () => {
    start();
    await server.until(() => server.watchCount === 1);
    await informer.stop();
    await server.until(() => server.watchCount === 0);
    const asked = server.requests.length;
    server.put(PODS, pod("a"));
    clock.advance(3_600_000);
    await new Promise(setImmediate);
    expect(server.requests).toHaveLength(asked);
    expect(told).toEqual([]);
    expect(errors).toEqual([]);
  });
});
