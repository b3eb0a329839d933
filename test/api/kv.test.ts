import { request as httpRequest } from "node:http";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { SynodError } from "../../src/errors/synod-error.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import { connectionCount, errorOf, eventually, json, rawExchange, rawSocket, startApi } from "./fixture.ts";

const MIB = 1024 * 1024;

function put(url: string, key: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/kv/${key}`, { method: "PUT", body, headers });
}

describe("PUT, GET and DELETE of a key", () => {
  it("gives back the bytes that were put, and their revisions", async () => {
    const { url } = await startApi();
    const value = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
    expect(await json(put(url, "a", "x"))).toEqual({ status: 200, body: { revision: 1 } });
    expect(await json(put(url, "a", value))).toEqual({ status: 200, body: { revision: 2 } });
    const got = await fetch(`${url}/v1/kv/a`);
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(value);
    expect(got.headers.get("content-type")).toBe("application/octet-stream");
    expect(got.headers.get("synod-revision")).toBe("2");
    expect(got.headers.get("synod-create-revision")).toBe("1");
    expect(got.headers.get("synod-version")).toBe("2");
  });

  it("answers HEAD with the headers alone", async () => {
    const { url } = await startApi();
    await put(url, "a", "value");
    const head = await fetch(`${url}/v1/kv/a`, { method: "HEAD" });
    expect([head.status, head.headers.get("synod-revision"), head.headers.get("content-length")]).toEqual([200, "1", "5"]);
    expect(await head.text()).toBe("");
    expect((await fetch(`${url}/v1/kv/b`, { method: "HEAD" })).status).toBe(404);
    for (const path of ["/healthz", "/readyz", "/v1/status", "/v1/kv"]) {
      expect((await fetch(`${url}${path}`, { method: "HEAD" })).status, path).toBe(200);
    }
  });

  it("tells how many keys a delete removed", async () => {
    const { url } = await startApi();
    await put(url, "a", "x");
    expect(await json(fetch(`${url}/v1/kv/a`, { method: "DELETE" }))).toEqual({ status: 200, body: { revision: 2, deleted: 1 } });
    expect(await json(fetch(`${url}/v1/kv/a`, { method: "DELETE" }))).toEqual({ status: 200, body: { revision: 2, deleted: 0 } });
    const missing = await errorOf(fetch(`${url}/v1/kv/a`));
    expect(missing).toMatchObject({ status: 404, body: { code: "SYNOD_ERR_NOT_FOUND", details: { revision: 2 } } });
  });

  it("takes an empty value, with and without a length", async () => {
    const { url, port } = await startApi();
    await put(url, "a", "");
    expect(await (await fetch(`${url}/v1/kv/a`)).text()).toBe("");
    const answer = await rawExchange(port, "PUT /v1/kv/b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(answer).toContain('{"revision":2}');
  });

  it("takes any content type, none, and ones that are not valid", async () => {
    const { url, port } = await startApi();
    for (const type of ["application/json", "text/plain", "image/png", "application/x-www-form-urlencoded"]) {
      expect((await put(url, "a", "{not json", { "content-type": type })).status).toBe(200);
    }
    const head = "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n";
    expect(await rawExchange(port, `${head}\r\n1`)).toContain("200 OK");
    expect(await rawExchange(port, `${head}Content-Type: ;;/\r\n\r\n1`)).toContain("200 OK");
    expect(await (await fetch(`${url}/v1/kv/a`)).text()).toBe("1");
  });

  it.each([
    ["a/b//c/", "a/b//c/"],
    ["a%2Fb", "a/b"],
    ["%C3%A9%20x", "é x"],
    ["100%25", "100%"],
    ["%2525", "%25"],
    ["a+b", "a+b"],
    ["x".repeat(1024), "x".repeat(1024)],
    ["%78".repeat(1024), "x".repeat(1024)],
  ])("takes %.20s as a key", async (path, key) => {
    const { url } = await startApi();
    expect((await put(url, path, "v")).status).toBe(200);
    const listed = (await json(fetch(`${url}/v1/kv`))).body as { items: { key: string }[] };
    expect(listed.items.map((item) => item.key)).toEqual([key]);
    expect((await fetch(`${url}/v1/kv/${path}`)).status).toBe(200);
  });

  it.each([
    ["%zz", "SYNOD_ERR_BAD_REQUEST"],
    ["a%2", "SYNOD_ERR_BAD_REQUEST"],
    ["%ff", "SYNOD_ERR_BAD_REQUEST"],
    ["", "SYNOD_ERR_KEY_LENGTH"],
    ["x".repeat(1025), "SYNOD_ERR_KEY_LENGTH"],
  ])("refuses %.20s as a key", async (path, code) => {
    const { url, service } = await startApi();
    expect(await errorOf(put(url, path, "v"))).toMatchObject({ status: 400, body: { code, retryable: false, outcomeUnknown: false } });
    expect(await errorOf(fetch(`${url}/v1/kv/${path}`))).toMatchObject({ status: 400, body: { code } });
    expect(service.requests).toBe(0);
  });
});

describe("prevRevision", () => {
  it("makes a write conditional, and tells the revision that is there", async () => {
    const { url } = await startApi();
    expect((await put(url, "a?prevRevision=0", "1")).status).toBe(200);
    const refused = await errorOf(put(url, "a?prevRevision=0", "2"));
    expect(refused).toMatchObject({ status: 412, body: { code: "SYNOD_ERR_PRECONDITION", details: { revision: 1 } } });
    expect((await put(url, "a?prevRevision=1", "2")).status).toBe(200);
    expect((await fetch(`${url}/v1/kv/a?prevRevision=1`, { method: "DELETE" })).status).toBe(412);
    expect((await fetch(`${url}/v1/kv/a?prevRevision=2`, { method: "DELETE" })).status).toBe(200);
  });

  it.each(["", "-1", "1.5", "x", "01", "9007199254740992", "1e3", "0x1"])("refuses %j", async (text) => {
    const { url, service } = await startApi();
    expect(await errorOf(put(url, `a?prevRevision=${text}`, "v"))).toMatchObject({ status: 400, body: { code: "SYNOD_ERR_BAD_REQUEST" } });
    expect(service.requests).toBe(0);
  });

  it("is not taken for absent when it is misspelt or repeated", async () => {
    const { url, service } = await startApi();
    expect((await put(url, "a?prevrevision=1", "v")).status).toBe(400);
    expect((await put(url, "a?prevRevision=1&prevRevision=2", "v")).status).toBe(400);
    expect(service.requests).toBe(0);
  });
});

describe("Idempotency-Key", () => {
  it("gives a repetition the first answer, and refuses another request with it", async () => {
    const { url } = await startApi();
    const headers = { "idempotency-key": "order 17" };
    expect((await json(put(url, "a", "1", headers))).body).toEqual({ revision: 1 });
    await put(url, "a", "2");
    expect((await json(put(url, "a", "1", headers))).body).toEqual({ revision: 1 });
    expect(await (await fetch(`${url}/v1/kv/a`)).text()).toBe("2");
    expect(await errorOf(put(url, "a", "3", headers))).toMatchObject({ status: 422, body: { code: "SYNOD_ERR_IDEMPOTENCY_MISMATCH" } });
  });

  it("may be there once", async () => {
    const { port, service } = await startApi();
    const request = "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n";
    expect(await rawExchange(port, request)).toContain("SYNOD_ERR_BAD_REQUEST");
    expect(service.requests).toBe(0);
  });

  it("must be printable and of bounded length", async () => {
    const { url } = await startApi();
    for (const key of ["", "x".repeat(257), "\u00e9"]) {
      expect((await put(url, "a", "1", { "idempotency-key": key })).status).toBe(400);
    }
  });
});

describe("the size of a value", () => {
  it("may be a mebibyte", async () => {
    const { url } = await startApi();
    expect((await put(url, "a", new Uint8Array(MIB).fill(7))).status).toBe(200);
    const got = await (await fetch(`${url}/v1/kv/a`)).arrayBuffer();
    expect(got.byteLength).toBe(MIB);
  });

  it("may not be a byte more", async () => {
    const { url, service } = await startApi();
    const refused = await errorOf(put(url, "a", new Uint8Array(MIB + 1)));
    expect(refused).toMatchObject({ status: 413, body: { code: "SYNOD_ERR_VALUE_TOO_LARGE", outcomeUnknown: false } });
    expect(service.requests).toBe(0);
  });

  it("is counted where a body is chunked and tells no length", async () => {
    const { port, service } = await startApi();
    const request = httpRequest({ port, host: "127.0.0.1", method: "PUT", path: "/v1/kv/a" });
    for (let index = 0; index < 24; index++) request.write(Buffer.alloc(64 * 1024));
    request.end();
    const [response] = await once(request, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(response.statusCode).toBe(413);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ code: "SYNOD_ERR_VALUE_TOO_LARGE" });
    expect(service.requests).toBe(0);
  });

  it("does not follow from a Content-Length that says less: what is left over is refused as a request", async () => {
    const { port, url } = await startApi();
    await rawExchange(port, "PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabcdef\r\n\r\n");
    expect(await (await fetch(`${url}/v1/kv/a`)).text()).toBe("ab");
  });

  it("writes nothing when the body ends before the length it told", async () => {
    const { port, service } = await startApi();
    const socket = await rawSocket(port);
    socket.end("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    socket.resume();
    await once(socket, "close");
    expect(service.requests).toBe(0);
  });
});

describe("the listing", () => {
  it("pages through a prefix in byte order", async () => {
    const { url } = await startApi();
    for (const key of ["b", "a/2", "a/1", "a/3", "a"]) await put(url, key, key);
    const first = await json(fetch(`${url}/v1/kv?prefix=a/&limit=2`));
    expect(first.body).toEqual({
      revision: 5,
      items: [
        { key: "a/1", value: Buffer.from("a/1").toString("base64"), createRevision: 3, modRevision: 3, version: 1 },
        { key: "a/2", value: Buffer.from("a/2").toString("base64"), createRevision: 2, modRevision: 2, version: 1 },
      ],
      more: true,
      cursor: "YS8y",
    });
    const second = (await json(fetch(`${url}/v1/kv?prefix=a%2F&limit=2&after=a%2F2`))).body as { items: { key: string }[]; more: boolean };
    expect(second.items.map((item) => item.key)).toEqual(["a/3"]);
    expect(second.more).toBe(false);
  });

  it("is cut short by bytes, and can be gone on with", async () => {
    const { url } = await startApi();
    for (const key of ["a", "b", "c"]) await put(url, key, new Uint8Array(600 * 1024));
    const keys: string[] = [];
    for (let query = "", more = true; more; ) {
      const page = (await json(fetch(`${url}/v1/kv?${query}`))).body as { items: { key: string }[]; more: boolean; cursor: string };
      expect(page.items.length).toBe(1);
      keys.push(...page.items.map((item) => item.key));
      query = new URLSearchParams({ cursor: page.cursor }).toString();
      more = page.more;
    }
    expect(keys).toEqual(["a", "b", "c"]);
  });

  it("names keys that are not UTF-8 in base64 and goes on behind them", async () => {
    const { url, service } = await startApi();
    for (const key of [Uint8Array.of(0xff, 0x01), Uint8Array.of(0xff, 0x02)]) {
      const value = Uint8Array.of(1);
      service.write(encodeCommand({ type: "put", key, value, prevRevision: null, retry: { kind: "none" } }), () => {});
    }
    const page = (await json(fetch(`${url}/v1/kv?limit=1`))).body as { items: { keyBase64: string }[]; cursor: string };
    expect(page.items[0]?.keyBase64).toBe("/wE=");
    const next = (await json(fetch(`${url}/v1/kv?limit=1&cursor=${page.cursor}`))).body as { items: { keyBase64: string }[] };
    expect(next.items[0]?.keyBase64).toBe("/wI=");
  });

  it.each(["limit=0", "limit=10001", "limit=x", "colour=red", "consistency=eventual", "prefix=%zz", "cursor=", "cursor=a/b", `after=${"x".repeat(1025)}`])(
    "refuses %.30s",
    async (query) => {
      const { url } = await startApi();
      expect((await errorOf(fetch(`${url}/v1/kv?${query}`))).status).toBe(400);
    },
  );
});

describe("errors of the service", () => {
  it.each([
    ["SYNOD_ERR_BUSY", 503, true, false],
    ["SYNOD_ERR_NO_LEADER", 503, true, false],
    ["SYNOD_ERR_OUTCOME_UNKNOWN", 504, false, true],
    ["SYNOD_ERR_NO_SPACE", 507, true, false],
  ] as const)("are answered with the row of %s", async (code, status, retryable, outcomeUnknown) => {
    const { url, service } = await startApi();
    service.refuse = () => new SynodError(code);
    const refused = await errorOf(put(url, "a", "v"));
    expect(refused).toMatchObject({ status, body: { code, retryable, outcomeUnknown } });
    expect(Object.keys(refused.body)).toEqual(expect.arrayContaining(["code", "message", "retryable", "outcomeUnknown"]));
  });
});

describe("a caller that goes away", () => {
  it("leaves nothing behind, and its write goes on", async () => {
    const { url, port, service, api } = await startApi();
    service.holding = true;
    const socket = await rawSocket(port);
    socket.write("PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1");
    await eventually(() => service.heldCount === 1, "the write reaches the service");
    socket.destroy();
    await eventually(async () => (await connectionCount(api)) === 0, "the server notices");
    service.release();
    expect(await (await fetch(`${url}/v1/kv/a`)).text()).toBe("1");
  });
});
