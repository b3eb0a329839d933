import type { KubernetesListObject, V1ClusterRole } from "@kubernetes/client-node";
import { beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../src/client/types.ts";
import { claimName } from "../../src/controller/resource/names.ts";
import { apply, kubectl } from "./support/kubectl.ts";
import { otherClusters } from "./support/other-clusters.ts";
import { PaxosUnderTest } from "./support/paxos-under-test.ts";
import { Place } from "./support/place.ts";
import { Release } from "./support/release.ts";
import { CommandError } from "./support/run-command.ts";
import { scene } from "./support/scene.ts";

const START_BOUND_MS = 120_000;
const END_BOUND_MS = 60_000;
const others = await otherClusters();

describe.skipIf(others.length > 0)(`a controller of all namespaces (on a cluster without other PaxosClusters${others.map((name) => ` ${name}`).join(",")})`, () => {
  const here = scene("wide");
  let release: Release;
  let places: readonly Place[];
  let clusters: readonly PaxosUnderTest[];

  beforeAll(async () => {
    const { images, place, target } = here();
    release = await Release.install(place, { image: images.synod, values: { controller: { clusterWide: true }, cluster: { enabled: false } } });
    places = await Promise.all([Place.make(target.api, "wide-three"), Place.make(target.api, "wide-one")]);
    // The same name twice: only the namespace tells them apart.
    clusters = places.map(({ view, namespace }) => new PaxosUnderTest(target.api, view, namespace, "demo"));
    await apply(...places.map(({ namespace }, at) => ({
      apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", metadata: { name: "demo", namespace }, spec: { replicas: at === 0 ? 3 : 1, image: images.synod, storage: { size: "64Mi" } },
    })));
    return async () => void (await Promise.all(places.map((each) => each.remove(false))));
  });

  test("brings up the clusters of other namespaces, each its own", async () => {
    await Promise.all(clusters.map((cluster) => cluster.untilFullStrength(START_BOUND_MS)));
    const ids = clusters.map(({ resource }) => resource.status?.clusterId);
    expect(new Set(ids).size).toBe(2);
  });

  test("shows on each notice board who leads there, by the leader's own word", async () => {
    for (const cluster of clusters) {
      const leader = await cluster.leader();
      const { ballot, incarnation } = await cluster.ask<Status>(leader, "/v1/status");
      const board = cluster.view.configMaps.named(cluster.names.leaderConfigMap)?.data;
      expect(board).toMatchObject({ leader, ballot: `${ballot.round}.${leader}`, incarnation, cluster: cluster.resource.status?.clusterId });
      expect(board?.["address"]).toBe(`${leader}.demo-members.${cluster.namespace}.svc.cluster.local:7400`);
    }
  });

  test("may do what it has to, and nothing else: no list of Secrets, no pods of its own, no rights", async () => {
    const { namespace } = here().place;
    const account = `system:serviceaccount:${namespace}:${release.name}-controller`;
    const [elsewhere = ""] = places.map((place) => place.namespace);
    const may = async (verb: string, resource: string, where: string): Promise<string> => {
      // What stands behind a slash kubectl takes for the name of an object.
      const [kind = "", subresource] = resource.split("/");
      const place = [...(where === "*" ? ["--all-namespaces"] : ["-n", where]), ...(subresource === undefined ? [] : [`--subresource=${subresource}`])];
      const asked = kubectl(["auth", "can-i", verb, kind, `--as=${account}`, ...place]);
      // A no ends with 1, and says so.
      return `${verb} ${resource}: ${(await asked.catch((error: unknown) => (error instanceof CommandError ? error.stdout : Promise.reject(error)))).trim()}`;
    };
    const yes = [["get", "secrets"], ["create", "secrets"], ["list", "paxosclusters.synod.dev"], ["patch", "paxosclusters.synod.dev/status"], ["delete", "pods"]] as const;
    const no = [
      ["list", "secrets"], ["watch", "secrets"], ["delete", "secrets"], ["create", "pods"], ["create", "pods/exec"], ["create", "pods/eviction"],
      ["patch", "paxosclusters.synod.dev"], ["delete", "paxosclusters.synod.dev"], ["create", "rolebindings.rbac.authorization.k8s.io"],
      ["create", "serviceaccounts/token"], ["get", "nodes"], ["list", "namespaces"], ["patch", "customresourcedefinitions.apiextensions.k8s.io"],
      ["get", "leases.coordination.k8s.io"], ["impersonate", "users"], ["*", "*"],
    ] as const;
    for (const [verb, resource] of yes) expect(await may(verb, resource, elsewhere)).toBe(`${verb} ${resource}: yes`);
    for (const [verb, resource] of no) expect(await may(verb, resource, elsewhere)).toBe(`${verb} ${resource}: no`);
    for (const verb of ["list", "watch"]) expect(await may(verb, "secrets", "*")).toBe(`${verb} secrets: no`);
    expect(await may("patch", "leases.coordination.k8s.io", namespace)).toBe("patch leases.coordination.k8s.io: yes");
  });

  test("leaves of a deleted cluster what its data need, and of an uninstalled release nothing but the kind", async () => {
    await Promise.all(clusters.map((cluster) => cluster.deleteResource()));
    for (const { view, names, name } of clusters) {
      await view.until("what belongs to the cluster is gone", END_BOUND_MS, () => {
        const left = [view.pods.all, view.statefulSets.all, view.services.all, view.budgets.all].flat().map(({ metadata }) => metadata?.name);
        return left.length === 0 && view.configMaps.named(names.leaderConfigMap) === null ? null : `${left.join(", ")} and perhaps the notice board are left`;
      });
      expect(view.claims.named(claimName(name, 0))).not.toBeNull();
      expect([view.configMaps.named(names.bootstrapConfigMap), view.secrets.named(names.keySecret)]).not.toContain(null);
    }
    await release.uninstall();
    const { place: { api, namespace } } = here();
    for (const kind of ["clusterroles", "clusterrolebindings"]) {
      const { items } = await api.json<KubernetesListObject<V1ClusterRole>>(`/apis/rbac.authorization.k8s.io/v1/${kind}`);
      expect(items.map(({ metadata }) => metadata?.name ?? "").filter((name) => name.includes(namespace))).toEqual([]);
    }
    expect(await api.find("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/paxosclusters.synod.dev")).not.toBeNull();
  });
});
