import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { type CountedCluster, registerClusterGauges } from "../../src/controller/cluster-gauges.ts";

function cluster(name: string, replicas: number, readyReplicas?: number): CountedCluster {
  return {
    metadata: { name, namespace: "apps", uid: "u", generation: 1 },
    spec: { replicas, image: "synod:1", storage: { size: "1Gi" } },
    ...(readyReplicas === undefined ? {} : { status: { readyReplicas } }),
  };
}

it("tells of each cluster how many members it should have and has, and forgets those that are gone", async () => {
  const registry = new Registry();
  let clusters = [cluster("one", 3, 2), cluster("new", 5)];
  registerClusterGauges(registry, () => clusters);
  const lines = async (): Promise<string[]> => (await registry.metrics()).split("\n").filter((line) => line.startsWith("synod_"));
  expect(await lines()).toEqual([
    'synod_controller_members_desired{paxos_namespace="apps",paxos_cluster="one"} 3', 'synod_controller_members_desired{paxos_namespace="apps",paxos_cluster="new"} 5',
    'synod_controller_members_ready{paxos_namespace="apps",paxos_cluster="one"} 2', 'synod_controller_members_ready{paxos_namespace="apps",paxos_cluster="new"} 0',
  ]);
  clusters = [cluster("new", 5, 5)];
  expect(await lines()).toEqual([
    'synod_controller_members_desired{paxos_namespace="apps",paxos_cluster="new"} 5', 'synod_controller_members_ready{paxos_namespace="apps",paxos_cluster="new"} 5',
  ]);
});
