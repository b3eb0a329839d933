import { Gauge, type Registry } from "prom-client";
import type { PaxosCluster } from "./resource/paxos-cluster.ts";

export type CountedCluster = Pick<PaxosCluster, "metadata" | "spec" | "status">;

/** How many members each cluster is asked to have and has. Read when it is scraped, so clusters that are gone disappear. */
export function registerClusterGauges(registry: Registry, clusters: () => Iterable<CountedCluster>): void {
  const gauge = (name: string, help: string, read: (cluster: CountedCluster) => number): void => {
    new Gauge({
      // Not "namespace", which is that of the controller's own pod.
      name, help, labelNames: ["paxos_namespace", "paxos_cluster"], registers: [registry],
      collect(): void {
        this.reset();
        for (const cluster of clusters()) this.set({ paxos_namespace: cluster.metadata.namespace, paxos_cluster: cluster.metadata.name }, read(cluster));
      },
    });
  };
  gauge("synod_controller_members_desired", "Members that the spec of each PaxosCluster asks for.", ({ spec }) => spec.replicas);
  gauge("synod_controller_members_ready", "Voters of each PaxosCluster that are ready, as its status says.", ({ status }) => status?.readyReplicas ?? 0);
}
