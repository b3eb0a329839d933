import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { ERRORS, type ErrorCode } from "../../src/errors/table.ts";
import { errorOf, json, startApi } from "./fixture.ts";

const ID = "0123456789abcdef0123456789abcdef";
const MEMBERS = { configuration: 7, pending: false, members: [expect.objectContaining({ name: "node-1", role: "voter" })], removed: [] };

function post(url: string, body?: unknown): Promise<Response> {
  if (body === undefined) return fetch(url, { method: "POST" });
  return fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

describe("GET /v1/members", () => {
  it("lists the members, and answers HEAD", async () => {
    const { url, service } = await startApi();
    expect(await json(fetch(`${url}/v1/members`))).toEqual({ status: 200, body: MEMBERS });
    expect((await fetch(`${url}/v1/members`, { method: "HEAD" })).status).toBe(200);
    expect(service.membership.calls).toEqual([["members"], ["members"]]);
  });

  it("takes no parameters", async () => {
    const { url, service } = await startApi();
    expect(await errorOf(fetch(`${url}/v1/members?role=voter`))).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
    expect(service.membership.calls).toEqual([]);
  });
});

describe("POST /v1/members", () => {
  it.each([
    [{ address: "10.0.0.4:7400" }, { address: "10.0.0.4:7400" }, { force: false }],
    [{ address: "host-4.example:1", id: ID }, { address: "host-4.example:1", id: ID }, { force: false }],
    [{ address: "[fe80::1]:65535", configuration: 0, force: true }, { address: "[fe80::1]:65535" }, { plannedFrom: 0, force: true }],
    [{ address: "h:1", configuration: 12, force: false }, { address: "h:1" }, { plannedFrom: 12, force: false }],
  ])("adds what %j says", async (body, newcomer, plan) => {
    const { url, service } = await startApi();
    expect(await json(post(`${url}/v1/members`, body))).toEqual({ status: 200, body: { ...MEMBERS, added: "b".repeat(32) } });
    expect(service.membership.calls).toEqual([["add", newcomer, plan]]);
  });

  it.each([
    [{}], [[]], [null], ["h:1"], [{ address: 7400 }], [{ address: "h" }], [{ address: "h:0" }], [{ address: "h:65536" }], [{ address: "http://h:1" }],
    [{ address: "h:1/path" }], [{ address: "user@h:1" }], [{ address: "fe80::1:1" }], [{ address: `${"h".repeat(300)}:1` }],
    [{ address: "h:1", id: "n4" }], [{ address: "h:1", id: ID.toUpperCase() }], [{ address: "h:1", configuration: "7" }],
    [{ address: "h:1", configuration: -1 }], [{ address: "h:1", configuration: 1.5 }], [{ address: "h:1", force: "true" }],
    [{ address: "h:1", force: null }],
  ])("refuses %j", async (body) => {
    const { url, service } = await startApi();
    expect(await errorOf(post(`${url}/v1/members`, body))).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
    expect(service.membership.calls).toEqual([]);
  });

  it("refuses a field that it does not know, and names it and those that it knows", async () => {
    const { url, service } = await startApi();
    const { status, body } = await errorOf(post(`${url}/v1/members`, { address: "h:1", configurations: 7 }));
    expect([status, body.message]).toEqual([400, 'The field "configurations" is not known here; known: address, id, configuration, force.']);
    expect(service.membership.calls).toEqual([]);
  });

  it("refuses a body that is no JSON, of another type, or too large", async () => {
    const { url, service } = await startApi();
    const bodies = [["{", "application/json"], ["address=h:1", "application/x-www-form-urlencoded"], [`"${"x".repeat(5_000)}"`, "application/json"]];
    for (const [body = "", type = ""] of bodies) {
      const refused = await errorOf(fetch(`${url}/v1/members`, { method: "POST", body, headers: { "content-type": type } }));
      expect(refused).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
    }
    expect(service.membership.calls).toEqual([]);
  });
});

describe("POST /v1/members/{id}/promote", () => {
  it("promotes by id or name, with a plan and a replaced member where they are given", async () => {
    const { url, service } = await startApi();
    expect(await json(post(`${url}/v1/members/${ID}/promote`))).toEqual({ status: 200, body: MEMBERS });
    expect((await post(`${url}/v1/members/n-4.a/promote`, {})).status).toBe(200);
    expect((await post(`${url}/v1/members/n4/promote`, { replaces: "n3", configuration: 7, force: true })).status).toBe(200);
    expect(service.membership.calls).toEqual([
      ["promote", ID, { force: false }], ["promote", "n-4.a", { force: false }], ["promote", "n4", { replaces: "n3", plannedFrom: 7, force: true }],
    ]);
  });

  it.each([[{ replaces: 3 }], [{ replaces: null }], [{ replace: "n3" }], [{ address: "h:1" }], [[]], ["n3"], [{ force: 1 }], [{ configuration: null }]])(
    "refuses %j", async (body) => {
      const { url, service } = await startApi();
      expect(await errorOf(post(`${url}/v1/members/n4/promote`, body))).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
      expect(service.membership.calls).toEqual([]);
    });
});

describe("DELETE /v1/members/{id}", () => {
  const remove = (url: string, path: string, init: RequestInit = {}): Promise<Response> => fetch(`${url}/v1/members/${path}`, { method: "DELETE", ...init });

  it("removes by id or name, with a plan where one is given", async () => {
    const { url, service } = await startApi();
    expect(await json(remove(url, ID))).toEqual({ status: 200, body: MEMBERS });
    expect((await remove(url, "n4?configuration=9")).status).toBe(200);
    expect((await remove(url, "n4?force=true&configuration=0")).status).toBe(200);
    expect((await remove(url, "n4?force=false")).status).toBe(200);
    expect(service.membership.calls).toEqual([
      ["remove", ID, { force: false }], ["remove", "n4", { force: false, plannedFrom: 9 }],
      ["remove", "n4", { force: true, plannedFrom: 0 }], ["remove", "n4", { force: false }],
    ]);
  });

  it.each(["n4?force=yes", "n4?force", "n4?configuration=-1", "n4?configuration=x", "n4?forced=true", "n4?force=true&force=true", "", "?force=true"])(
    "refuses %s", async (path) => {
      const { url, service } = await startApi();
      expect(await errorOf(remove(url, path))).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
      expect(service.membership.calls).toEqual([]);
    });

  it("refuses a body, whose conditions would not be heeded", async () => {
    const { url, service } = await startApi();
    const init = { body: JSON.stringify({ configuration: 7 }), headers: { "content-type": "application/json" } };
    expect(await errorOf(remove(url, "n4", init))).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
    expect(service.membership.calls).toEqual([]);
  });
});

describe("POST /v1/members/{id}/transfer-leadership", () => {
  it("hands over to a member by id or name, and takes no fields", async () => {
    const { url, service } = await startApi();
    expect(await json(post(`${url}/v1/members/${ID}/transfer-leadership`))).toEqual({ status: 200, body: MEMBERS });
    expect((await post(`${url}/v1/members/n2/transfer-leadership`, {})).status).toBe(200);
    expect((await post(`${url}/v1/members/n2/transfer-leadership`, { to: "n3" })).status).toBe(400);
    expect(service.membership.calls).toEqual([["transferLeadership", ID], ["transferLeadership", "n2"]]);
  });
});

describe("what the cluster refuses", () => {
  const CODES: readonly ErrorCode[] = [
    "SYNOD_ERR_NO_SUCH_MEMBER", "SYNOD_ERR_MEMBER_REMOVED", "SYNOD_ERR_NAME_TAKEN", "SYNOD_ERR_TOO_MANY_MEMBERS", "SYNOD_ERR_LAST_VOTER",
    "SYNOD_ERR_CHANGE_PENDING", "SYNOD_ERR_STALE_CONFIGURATION", "SYNOD_ERR_LEARNER_LAGS", "SYNOD_ERR_NO_LIVE_QUORUM", "SYNOD_ERR_NO_LEADER",
    "SYNOD_ERR_CHANGE_UNKNOWN", "SYNOD_ERR_NO_SUCCESSOR", "SYNOD_ERR_UNREACHABLE", "SYNOD_ERR_NOT_FOUNDED", "SYNOD_ERR_LEFT", "SYNOD_ERR_FENCED",
  ];

  it.each(CODES)("is answered as %s with its status, whichever change was asked for", async (code) => {
    const { url, service } = await startApi();
    service.membership.failure = new SynodError(code, "why");
    const { status, retryable, outcomeUnknown } = ERRORS[code];
    const refusals = [
      post(`${url}/v1/members`, { address: "h:1" }), post(`${url}/v1/members/n4/promote`), fetch(`${url}/v1/members/n4`, { method: "DELETE" }),
      post(`${url}/v1/members/n4/transfer-leadership`), fetch(`${url}/v1/members`),
    ];
    for (const refused of await Promise.all(refusals.map(errorOf))) {
      expect(refused).toEqual({ status, body: { code, message: "why", retryable, outcomeUnknown } });
    }
  });

  it("may not be tried by pages of other origins", async () => {
    const { url, service } = await startApi();
    const init = { headers: { origin: "http://evil.example" } };
    expect((await fetch(`${url}/v1/members/n4`, { method: "DELETE", ...init })).status).toBe(400);
    expect((await fetch(`${url}/v1/members/n4/promote`, { method: "POST", ...init })).status).toBe(400);
    expect(service.membership.calls).toEqual([]);
  });

  it("is told for other methods and paths that there is no such route", async () => {
    const { url, service } = await startApi();
    for (const [method, path] of [["PUT", "n4"], ["GET", "n4"], ["POST", "n4"], ["POST", "n4/demote"], ["DELETE", "n4/promote"]]) {
      expect([path, (await errorOf(fetch(`${url}/v1/members/${path}`, { method: method ?? "" }))).body.code]).toEqual([path, "SYNOD_ERR_NO_ROUTE"]);
    }
    expect(service.membership.calls).toEqual([]);
  });
});
