import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { ClientConnection } from "../../src/client/connection.ts";
import { endpointUrl } from "../../src/client/endpoint.ts";
import { MAX_OUTSTANDING } from "../../src/client/protocol.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import { eventually, startApi } from "../api/fixture.ts";

const PUT = encodeCommand({
  type: "put", key: Uint8Array.of(1), value: Uint8Array.of(2), prevRevision: null, retry: { kind: "none" },
});

async function open(endpoint: string): Promise<{ connection: ClientConnection; closed: Promise<string> }> {
  let onClose: (reason: string) => void = () => {};
  const closed = new Promise<string>((resolve) => (onClose = resolve));
  const connection = await new Promise<ClientConnection>((resolve) => {
    const made: ClientConnection = new ClientConnection(endpointUrl(endpoint), { onOpen: () => resolve(made), onClose });
  });
  onTestFinished(() => connection.cut("the test is over"));
  return { connection, closed };
}

/** A server that takes connections and does as it is told with what they send. */
async function strangeServer(onMessage: (socket: WebSocket, data: Buffer) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => socket.on("message", (data: Buffer) => onMessage(socket, data)));
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe("a client connection", () => {
  it("answers each request through its callback, in whatever order the answers come", async () => {
    const { endpoint } = await startApi();
    const { connection } = await open(endpoint);
    const answers: unknown[] = [];
    connection.write(PUT, (outcome) => answers.push(outcome));
    connection.read({ type: "get", key: Uint8Array.of(1) }, "linearizable", (outcome) => answers.push(outcome));
    connection.status((outcome) => answers.push(outcome));
    expect(connection.outstanding).toBe(3);
    await eventually(() => answers.length === 3, "three answers");
    expect(answers).toMatchObject([{ type: "written", revision: 1 }, { type: "get", revision: 1 }, { member: "m1" }]);
    expect(connection.outstanding).toBe(0);
  });

  it("takes requests before it is open", async () => {
    const { endpoint } = await startApi();
    const connection = new ClientConnection(endpointUrl(endpoint));
    const answered = new Promise((resolve) => void connection.write(PUT, resolve));
    expect(connection.isOpen).toBe(false);
    expect(await answered).toEqual({ type: "written", revision: 1 });
    connection.retire();
  });

  it("sends what one turn asks for in one message", async () => {
    const sizes: number[] = [];
    const endpoint = await strangeServer((_socket, data) => void sizes.push(data.length));
    const { connection } = await open(endpoint);
    for (let index = 0; index < 100; index++) connection.write(PUT, () => {});
    await eventually(() => sizes.length > 0, "a message");
    expect(sizes).toEqual([100 * (PUT.length + 9)]);
  });

  it("refuses requests beyond its bound as busy", async () => {
    const endpoint = await strangeServer(() => {});
    const { connection } = await open(endpoint);
    const refused: unknown[] = [];
    for (let index = 0; index < MAX_OUTSTANDING; index++) connection.write(PUT, () => {});
    connection.write(PUT, (outcome) => refused.push(outcome));
    expect(refused).toMatchObject([{ code: "SYNOD_ERR_BUSY" }]);
  });

  it("when lost, tells writes that were sent from those that were not, and from reads", async () => {
    const endpoint = await strangeServer((socket) => socket.terminate());
    const { connection, closed } = await open(endpoint);
    const codes: string[] = [];
    const note = (outcome: unknown): void => void codes.push((outcome as SynodError).code);
    connection.write(PUT, note);
    connection.read({ type: "get", key: Uint8Array.of(1) }, "local", note);
    await closed;
    expect(codes).toEqual(["SYNOD_ERR_OUTCOME_UNKNOWN", "SYNOD_ERR_UNREACHABLE"]);
    connection.write(PUT, note);
    expect(codes[2]).toBe("SYNOD_ERR_UNREACHABLE");
  });

  it("that never opened says that nothing was executed", async () => {
    const endpoint = await strangeServer(() => {});
    const port = Number(endpoint.split(":")[1]);
    const outcome = await new Promise((resolve) => {
      // Port 1 of the loopback refuses; the strange server only shows that the endpoint's form is not the reason.
      expect(port).toBeGreaterThan(1);
      new ClientConnection(endpointUrl("127.0.0.1:1")).write(PUT, resolve);
    });
    expect(outcome).toMatchObject({ code: "SYNOD_ERR_UNREACHABLE" });
  });

  it.each([
    ["no reply", Buffer.from([99, 1, 0, 0, 0])],
    ["cut off", Buffer.from([1, 1, 0, 0])],
    ["to a request that was never made", Buffer.from([1, 77, 0, 0, 0, 4])],
    ["of another kind than was asked for", Buffer.from([4, 1, 0, 0, 0, 2, 0, 0, 0, 0x7b, 0x7d])],
  ])("is ended by a reply that cannot be read: %s", async (_what, bytes) => {
    const endpoint = await strangeServer((socket) => socket.send(bytes));
    const { connection, closed } = await open(endpoint);
    const outcome = new Promise((resolve) => void connection.write(PUT, resolve));
    expect(await closed).toContain("cannot be read");
    expect(await outcome).toMatchObject({ code: "SYNOD_ERR_OUTCOME_UNKNOWN" });
  });

  it("finds by probing that the other side has gone silent, but not that it is slow", async () => {
    const sockets: WebSocket[] = [];
    const endpoint = await strangeServer((socket) => void sockets.push(socket));
    const { connection, closed } = await open(endpoint);
    connection.write(PUT, () => {});
    await eventually(() => sockets.length === 1, "the request arrives");
    let pings = 0;
    sockets[0]?.on("ping", () => (pings += 1));
    for (let round = 1; round <= 3; round++) {
      connection.probe();
      await eventually(() => pings === round, "a ping");
      const pong = once(sockets[0] as WebSocket, "ping");
      sockets[0]?.ping();
      await Promise.race([pong, once(sockets[0] as WebSocket, "pong")]);
    }
    expect(connection.isOpen).toBe(true);
    sockets[0]?.pause();
    connection.probe();
    connection.probe();
    expect(await closed).toContain("silent");
  });

  it("closes behind its last answer when retired", async () => {
    const { endpoint, service } = await startApi();
    service.holding = true;
    const { connection, closed } = await open(endpoint);
    const outcome = new Promise((resolve) => void connection.write(PUT, resolve));
    await eventually(() => service.heldCount === 1, "the request arrives");
    connection.retire();
    service.release();
    expect(await outcome).toEqual({ type: "written", revision: 1 });
    await closed;
  });
});

describe("an endpoint", () => {
  it.each([
    ["127.0.0.1:7001", "ws://127.0.0.1:7001/v1/client"],
    ["localhost", "ws://localhost/v1/client"],
    ["[::1]:7001", "ws://[::1]:7001/v1/client"],
    ["http://a:1", "ws://a:1/v1/client"],
    ["https://a:1/", "wss://a:1/v1/client"],
  ])("%s leads to %s", (endpoint, url) => expect(endpointUrl(endpoint)).toBe(url));

  it.each(["", "a:b", "ftp://a", "http://a/path", "a:1?x", "a b"])("%j is refused", (endpoint) => {
    expect(() => endpointUrl(endpoint)).toThrow(SynodError);
  });
});
