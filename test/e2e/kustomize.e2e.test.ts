import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REPOSITORY } from "./support/cluster-tool.ts";
import { ControllerUnderTest } from "./support/controller-under-test.ts";
import { Keys } from "./support/keys.ts";
import { kubectl } from "./support/kubectl.ts";
import { otherClusters } from "./support/other-clusters.ts";
import { PaxosUnderTest } from "./support/paxos-under-test.ts";
import { scene } from "./support/scene.ts";

const START_BOUND_MS = 120_000;
const END_BOUND_MS = 60_000;
/** What k8s/README.md removes the operator by: the kind and the namespace do not have it. */
const CONTROLLER = "app.kubernetes.io/component=controller";
const others = await otherClusters();

describe.skipIf(others.length > 0)(`kubectl apply -k (on a cluster without other PaxosClusters${others.map((name) => ` ${name}`).join(",")})`, () => {
  const here = scene("kustomize");
  let folder: string;
  let cluster: PaxosUnderTest;

  /** A kustomization of one's own upon one of the repository's, as k8s/README.md has it. */
  const overlay = async (name: "operator" | "cluster", more: object): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path);
    const kustomization = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources: [relative(path, join(REPOSITORY, "k8s", name))], ...more };
    await writeFile(join(path, "kustomization.yaml"), JSON.stringify(kustomization));
    return path;
  };

  beforeAll(async () => {
    const { images: { synod }, place: { api, view, namespace } } = here();
    folder = await mkdtemp(join(tmpdir(), "synod-e2e-kustomize-"));
    const colon = synod.lastIndexOf(":");
    const images = [{ name: "synod", newName: synod.slice(0, colon), newTag: synod.slice(colon + 1) }];
    const operator = await overlay("operator", { namespace, nameSuffix: `-${namespace}`, images });
    const replaceImage = JSON.stringify([{ op: "replace", path: "/spec/image", value: synod }]);
    const own = await overlay("cluster", { namespace, patches: [{ target: { kind: "PaxosCluster" }, patch: replaceImage }] });
    await kubectl(["apply", "--server-side", "-k", operator]);
    await kubectl(["wait", "--for=condition=Established", "crd/paxosclusters.synod.dev", "--timeout=30s"]);
    await kubectl(["apply", "-k", own]);
    cluster = new PaxosUnderTest(api, view, namespace, "synod");
  });
  afterAll(async () => {
    // What is not in the namespace would outlive it.
    const rendered = await kubectl(["kustomize", join(folder, "operator")]);
    await kubectl(["delete", "--ignore-not-found", "-l", CONTROLLER, "-f", "-"], { input: rendered });
    await rm(folder, { recursive: true });
  });

  test("brings up the operator and then a cluster, which stores and finds", async () => {
    const { place: { view, namespace } } = here();
    await cluster.untilFullStrength(START_BOUND_MS);
    await new ControllerUnderTest(view, namespace, "synod").untilReady(START_BOUND_MS);
    const keys = new Keys(cluster);
    await keys.put("greeting", "hello");
    expect(await keys.get("greeting")).toBe("hello");
  });

  test("applied again, changes nothing", async () => {
    const again = await kubectl(["apply", "-k", join(folder, "cluster")]);
    expect(again.trim()).toBe("paxoscluster.synod.dev/synod unchanged");
    const versions = async (): Promise<unknown> => (await kubectl(["get", "-k", join(folder, "operator"), "-o", "jsonpath={.items[*].metadata.generation}"])).trim();
    const before = await versions();
    await kubectl(["apply", "--server-side", "-k", join(folder, "operator")]);
    expect(await versions()).toBe(before);
  });

  test("deleted, leaves the kind, the volumes and what they need", async () => {
    const { place: { api, view } } = here();
    await kubectl(["delete", "-k", join(folder, "cluster")]);
    await view.until("the cluster's pods are gone", END_BOUND_MS, () => cluster.pods.length === 0 ? null : `there are ${cluster.pods.length}`);
    const rendered = await kubectl(["kustomize", join(folder, "operator")]);
    const deleted = await kubectl(["delete", "-l", CONTROLLER, "-f", "-"], { input: rendered });
    expect(deleted.split("\n").filter((line) => line !== "").map((line) => line.split(" ")[0]).sort()).toEqual([
      "clusterrole.rbac.authorization.k8s.io", "clusterrolebinding.rbac.authorization.k8s.io", "deployment.apps", "role.rbac.authorization.k8s.io",
      "rolebinding.rbac.authorization.k8s.io", "serviceaccount",
    ]);
    expect(view.claims.all).toHaveLength(3);
    expect(view.secrets.named(cluster.names.keySecret)).not.toBeNull();
    expect(await api.find("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/paxosclusters.synod.dev")).not.toBeNull();
  });
});
