import { once } from "node:events";
import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import type { ErrorBody } from "../../src/errors/synod-error.ts";
import { ERRORS } from "../../src/errors/table.ts";
import { errorOf, rawExchange, rawSocket, startApi } from "./fixture.ts";

function handshake(path: string, extra = ""): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`
  );
}

function bodyOf(answer: string): ErrorBody {
  return JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) as ErrorBody;
}

describe("a request that no route takes", () => {
  it.each([
    ["GET", "/"],
    ["GET", "/v1/nothing"],
    ["POST", "/v1/kv/a"],
    ["PUT", "/v1/kv"],
    ["PATCH", "/v1/status"],
    ["DELETE", "/v1/events"],
    ["OPTIONS", "/v1/kv/a"],
    ["GET", "/v1/client"],
  ])("is told so: %s %s", async (method, path) => {
    const { url } = await startApi();
    const refused = await errorOf(fetch(url + path, { method }));
    expect(refused).toMatchObject({ status: 404, body: { code: "SYNOD_ERR_NO_ROUTE", retryable: false, outcomeUnknown: false } });
  });

  it("is told so with a body of any type as well", async () => {
    const { url } = await startApi();
    const refused = errorOf(fetch(`${url}/v1/nothing`, { method: "POST", body: "x", headers: { "content-type": "a/b" } }));
    expect((await refused).body.code).toBe("SYNOD_ERR_NO_ROUTE");
  });
});

describe("bytes that are no valid request", () => {
  it.each([
    ["no HTTP at all", "hello\r\n\r\n"],
    ["a method that does not exist", "BREW /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["headers that are too large", `GET /v1/status HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
    ["two lengths", "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"],
    ["a length that is no number", "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nx"],
  ])("get a coded answer: %s", async (_what, bytes) => {
    const { port } = await startApi();
    const answer = await rawExchange(port, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(bodyOf(answer)).toMatchObject({ code: "SYNOD_ERR_BAD_REQUEST", retryable: false, outcomeUnknown: false });
  });

  it("get no answer where it would be taken for that of a request under way", async () => {
    const { port, service } = await startApi();
    service.holding = true;
    const answer = await rawExchange(port, "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", "garbage\r\n\r\n");
    expect(answer).toBe("");
  });

  it("get a coded answer where a URL cannot be decoded", async () => {
    const { port } = await startApi();
    const answer = await rawExchange(port, "GET /v1/kv/%E0%A4%A HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(bodyOf(answer).code).toBe("SYNOD_ERR_BAD_REQUEST");
  });
});

describe("a fault in our own code", () => {
  it("is told to the operator, and the caller learns only that it was one", async () => {
    const faults: unknown[] = [];
    const { url, service } = await startApi({ onFault: (error) => faults.push(error) });
    service.thrown = new Error("secret detail");
    const refused = await errorOf(fetch(`${url}/v1/status`));
    expect(refused).toMatchObject({ status: 500, body: { code: "SYNOD_ERR_INTERNAL", outcomeUnknown: true } });
    expect(refused.body.message).not.toContain("secret");
    expect(faults).toEqual([service.thrown]);
  });
});

describe("a page of another origin", () => {
  it("can neither write nor connect", async () => {
    const { url, port, endpoint } = await startApi();
    const origin = "http://evil.example";
    expect((await fetch(`${url}/v1/leadership/transfer`, { method: "POST", headers: { origin } })).status).toBe(400);
    expect((await fetch(`${url}/v1/kv/a`, { method: "PUT", body: "x", headers: { origin: "null" } })).status).toBe(400);
    expect(await rawExchange(port, handshake("/v1/client", `Origin: ${origin}\r\n`))).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`${url}/v1/kv/a`, { method: "PUT", body: "x", headers: { origin: `http://${endpoint}` } })).status).toBe(200);
  });
});

describe("an upgrade", () => {
  it("to the peers' path is handed on, with the bytes behind the request", async () => {
    const taken: string[] = [];
    const { port } = await startApi({
      onPeerUpgrade: (request, socket, head) => {
        taken.push(request.url ?? "", head.toString());
        socket.end("taken");
      },
    });
    expect(await rawExchange(port, `${handshake("/v1/peer")}more`)).toBe("taken");
    expect(taken).toEqual(["/v1/peer", "more"]);
  });

  it("to a path that takes none is refused", async () => {
    const { port } = await startApi();
    for (const path of ["/v1/peer", "/", "/v1/kv/a"]) {
      expect(bodyOf(await rawExchange(port, handshake(path))).code).toBe("SYNOD_ERR_NO_ROUTE");
    }
  });

  it("to another protocol than WebSocket is not made: the request is served as it is", async () => {
    const { port } = await startApi();
    const answer = await rawExchange(port, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("that is no proper handshake gets a coded answer", async () => {
    const { port } = await startApi();
    const bad = "GET /v1/client HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const answer = await rawExchange(port, bad);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(bodyOf(answer).code).toBe("SYNOD_ERR_BAD_REQUEST");
  });
});

describe("closing", () => {
  it("closes idle and half-sent connections, event streams and client connections, and ends within its bound", async () => {
    const { api, port, url, endpoint } = await startApi({ closeGraceMs: 300 });
    const idle = await rawSocket(port);
    const half = await rawSocket(port);
    half.write("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    const events = await fetch(`${url}/v1/events`);
    const client = new WebSocket(`ws://${endpoint}/v1/client`);
    await once(client, "open");
    const deaf = new WebSocket(`ws://${endpoint}/v1/client`);
    await once(deaf, "open");
    deaf.pause();
    const clientClosed = once(client, "close");
    const ends = [once(idle, "close"), once(half, "close")];
    const started = performance.now();
    await api.close();
    expect(performance.now() - started).toBeLessThan(2000);
    expect((await clientClosed)[0]).toBe(1001);
    expect(await events.text()).toContain("retry: 1000");
    await Promise.all(ends);
    deaf.terminate();
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  it("does not wait for its bound when every connection can be ended", async () => {
    const { api, url, endpoint } = await startApi({ closeGraceMs: 60_000 });
    await fetch(`${url}/healthz`);
    const client = new WebSocket(`ws://${endpoint}/v1/client`);
    await once(client, "open");
    await api.close();
  });

  it("lets a request that is under way have its answer, and frees the port", async () => {
    const { api, url, port, service } = await startApi({ closeGraceMs: 60_000 });
    service.holding = true;
    const put = fetch(`${url}/v1/kv/a`, { method: "PUT", body: "1" });
    while (service.heldCount === 0) await new Promise<void>((resolve) => void setImmediate(resolve));
    const closed = api.close();
    service.release();
    const answer = await put;
    expect(await answer.json()).toEqual({ revision: 1 });
    expect(answer.headers.get("connection")).toBe("close");
    await closed;
    expect(api.close()).toBe(closed);
    const again = await startApi({}, service, port);
    expect(await (await fetch(`${again.url}/v1/kv/a`)).text()).toBe("1");
  });

  it("says so when the port is taken", async () => {
    const { port } = await startApi();
    await expect(startApi({}, undefined, port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("GET /v1/errors", () => {
  it("lists the table", async () => {
    const { url } = await startApi();
    const { errors } = (await (await fetch(`${url}/v1/errors`)).json()) as { errors: { code: string }[] };
    expect(errors.map((error) => error.code)).toEqual(Object.keys(ERRORS));
  });
});
