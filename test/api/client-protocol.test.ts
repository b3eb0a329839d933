import { once } from "node:events";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { MAX_MESSAGE_BYTES, MAX_OUTSTANDING, writeReadRequest, writeStatusRequest, writeWriteRequest } from "../../src/client/protocol.ts";
import { readReply, type Reply } from "../../src/client/replies.ts";
import { ByteReader } from "../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import { connectionCount, eventually, startApi } from "./fixture.ts";

const text = new TextEncoder();

class RawClient {
  readonly socket: WebSocket;
  readonly replies: Reply[] = [];
  messages = 0;
  #closed: Promise<unknown[]>;

  constructor(endpoint: string) {
    this.socket = new WebSocket(`ws://${endpoint}/v1/client`, { perMessageDeflate: false });
    this.socket.on("message", (data: Buffer) => {
      this.messages += 1;
      const reader = new ByteReader(new Uint8Array(data));
      while (reader.remaining > 0) this.replies.push(readReply(reader));
    });
    this.socket.on("error", () => {});
    this.#closed = once(this.socket, "close");
    onTestFinished(() => this.socket.terminate());
  }

  static async open(endpoint: string): Promise<RawClient> {
    const client = new RawClient(endpoint);
    await once(client.socket, "open");
    return client;
  }

