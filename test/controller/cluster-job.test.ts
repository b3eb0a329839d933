import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyCluster, awaitReady, deleteCluster, type JobOptions, readCluster } from "../../src/controller/cluster-job.ts";
import { CLUSTERS, Stage } from "./reconcile/stage.ts";

describe("the chart's jobs", () => {
  let stage: Stage;
  let options: JobOptions;
  beforeEach(async () => {
    stage = await Stage.set(1);
    options = { client: stage.client, clock: stage.clock, timeoutMs: 10_000 };
  });
  afterEach(() => stage.close());

  /** Lets every pause pass until the promise is settled. */
  async function passing<T>(promise: Promise<T>): Promise<T> {
    const state = { settled: false };
    void promise.catch(() => {}).finally(() => { state.settled = true; });
    while (!state.settled) {
      if (stage.clock.pending > 0) stage.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return promise;
  }

  it("read the cluster from a file, with the namespace that it names or the given one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "synod-job-"));
    const file = join(folder, "x.yaml");
    await writeFile(file, "apiVersion: synod.dev/v1alpha1\nkind: PaxosCluster\nmetadata: {name: x}\nspec: {image: i}\n");
    expect(await readCluster(file, "n")).toMatchObject({ metadata: { name: "x", namespace: "n" }, spec: { image: "i" } });
    await writeFile(file, "kind: Pod\nmetadata: {name: x}\n");
    await expect(readCluster(file, "n")).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST" });
    await expect(readCluster(join(folder, "none"), "n")).rejects.toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST" });
    await rm(folder, { recursive: true });
  });

  it("apply it as the chart's own field manager, as soon as the API server knows the kind", async () => {
    let asked = 0;
    stage.server.fault = () => (++asked <= 3 ? { status: asked === 2 ? 503 : 404 } : null);
    await passing(applyCluster(options, stage.cluster));
    expect(asked).toBe(4);
    expect(stage.server.writes.at(-1)?.query.get("fieldManager")).toBe("synod-chart");
  });

  it("give up after the time-out when it never does", async () => {
    stage.server.fault = () => ({ status: 404 });
    await expect(passing(applyCluster(options, stage.cluster))).rejects.toMatchObject({ outcome: "notFound" });
    expect(stage.clock.now()).toBeGreaterThanOrEqual(10_000);
  });

  it.each([400, 422])("end at once with the server's words when the resource is refused for good: %i", async (status) => {
    const message = 'PaxosCluster.synod.dev "x" is invalid: spec.replicas: too few';
    stage.server.fault = () => ({ status, body: { reason: "Invalid", message } });
    const failure = { code: "SYNOD_ERR_CLUSTER_REFUSED", message: `The PaxosCluster n/x was not applied. ${message}` };
    await expect(passing(applyCluster(options, stage.cluster))).rejects.toMatchObject(failure);
    expect(stage.server.requests).toHaveLength(1);
  });

  it("wait for rights that came with them, but not for long", async () => {
    let asked = 0;
    stage.server.fault = () => (++asked <= 3 ? { status: 403 } : null);
    await passing(applyCluster(options, stage.cluster));
    expect(asked).toBe(4);
    const since = stage.clock.now();
    stage.server.fault = () => ({ status: 403, body: { reason: "Forbidden", message: "no right to patch" } });
    const failure = { code: "SYNOD_ERR_CLUSTER_REFUSED", message: expect.stringContaining("no right to patch") as string };
    await expect(passing(applyCluster({ ...options, timeoutMs: 120_000 }, stage.cluster))).rejects.toMatchObject(failure);
    expect(stage.clock.now() - since).toBe(10_000);
  });

  it("wait until the cluster is ready as its present spec says, and say what is missing when it is not", async () => {
    const ready = (observedGeneration: number): void => {
      const conditions = [{ type: "Ready", status: "True", reason: "AllReady", message: "of the former spec", observedGeneration }];
      stage.server.put(CLUSTERS, { ...stage.cluster, metadata: { ...stage.cluster.metadata, generation: 2 }, status: { conditions } } as never);
    };
    ready(1);
    await expect(passing(awaitReady(options, stage.cluster))).rejects.toMatchObject({ code: "SYNOD_ERR_TIMEOUT", message: expect.stringContaining("of the former spec") as string });
    ready(2);
    await passing(awaitReady(options, stage.cluster));
  });

  describe("of a release", () => {
    const named = (release: string | null) => ({ ...stage.cluster, metadata: { ...stage.cluster.metadata, ...(release === null ? {} : { annotations: { "synod.dev/release": release } }) } });
    const there = (release: string | null, manager = "kubectl"): void =>
      void stage.server.put(CLUSTERS, { ...named(release), metadata: { ...named(release).metadata, managedFields: [{ manager, operation: "Apply" }] } } as never);

    it.each<[string, string | null, string, string]>([
      ["another release", "first", "synod-chart", "belongs to the release first,"],
      ["nobody's release", null, "kubectl", "belongs to no release: somebody else made it,"],
    ])("do not apply where the cluster is that of %s, and write nothing", async (_, owner, manager, said) => {
      there(owner, manager);
      const writes = stage.server.writes.length;
      await expect(passing(applyCluster(options, named("second")))).rejects.toMatchObject({ code: "SYNOD_ERR_CLUSTER_TAKEN", message: expect.stringContaining(said) as string });
      expect(stage.server.writes).toHaveLength(writes);
      await passing(applyCluster(options, named("second"), { takeOver: true }));
      expect(stage.cluster.metadata.annotations).toEqual({ "synod.dev/release": "second" });
    });

    it.each<[string, string | null, string]>([["its own cluster", "second", "synod-chart"], ["one of a chart that named no release", null, "synod-chart"]])("apply to %s", async (_, owner, manager) => {
      there(owner, manager);
      await passing(applyCluster(options, named("second")));
      expect(stage.cluster.metadata.annotations).toEqual({ "synod.dev/release": "second" });
    });

    it("delete its own cluster only", async () => {
      there("first");
      const place = { namespace: "n", name: "x" };
      expect(await passing(deleteCluster(options, place, { release: "second" }))).toBe("left");
      expect(stage.server.get(CLUSTERS, "x")).toBeDefined();
      expect(await passing(deleteCluster(options, place, { release: "first" }))).toBe("gone");
      expect(stage.server.get(CLUSTERS, "x")).toBeUndefined();
      expect(await passing(deleteCluster(options, place, { release: "first" }))).toBe("gone");
    });
  });

  it("delete it, and are content when there is none", async () => {
    await passing(deleteCluster(options, { namespace: "n", name: "x" }));
    expect(stage.server.get(CLUSTERS, "x")).toBeUndefined();
    await passing(deleteCluster(options, { namespace: "n", name: "x" }));
  });
});
