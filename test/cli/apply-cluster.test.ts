import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { Program, Scratch } from "../local/harness.ts";
import { FakeApiServer } from "../support/fake-api-server.ts";

const launcher = join(import.meta.dirname, "..", "..", "bin", "synod.mjs");
const CLUSTERS = "/apis/synod.dev/v1alpha1/namespaces/n/paxosclusters";
const scratch = new Scratch();
afterEach(() => scratch.clean());

/** Runs what the chart's job runs, against a server on which `prepare` was done. */
async function apply(prepare: (server: FakeApiServer) => void): Promise<{ code: unknown; output: string }> {
  const server = await FakeApiServer.start();
  scratch.onClean(() => server.close());
  prepare(server);
  const folder = scratch.folder();
  const [config, file] = [join(folder, "config"), join(folder, "cluster.yaml")];
  writeFileSync(config, server.config.exportConfig());
  const metadata = { name: "x", namespace: "n", annotations: { "synod.dev/release": "second" } };
  writeFileSync(file, JSON.stringify({ apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", metadata, spec: { image: "i" } }));
  const program = new Program([process.execPath, launcher, "apply-cluster", "--file", file, "--timeout", "0"], { KUBECONFIG: config });
  return { code: await program.ended, output: program.output };
}

it("ends with exit code 65 when the API server refuses the cluster for good, and says why", async () => {
  const { code, output } = await apply((server) => {
    server.fault = ({ method }) => (method === "GET" ? null : { status: 422, body: { reason: "Invalid", message: "spec.replicas: too many" } });
  });
  expect(output).toBe("SYNOD_ERR_CLUSTER_REFUSED: The PaxosCluster n/x was not applied. spec.replicas: too many\n");
  expect(code).toBe(65);
});

it("ends with exit code 65 when the cluster is another release's", async () => {
  const { code, output } = await apply((server) => {
    server.put(CLUSTERS, { apiVersion: "synod.dev/v1alpha1", kind: "PaxosCluster", metadata: { name: "x", annotations: { "synod.dev/release": "first" } } });
  });
  expect(output).toMatch(/^SYNOD_ERR_CLUSTER_TAKEN: /);
  expect(code).toBe(65);
});

it("ends with exit code 1 when another try may do", async () => {
  const { code, output } = await apply((server) => {
    server.fault = () => ({ status: 503 });
  });
  expect(output).toMatch(/^SYNOD_ERR_KUBERNETES: .*\nNothing was changed; it is safe to try again\.\n$/);
  expect(code).toBe(1);
});

it("ends with exit code 0 when it was applied", async () => {
  expect(await apply(() => {})).toEqual({ code: 0, output: "n/x applied\n" });
});
