import { describe, expect, it } from "vitest";
import { INCARNATION } from "./fake-service.ts";
import { errorOf, json, startApi } from "./fixture.ts";

const CLUSTER = "f".repeat(32);
const MEMBER = { incarnation: INCARNATION, name: "m1", address: "127.0.0.1:7001" };
const FOUNDING = { cluster: CLUSTER, configuration: { voters: [MEMBER], learners: [], removed: [] } };

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

describe("founding", () => {
  it("tells who the member is, takes the document, and takes the same one again", async () => {
    const { url } = await startApi();
    expect((await json(fetch(`${url}/v1/founding`))).body).toEqual({ member: "m1", incarnation: INCARNATION, cluster: null });
    for (let time = 0; time < 2; time++) {
      const founded = await json(post(`${url}/v1/founding`, { incarnation: INCARNATION, founding: FOUNDING }));
      expect(founded).toEqual({ status: 200, body: { member: "m1", incarnation: INCARNATION, cluster: CLUSTER } });
    }
    const other = { ...FOUNDING, cluster: "e".repeat(32) };
    expect(await errorOf(post(`${url}/v1/founding`, { incarnation: INCARNATION, founding: other }))).toMatchObject({
      status: 409,
      body: { code: "SYNOD_ERR_ALREADY_FOUNDED" },
    });
  });

  it("is refused when meant for another incarnation", async () => {
    const { url, service } = await startApi();
    const refused = await errorOf(post(`${url}/v1/founding`, { incarnation: "a".repeat(32), founding: FOUNDING }));
    expect(refused).toMatchObject({ status: 409, body: { code: "SYNOD_ERR_WRONG_INCARNATION" } });
    expect(service.cluster).toBeNull();
  });

  const tooMany = Array.from({ length: 10 }, () => MEMBER);
  const founding = (member: object): object => ({ cluster: CLUSTER, configuration: { voters: [member], learners: [], removed: [] } });
  const twice = { voters: [MEMBER], learners: [MEMBER], removed: [] };
  it.each([
    [null],
    [[]],
    ["text"],
    [{}],
    [{ incarnation: INCARNATION }],
    [{ incarnation: "x", founding: FOUNDING }],
    [{ incarnation: INCARNATION, founding: { ...FOUNDING, cluster: "F".repeat(32) } }],
    [{ incarnation: INCARNATION, founding: { cluster: CLUSTER } }],
    [{ incarnation: INCARNATION, founding: { cluster: CLUSTER, configuration: { voters: [], learners: [], removed: [] } } }],
    [{ incarnation: INCARNATION, founding: { cluster: CLUSTER, configuration: { voters: [MEMBER] } } }],
    [{ incarnation: INCARNATION, founding: founding({ ...MEMBER, name: "a b" }) }],
    [{ incarnation: INCARNATION, founding: founding({ ...MEMBER, address: 1 }) }],
    [{ incarnation: INCARNATION, founding: { cluster: CLUSTER, configuration: twice } }],
    [{ incarnation: INCARNATION, founding: { cluster: CLUSTER, configuration: { voters: tooMany, learners: [], removed: [] } } }],
  ])("refuses a body of another form: %j", async (body) => {
    const { url, service } = await startApi();
    expect(await errorOf(post(`${url}/v1/founding`, body))).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
    expect(service.cluster).toBeNull();
  });

  it.each([
    ["no JSON", "{", "application/json"],
    ["another content type", "{}", "text/plain"],
    ["no content", "", "application/json"],
    ["a document that is too large", `"${"x".repeat(70_000)}"`, "application/json"],
  ])("refuses %s", async (_what, body, type) => {
    const { url } = await startApi();
    const refused = await errorOf(fetch(`${url}/v1/founding`, { method: "POST", body, headers: { "content-type": type } }));
    expect(refused).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
  });
});

describe("leadership transfer", () => {
  it("goes to a named member or to whichever is best", async () => {
    const { url, service } = await startApi();
    expect(await json(post(`${url}/v1/leadership/transfer`, { to: "m2" }))).toEqual({ status: 200, body: { leader: "m1" } });
    expect((await post(`${url}/v1/leadership/transfer`, {})).status).toBe(200);
    expect((await fetch(`${url}/v1/leadership/transfer`, { method: "POST" })).status).toBe(200);
    expect((await post(`${url}/v1/leadership/transfer`, { to: 2 })).status).toBe(400);
    expect((await post(`${url}/v1/leadership/transfer`, "m2")).status).toBe(400);
    expect(service.transfers).toEqual(["m2", undefined, undefined]);
  });
});

describe("probes and metrics", () => {
  it("follow the member's readiness and life", async () => {
    const { url, service } = await startApi();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    service.ready = { ready: false, live: true, reason: "no leader is known" };
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await json(fetch(`${url}/readyz`))).toEqual({ status: 503, body: { ready: false, reason: "no leader is known" } });
    service.ready = { ready: false, live: false, reason: "stuck" };
    expect((await fetch(`${url}/healthz`)).status).toBe(503);
  });

  it("are served", async () => {
    const { url } = await startApi();
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await answer.text()).toContain("synod_is_leader 1");
  });

  it("status is what the service says, and takes no parameters", async () => {
    const { url, service } = await startApi();
    expect((await json(fetch(`${url}/v1/status`))).body).toEqual(service.status());
    expect((await fetch(`${url}/v1/status?pretty`)).status).toBe(400);
  });
});