  async closeCode(): Promise<number> {
    return (await this.#closed)[0] as number;
  }

  async until(count: number): Promise<void> {
    await eventually(() => this.replies.length >= count, `${count} replies`);
  }
}

function put(key: string, value = new Uint8Array(1)): Uint8Array {
  return encodeCommand({ type: "put", key: text.encode(key), value, prevRevision: null, retry: { kind: "none" } });
}

describe("the client protocol's server", () => {
  it("answers all requests of a message in one message", async () => {
    const { endpoint, service } = await startApi();
    const client = await RawClient.open(endpoint);
    const writer = new ByteWriter();
    writeWriteRequest(writer, 7, put("a", text.encode("v")));
    writeReadRequest(writer, 8, { type: "get", key: text.encode("a") }, "linearizable");
    writeReadRequest(writer, 9, { type: "range", prefix: text.encode(""), limit: 10 }, "local");
    writeStatusRequest(writer, 10);
    client.socket.send(writer.finish());
    await client.until(4);
    const record = { value: text.encode("v"), createRevision: 1, modRevision: 1, version: 1 };
    expect(client.messages).toBe(1);
    expect(client.replies).toEqual([
      { type: "result", id: 7, result: { type: "written", revision: 1 } },
      { type: "read", id: 8, result: { type: "get", revision: 1, record } },
      { type: "read", id: 9, result: { type: "range", revision: 1, items: [{ key: text.encode("a"), ...record }], more: false } },
      { type: "status", id: 10, status: service.status() },
    ]);
  });

  it("hands a command on as the bytes that came", async () => {
    const { endpoint, service } = await startApi();
    const client = await RawClient.open(endpoint);
    const seen: Uint8Array[] = [];
    const original = service.write.bind(service);
    service.write = (command, done) => {
      seen.push(command.slice());
      original(command, done);
    };
    const writer = new ByteWriter();
    writeWriteRequest(writer, 1, put("key", text.encode("value")));
    client.socket.send(writer.finish());
    await client.until(1);
    expect(seen).toEqual([put("key", text.encode("value"))]);
  });

  it.each([
    ["a command that is none", Uint8Array.of(99), "SYNOD_ERR_BAD_REQUEST"],
    ["a key that is too large", put("x".repeat(1025)), "SYNOD_ERR_KEY_LENGTH"],
    ["a value that is too large", put("a", new Uint8Array(1024 * 1024 + 1)), "SYNOD_ERR_VALUE_TOO_LARGE"],
    ["the leader's own command", encodeCommand({ type: "advanceTime", timeMs: 1 }), "SYNOD_ERR_BAD_REQUEST"],
  ])("refuses %s, and goes on", async (_what, command, code) => {
    const { endpoint, service } = await startApi();
    const client = await RawClient.open(endpoint);
    const writer = new ByteWriter();
    writeWriteRequest(writer, 1, command);
    writeWriteRequest(writer, 2, put("a"));
    client.socket.send(writer.finish());
    await client.until(2);
    expect(client.replies[0]).toMatchObject({ type: "error", id: 1, error: { code } });
    expect(client.replies[1]).toMatchObject({ type: "result", id: 2 });
    expect(service.requests).toBe(1);
  });

  it("refuses queries out of bounds, and goes on", async () => {
    const { endpoint } = await startApi();
    const client = await RawClient.open(endpoint);
    const writer = new ByteWriter();
    writeReadRequest(writer, 1, { type: "get", key: new Uint8Array(0) }, "local");
    writeReadRequest(writer, 2, { type: "range", prefix: new Uint8Array(0), limit: 0 }, "local");
    writeStatusRequest(writer, 3);
    client.socket.send(writer.finish());
    await client.until(3);
    expect(client.replies).toMatchObject([
      { type: "error", id: 1, error: { code: "SYNOD_ERR_KEY_LENGTH" } },
      { type: "error", id: 2, error: { code: "SYNOD_ERR_BAD_REQUEST" } },
      { type: "status", id: 3 },
    ]);
  });

  it("refuses requests beyond its bound as busy, and takes more once others are answered", async () => {
    const { endpoint, service } = await startApi();
    service.holding = true;
    const client = await RawClient.open(endpoint);
    const writer = new ByteWriter();
    for (let id = 1; id <= MAX_OUTSTANDING + 5; id++) writeWriteRequest(writer, id, put("a"));
    client.socket.send(writer.finish());
    await client.until(5);
    expect(client.replies.map((reply) => reply.id)).toEqual([1, 2, 3, 4, 5].map((beyond) => MAX_OUTSTANDING + beyond));
    expect(client.replies[0]).toMatchObject({ type: "error", error: { code: "SYNOD_ERR_BUSY" } });
    service.release();
    await client.until(MAX_OUTSTANDING + 5);
    client.socket.send(new Uint8Array(0));
    const more = new ByteWriter();
    writeWriteRequest(more, 1, put("a"));
    client.socket.send(more.finish());
    await client.until(MAX_OUTSTANDING + 6);
    expect(client.replies.at(-1)).toMatchObject({ type: "result", id: 1 });
  });

  it("ends a connection that floods it", async () => {
    const { endpoint, service } = await startApi();
    service.holding = true;
    const client = await RawClient.open(endpoint);
    const writer = new ByteWriter();
    for (let id = 1; id <= MAX_OUTSTANDING * 3; id++) writeReadRequest(writer, id, { type: "get", key: text.encode("a") }, "local");
    client.socket.send(writer.finish());
    expect(await client.closeCode()).toBe(1002);
    service.release();
  });

  it("reads no further from a client that does not read its replies, and goes on with it later", async () => {
    const { endpoint, service } = await startApi();
    service.write(put("big", new Uint8Array(1024 * 1024)), () => {});
    const client = await RawClient.open(endpoint);
    client.socket.pause();
    const writer = new ByteWriter();
    const rounds = 100;
    for (let round = 0; round < rounds; round++) {
      writer.reset();
      writeReadRequest(writer, round * 2 + 1, { type: "get", key: text.encode("big") }, "local");
      writeWriteRequest(writer, round * 2 + 2, put("filler", new Uint8Array(64 * 1024)));
      client.socket.send(writer.finish());
    }
    const other = await RawClient.open(endpoint);
    for (let round = 0; round < 20; round++) {
      writer.reset();
      writeStatusRequest(writer, round + 1);
      other.socket.send(writer.finish());
      await other.until(round + 1);
    }
    expect(service.requests).toBeLessThan(rounds);
    client.socket.resume();
    await client.until(rounds * 2);
    expect(client.replies.filter((reply) => reply.type === "error")).toEqual([]);
  });

  it("refuses reads as busy whose answers it would have to hold too much of", async () => {
    const { endpoint, service } = await startApi();
    service.write(put("big", new Uint8Array(1024 * 1024)), () => {});
    const client = await RawClient.open(endpoint);
    const writer = new ByteWriter();
    for (let id = 1; id <= 100; id++) writeReadRequest(writer, id, { type: "get", key: text.encode("big") }, "local");
    client.socket.send(writer.finish());
    await client.until(100);
    const busy = client.replies.filter((reply) => reply.type === "error");
    expect(busy.length).toBeGreaterThan(50);
    expect(busy.length).toBeLessThan(95);
    expect(busy[0]).toMatchObject({ error: { code: "SYNOD_ERR_BUSY" } });
  });

  it("ends a connection that gives no sign of life", async () => {
    const { endpoint, api } = await startApi({ clientProbeMs: 20 });
    const silent = new WebSocket(`ws://${endpoint}/v1/client`, { autoPong: false });
    silent.on("error", () => {});
    const lively = await RawClient.open(endpoint);
    await once(silent, "close");
    expect(lively.socket.readyState).toBe(WebSocket.OPEN);
    // The silent side hears of the end before the server's own socket has closed.
    await eventually(async () => (await connectionCount(api)) === 1, "the server notices");
  });

  it("refuses a message that is too large, and text", async () => {
    const { endpoint } = await startApi();
    const large = await RawClient.open(endpoint);
    large.socket.send(new Uint8Array(MAX_MESSAGE_BYTES + 1));
    expect(await large.closeCode()).toBe(1009);
    const chatty = await RawClient.open(endpoint);
    chatty.socket.send("hello");
    expect(await chatty.closeCode()).toBe(1002);
    expect(chatty.replies).toMatchObject([{ type: "error", id: 0, error: { code: "SYNOD_ERR_BAD_REQUEST" } }]);
  });

  it("answers any bytes with replies or with an error that ends the connection, and serves others on", async () => {
    const { endpoint } = await startApi();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.constantFrom(0, 1, 2, 3, 4), async (bytes, op) => {
        const message = op === 0 ? bytes : Uint8Array.of(op, ...bytes);
        const client = await RawClient.open(endpoint);
        client.socket.send(message);
        const probe = new ByteWriter();
        writeStatusRequest(probe, 0xfffffffe);
        client.socket.send(probe.finish());
        const ended = client.closeCode().then((code) => expect(code).toBe(1002));
        const answered = eventually(
          () => client.replies.some((reply) => reply.id === 0xfffffffe || reply.id === 0),
          "an answer",
        );
        await Promise.race([ended, answered]);
        client.socket.terminate();
      }),
      { numRuns: 60 },
    );
  });

