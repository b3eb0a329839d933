import type { TestProject } from "vitest/node";
import { CHART, helm, KUBE_VERSION } from "./helm.ts";
import { type Images, prepareImages } from "./images.ts";
import { kubectl } from "./kubectl.ts";
import { target } from "./target.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly images: Images;
    /** Whether the cluster did not know the kind PaxosCluster before the tests. */
    readonly freshCluster: boolean;
  }
}

/** Once before all end-to-end tests: there is a cluster, it has the images, and it knows the chart's form of the resource or none at all. */
export async function setup({ provide }: TestProject): Promise<void> {
  const { api, node } = await target();
  provide("images", await prepareImages(node));
  const known = await api.find("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/paxosclusters.synod.dev");
  if (known !== null) await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input: await definition() });
  provide("freshCluster", known === null);
  api.close();
}

function definition(): Promise<string> {
  return helm(["template", "synod", CHART, "--kube-version", KUBE_VERSION, "--show-only", "templates/crd/paxosclusters.yaml"]);
}
