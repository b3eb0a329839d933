import type { KubernetesObject } from "@kubernetes/client-node";
import { KubeClient } from "../../../src/controller/kube/client.ts";
import type { EventText } from "../../../src/controller/kube/event-recorder.ts";
import { memberLabels } from "../../../src/controller/manifests/labels.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import type { Plan } from "../../../src/controller/plan/actions.ts";
import type { Observed } from "../../../src/controller/plan/observed.ts";
import { LeaderBoard } from "../../../src/controller/reconcile/leader-board.ts";
import { Reconciler } from "../../../src/controller/reconcile/reconciler.ts";
import { fingerprintOf } from "../../../src/controller/members/keys.ts";
import type { PaxosCluster } from "../../../src/controller/resource/paxos-cluster.ts";
import { FakeApiServer, type StoredObject } from "../../support/fake-api-server.ts";
import { FakeMember } from "../../support/fake-member.ts";
import { ManualClock } from "../../support/manual-clock.ts";

export const CORE = "/api/v1/namespaces/n";
export const APPS = "/apis/apps/v1/namespaces/n";
export const CLUSTERS = "/apis/synod.dev/v1alpha1/namespaces/n/paxosclusters";
export const incarnationOf = (ordinal: number): string => String(ordinal + 1).repeat(32);

/** An API server and members in memory, and a reconciler between them. What Kubernetes itself would do, `runPods` does. */
export class Stage {
  readonly server: FakeApiServer;
  readonly members: FakeMember[];
  readonly clock = new ManualClock();
  readonly told: EventText[] = [];
  readonly client: KubeClient;
  held = true;

  private constructor(server: FakeApiServer, members: FakeMember[]) {
    this.server = server;
    this.members = members;
    this.client = new KubeClient(server.config);
  }

  static async set(replicas: number): Promise<Stage> {
    const server = await FakeApiServer.start();
    const members = await Promise.all(Array.from({ length: replicas }, (_, ordinal) => FakeMember.start(`x-${ordinal}`, incarnationOf(ordinal))));
    server.put(CLUSTERS, {
      apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", metadata: { name: "x" },
      spec: { replicas, image: "synod:1", storage: { size: "64Mi" } },
    } as KubernetesObject);
    return new Stage(server, members);
  }

  async close(): Promise<void> {
    await Promise.all([this.server.close(), ...this.members.map((member) => member.close())]);
  }

  get cluster(): PaxosCluster {
    return this.server.get(CLUSTERS, "x") as unknown as PaxosCluster;
  }

  readonly assertHeld = (): void => {
    if (!this.held) throw new Error("not held");
  };

  readonly urlOf = ({ name }: { readonly name: string }): string => this.members[Number(name.slice(2))]?.url ?? "http://127.0.0.1:1";

  reconciler(by: (observed: Observed) => Plan = plan): Reconciler {
    const { client, clock, urlOf, assertHeld } = this;
    const recorder = { record: (_: unknown, text: EventText): void => void this.told.push(text) };
    return new Reconciler({ client, clock, plan: by, urlOf, recorder, board: new LeaderBoard(client, assertHeld), assertHeld });
  }

  /** A pod with its claim for each member, and a StatefulSet whose controller has seen it. */
  runPods(): void {
    for (const { name } of this.members) {
      this.server.put(`${CORE}/persistentvolumeclaims`, claim(`data-${name}`));
      this.server.put(`${CORE}/pods`, pod(name));
    }
    const set = this.server.get(`${APPS}/statefulsets`, "x");
    if (set !== undefined) this.server.put(`${APPS}/statefulsets`, { ...set, status: { observedGeneration: 1, updateRevision: "r1" } } as KubernetesObject);
  }

  /** What mounting the key and an election would bring about. */
  elect(ordinal: number, round: number): void {
    for (const member of this.members) {
      member.leader = { name: `x-${ordinal}`, round, incarnation: incarnationOf(ordinal) };
      if (member.role !== "fenced") member.role = member.name === `x-${ordinal}` ? "leader" : "follower";
    }
  }

  mountKeys(): void {
    const data = this.server.get(`${CORE}/secrets`, "x-key")?.["data"] as Record<string, string> | undefined;
    const keys = [data?.["current"], data?.["previous"]].filter((key) => key !== undefined);
    for (const member of this.members) member.keys = keys.map((key) => fingerprintOf(Buffer.from(key, "base64").toString("utf8")));
  }

  /** Founded, led by x-0, and with nothing left to do. */
  async settle(): Promise<Reconciler> {
    const reconciler = this.reconciler();
    await reconciler.pass("n/x");
    this.runPods();
    this.mountKeys();
    for (let pass = 0; pass < 5; pass++) {
      await reconciler.pass("n/x");
      if (this.members.every(({ cluster }) => cluster !== null)) this.elect(0, 1);
    }
    return reconciler;
  }
}

export function pod(name: string): KubernetesObject {
  return {
    apiVersion: "v1", kind: "Pod", metadata: { name, labels: { ...memberLabels("x"), "controller-revision-hash": "r1" } },
    status: {
      podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }], containerStatuses: [{ state: { running: {} } }],
    },
  } as KubernetesObject;
}

export function claim(name: string): KubernetesObject {
  return {
    apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name, labels: memberLabels("x") }, spec: { resources: { requests: { storage: "64Mi" } } },
  } as KubernetesObject;
}

export function statusOf(cluster: StoredObject | PaxosCluster | undefined): Record<string, unknown> {
  return ((cluster as { status?: Record<string, unknown> } | undefined)?.status) ?? {};
}
