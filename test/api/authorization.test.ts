import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { authorization } from "../../src/auth/key.ts";
import { KeyRing } from "../../src/auth/key-ring.ts";
import { key } from "../auth/keys.ts";
import { INCARNATION } from "./fake-service.ts";
import { errorOf, startApi } from "./fixture.ts";

const API = new URL("../../src/api/", import.meta.url);
const MEMBER = { incarnation: INCARNATION, name: "m1", address: "127.0.0.1:7001" };
const FOUNDING = { cluster: "f".repeat(32), configuration: { voters: [MEMBER], learners: [], removed: [] } };

/** Everything that changes members or leadership, with a body that is taken. */
const GUARDED: readonly (readonly [method: string, path: string, body: object | null])[] = [
  ["POST", "/v1/founding", { incarnation: INCARNATION, founding: FOUNDING }],
  ["POST", "/v1/renew", { incarnation: INCARNATION }],
  ["POST", "/v1/leadership/transfer", {}],
  ["POST", "/v1/members", { address: "h:1" }],
  ["POST", "/v1/members/:id/promote", {}],
  ["DELETE", "/v1/members/:id", null],
  ["POST", "/v1/members/:id/transfer-leadership", {}],
];

function call(url: string, [method, path, body]: (typeof GUARDED)[number], headers: Record<string, string>): Promise<Response> {
  const form: Record<string, string> = body === null ? {} : { "content-type": "application/json" };
  return fetch(url + path.replace(":id", "node-1"), { method, headers: { ...form, ...headers }, ...(body === null ? {} : { body: JSON.stringify(body) }) });
}

describe("where the cluster has a key", () => {
  const ring = new KeyRing([key(2), key(1)]);
  const authorizes = (header: string | undefined): boolean => ring.authorizes(header);

  it.each(GUARDED)("%s %s needs a token of one of its keys", async (...guarded) => {
    const { url, service } = await startApi({ authorizes });
    for (const headers of [{}, { authorization: authorization(key(3)) }, { authorization: "Bearer" }]) {
      const response = call(url, guarded, headers as Record<string, string>);
      expect((await response).headers.get("www-authenticate")).toBe("Bearer");
      expect(await errorOf(call(url, guarded, headers as Record<string, string>))).toMatchObject({ status: 401, body: { code: "SYNOD_ERR_UNAUTHORIZED", retryable: false } });
    }
    expect([service.membership.calls, service.transfers, service.cluster, service.renewals]).toEqual([[], [], null, 0]);
    for (const accepted of [key(1), key(2)]) expect((await call(url, guarded, { authorization: authorization(accepted) })).status).toBe(200);
  });

  it("is asked for before the body is read", async () => {
    const { url } = await startApi({ authorizes });
    const refused = fetch(`${url}/v1/members`, { method: "POST", body: "no JSON", headers: { "content-type": "application/json" } });
    expect((await errorOf(refused)).status).toBe(401);
  });

  it("what changes no member is open to all", async () => {
    const { url } = await startApi({ authorizes });
    expect((await fetch(`${url}/v1/kv/a`, { method: "PUT", body: "1" })).status).toBe(200);
    for (const path of ["/v1/kv/a", "/v1/status", "/v1/members", "/v1/founding", "/healthz", "/readyz", "/metrics"]) {
      expect((await fetch(url + path)).status).toBe(200);
    }
  });
});

describe("every route that writes", () => {
  it("is of a key, or needs the cluster's key", () => {
    const sources = readdirSync(API).filter((name) => name.endsWith("-routes.ts") && name !== "kv-routes.ts");
    const routes = sources.flatMap((name) => {
      const text = readFileSync(new URL(name, API), "utf8");
      return [...text.matchAll(/app\.(post|put|patch|delete)(?:<[^(]*>)?\("([^"]+)"/g)].map(([, method = "", path]) => `${method.toUpperCase()} ${path}`);
    });
    expect(routes.toSorted()).toEqual(GUARDED.map(([method, path]) => `${method} ${path}`).toSorted());
  });
});

describe("where the cluster has no key", () => {
  it.each(GUARDED)("%s %s is open", async (...guarded) => {
    const { url } = await startApi();
    expect((await call(url, guarded, {})).status).toBe(200);
  });
});
