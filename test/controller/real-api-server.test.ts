import type { KubernetesObject, V1ConfigMap } from "@kubernetes/client-node";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KubeClient, type SentRequest } from "../../src/controller/kube/client.ts";
import { systemClock } from "../../src/controller/kube/clock.ts";
import { connectionFromEnvironment } from "../../src/controller/kube/configuration.ts";
import { EventRecorder, type EventText } from "../../src/controller/kube/event-recorder.ts";
import { Informer } from "../../src/controller/kube/informer.ts";
import { LeaseElection } from "../../src/controller/kube/lease-election.ts";
import { podUrl } from "../../src/controller/members/member-calls.ts";
import { plan } from "../../src/controller/plan/plan.ts";
import { LeaderBoard } from "../../src/controller/reconcile/leader-board.ts";
import { Reconciler } from "../../src/controller/reconcile/reconciler.ts";
import { applyCluster, deleteCluster } from "../../src/controller/cluster-job.ts";
import type { PaxosCluster } from "../../src/controller/resource/paxos-cluster.ts";
import { HAS_HELM, render } from "../chart/helm.ts";
import { HAS_CLUSTER, kubectl } from "../chart/kubectl.ts";

const NAMESPACE = `synod-loop-${randomBytes(4).toString("hex")}`;

describe.skipIf(!HAS_CLUSTER || !HAS_HELM)("the controller at a real API server (needs a cluster and helm)", () => {
  let client: KubeClient;
  let sent: SentRequest[];

  beforeAll(async () => {
    const [crd] = render().filter(({ kind }) => kind === "CustomResourceDefinition");
    expect(kubectl(["apply", "--server-side", "--force-conflicts", "--field-manager=synod-test", "-f", "-"], crd)).toMatchObject({ ok: true });
    expect(kubectl(["create", "namespace", NAMESPACE])).toMatchObject({ ok: true });
    const { config } = await connectionFromEnvironment();
    sent = [];
    client = new KubeClient(config, (request) => sent.push(request));
  });
  afterAll(() => void kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]));

  const map = (name: string, data: Record<string, string>): V1ConfigMap => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: NAMESPACE }, data });
  const place = (name: string) => ({ kind: "ConfigMap", namespace: NAMESPACE, name }) as const;
  const unschedulable = (name: string): PaxosCluster => ({
    apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", metadata: { name, namespace: NAMESPACE },
    spec: { replicas: 3, image: "synod:none", storage: { size: "64Mi" }, nodeSelector: { "synod.dev/no-such-node": "true" } },
  }) as unknown as PaxosCluster;

  it("changes and deletes only the object of that uid, and only that version", async () => {
    const { metadata } = await client.create(map("a", { k: "v" }));
    await expect(client.patch(place("a"), { metadata: { uid: "00000000-0000-0000-0000-000000000000" }, data: { k: "w" } })).rejects.toMatchObject({ outcome: "conflict" });
    await client.patch(place("a"), { metadata: { uid: metadata?.uid, resourceVersion: metadata?.resourceVersion }, data: { k: "w" } });
    await expect(client.patch(place("a"), { metadata: { resourceVersion: metadata?.resourceVersion }, data: { k: "x" } })).rejects.toMatchObject({ outcome: "conflict" });
    await expect(client.create(map("a", {}))).rejects.toMatchObject({ outcome: "alreadyExists" });
    await expect(client.delete(place("a"), { uid: "00000000-0000-0000-0000-000000000000" })).rejects.toMatchObject({ outcome: "conflict" });
    await client.delete(place("a"), metadata?.uid === undefined ? {} : { uid: metadata.uid });
    expect(await client.get(place("a"))).toBeNull();
  });

  it("takes over by server-side apply what somebody edited by hand, and leaves what others own", async () => {
    await client.apply(map("b", { ours: "1" }));
    kubectl(["-n", NAMESPACE, "patch", "configmap", "b", "--type=merge", "-p", JSON.stringify({ data: { ours: "2", theirs: "1" } })]);
    expect((await client.apply(map("b", { ours: "1" }))).data).toEqual({ ours: "1", theirs: "1" });
  });

  it("tells what happens to objects", async () => {
    const told: string[] = [];
    const waiting: (() => void)[] = [];
    const informer = new Informer({
      client, clock: systemClock, place: { kind: "ConfigMap", namespace: NAMESPACE }, labelSelector: "watched",
      keep: ({ metadata }) => metadata?.name ?? "", onError: () => {},
      onChange: (name, change) => {
        told.push(`${change} ${name}`);
        for (const wake of waiting.splice(0)) wake();
      },
    });
    informer.start();
    await informer.synced;
    const watched = map("c", {});
    await client.create({ ...watched, metadata: { ...watched.metadata, labels: { watched: "yes" } } });
    while (told.length < 1) await new Promise<void>((resolve) => waiting.push(resolve));
    await client.delete(place("c"));
    while (told.length < 2) await new Promise<void>((resolve) => waiting.push(resolve));
    await informer.stop();
    expect(told).toEqual(["set c", "deleted c"]);
  });

  it("gives a Lease to one, and at once to the next when the first lets it go", async () => {
    const held: string[] = [];
    const waiting: (() => void)[] = [];
    const contender = (identity: string): LeaseElection => new LeaseElection({
      client, clock: systemClock, namespace: NAMESPACE, name: "lease", identity, onLost: () => {}, onError: () => {},
      onHeld: () => {
        held.push(identity);
        for (const wake of waiting.splice(0)) wake();
      },
    });
    const [a, b] = [contender("a"), contender("b")];
    a.start();
    while (held.length < 1) await new Promise<void>((resolve) => waiting.push(resolve));
    b.start();
    await a.stop();
    while (held.length < 2) await new Promise<void>((resolve) => waiting.push(resolve));
    await b.stop();
    expect(held).toEqual(["a", "b"]);
  });

  it("makes a cluster's objects, tells in Events that kubectl describe shows, and then writes nothing", async () => {
    const { metadata: { name } } = await applyCluster({ client, clock: systemClock, timeoutMs: 30_000 }, unschedulable("x"));
    const errors: unknown[] = [];
    const recorder = new EventRecorder({ client, clock: systemClock, identity: "test", onError: (error) => errors.push(error) });
    const told: EventText[] = [];
    const reconciler = new Reconciler({
      client, clock: systemClock, plan, urlOf: podUrl, board: new LeaderBoard(client, () => {}), assertHeld: () => {},
      recorder: { record: (about, text) => { told.push(text); recorder.record(about, text); } },
    });
    // A pass that writes nothing, five times in a row: the API server's own controllers first fill in what is theirs.
    const writesOfPass = async (): Promise<number> => {
      const before = sent.length;
      await reconciler.pass(`${NAMESPACE}/${name}`);
      await recorder.flush();
      return sent.slice(before).filter(({ verb }) => !["get", "list", "watch"].includes(verb)).length;
    };
    expect(await writesOfPass()).toBeGreaterThan(5);
    let quiet = 0;
    for (let passes = 0; quiet < 5; passes++) {
      expect(passes).toBeLessThan(200);
      quiet = (await writesOfPass()) === 0 ? quiet + 1 : 0;
    }
    expect(errors).toEqual([]);
    expect(kubectl(["-n", NAMESPACE, "describe", "paxosclusters.synod.dev", name]).output).toContain("Created StatefulSet/x");
    const other = unschedulable("x");
    const { nodeSelector: _, ...spec } = other.spec;
    const { metadata: { uid: __, ...metadata } } = other;
    // Not scheduled either, and by another field.
    await applyCluster({ client, clock: systemClock, timeoutMs: 30_000 }, { ...other, metadata, spec: { ...spec, image: "synod:other", priorityClassName: "synod-no-such-class" } } as PaxosCluster);
    await reconciler.pass(`${NAMESPACE}/${name}`);
    expect(told.map(({ message }) => message)).toContain(
      "Updated StatefulSet/x: spec.template.spec.containers[synod].image synod:none → synod:other, spec.template.spec.priorityClassName synod-no-such-class, "
      + "spec.template.spec.nodeSelector removed",
    );
  });

  it("deletes a cluster, and resolves when it is gone", async () => {
    await applyCluster({ client, clock: systemClock, timeoutMs: 30_000 }, unschedulable("y"));
    await deleteCluster({ client, clock: systemClock, timeoutMs: 30_000 }, { namespace: NAMESPACE, name: "y" });
    expect(await client.get<KubernetesObject>({ kind: "PaxosCluster", namespace: NAMESPACE, name: "y" })).toBeNull();
  });
});

if (!HAS_CLUSTER || !HAS_HELM) process.stderr.write("No Kubernetes answers or helm is not there: the tests of the controller at a real API server are skipped.\n");