  it("survives a client that is cut off with requests outstanding", async () => {
    const { endpoint, service, api } = await startApi();
    service.holding = true;
    const client = await RawClient.open(endpoint);
    const writer = new ByteWriter();
    writeWriteRequest(writer, 1, put("a"));
    client.socket.send(writer.finish());
    await eventually(() => service.heldCount === 1, "the request is there");
    client.socket.terminate();
    await eventually(async () => (await connectionCount(api)) === 0, "the server notices");
    service.release();
  });

  it("answers what is outstanding and refuses what still comes when the API closes", async () => {
    const { endpoint, service, api } = await startApi({ closeGraceMs: 60_000 });
    service.holding = true;
    const client = await RawClient.open(endpoint);
    const send = (id: number): void => {
      const writer = new ByteWriter();
      writeWriteRequest(writer, id, put("a"));
      client.socket.send(writer.finish());
    };
    send(1);
    await eventually(() => service.heldCount === 1, "the request is there");
    const closed = api.close();
    send(2);
    await client.until(1);
    expect(client.replies[0]).toMatchObject({ type: "error", id: 2, error: { code: "SYNOD_ERR_STOPPING" } });
    service.release();
    expect(await client.closeCode()).toBe(1001);
    expect(client.replies[1]).toMatchObject({ type: "result", id: 1 });
    expect(client.replies[2]).toMatchObject({ type: "error", id: 0, error: { code: "SYNOD_ERR_STOPPING" } });
    await closed;
  });
});
