import type { KubernetesObject } from "@kubernetes/client-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KubeClient } from "../../../src/controller/kube/client.ts";
import { KubeError } from "../../../src/controller/kube/kube-error.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";

const MAPS = "/api/v1/namespaces/n/configmaps";
const PLACE = { kind: "ConfigMap", namespace: "n", name: "a" } as const;
const map = (data: Record<string, string>): KubernetesObject => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "n" }, data } as KubernetesObject);

describe("the API server's client", () => {
  let server: FakeApiServer;
  let client: KubeClient;
  beforeEach(async () => {
    server = await FakeApiServer.start();
    client = new KubeClient(server.config);
  });
  afterEach(() => server.close());

  const failureOf = (promise: Promise<unknown>): Promise<KubeError> => promise.then(
    () => { throw new Error("it did not fail"); }, (error: unknown) => error as KubeError);

  it("reads what is there, and null where nothing is", async () => {
    expect(await client.get(PLACE)).toBeNull();
    server.put(MAPS, map({ k: "v" }));
    expect(await client.get(PLACE)).toMatchObject({ data: { k: "v" }, metadata: { creationTimestamp: "2026-01-01T00:00:00Z" } });
  });

  it("applies as its own field manager, with force", async () => {
    await client.apply(map({ k: "v" }));
    const [{ query, contentType } = { query: new URLSearchParams(), contentType: "" }] = server.writes;
    expect([contentType, query.get("fieldManager"), query.get("force")]).toEqual(["application/apply-patch+yaml", "synod-controller", "true"]);
  });

  it.each([
    [403, "forbidden"], [409, "conflict"], [410, "gone"], [422, "invalid"], [429, "unavailable"], [500, "unavailable"], [503, "unavailable"],
  ] as const)("takes HTTP %i for %s", async (status, outcome) => {
    server.fault = () => ({ status });
    expect(await failureOf(client.get(PLACE))).toMatchObject({ code: "SYNOD_ERR_KUBERNETES", outcome });
  });

  it("says that it was there already, apart from other conflicts", async () => {
    await client.create(map({}));
    expect((await failureOf(client.create(map({})))).outcome).toBe("alreadyExists");
  });

  it("takes a broken connection, and a server that cannot be reached, for unavailable", async () => {
    server.fault = () => "cut";
    expect((await failureOf(client.get(PLACE))).outcome).toBe("unavailable");
    await server.close();
    expect((await failureOf(client.get(PLACE))).outcome).toBe("unavailable");
    server = await FakeApiServer.start();
  });

  it("changes and deletes only what its preconditions name", async () => {
    const { uid, resourceVersion } = server.put(MAPS, map({ k: "v" })).metadata;
    expect((await failureOf(client.delete(PLACE, { uid: "another" }))).outcome).toBe("conflict");
    server.put(MAPS, map({ k: "w" }));
    expect((await failureOf(client.patch(PLACE, { metadata: { resourceVersion }, data: { k: "x" } }))).outcome).toBe("conflict");
    expect((await failureOf(client.patch(PLACE, { metadata: { uid: "another" }, data: { k: "x" } }))).outcome).toBe("conflict");
    await client.delete(PLACE, { uid });
    expect(server.get(MAPS, "a")).toBeUndefined();
    await client.delete(PLACE, { uid });
  });

  it("tells people the server's words, bounded, and neither headers nor whole bodies", async () => {
    server.fault = () => ({ status: 422, body: { reason: "Invalid", message: `spec is wrong ${"x".repeat(5_000)}`, details: { causes: ["inner"] } } });
    const { message } = await failureOf(client.apply(map({})));
    expect(message).toContain("PATCH /api/v1/namespaces/n/configmaps/a: spec is wrong");
    expect(message.length).toBeLessThan(700);
    expect(message).not.toContain("inner");
  });

  it("ends a watch with what its listener threw", async () => {
    const stop = new AbortController();
    const watching = client.watch({ kind: "ConfigMap", namespace: "n" }, {
      resourceVersion: "1", seconds: 60, signal: stop.signal, onEvent: () => { throw new Error("a listener's fault"); },
    });
    await server.until(() => server.watchCount === 1);
    server.put(MAPS, map({}));
    expect(await failureOf(watching)).toMatchObject({ outcome: "unavailable", message: expect.stringContaining("a listener's fault") });
  });
});
