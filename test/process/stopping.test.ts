import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { CLIENT_PATH } from "../../src/client/protocol.ts";
import { withCluster } from "./cluster.ts";
import { underLoad } from "./load-run.ts";

const STOP_MS = 3_000;

/** An open connection; `closed` resolves when either side has closed it. */
interface Open {
  readonly closed: Promise<unknown>;
}

async function openSocket(url: string, bytes: string): Promise<Open> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const closed = once(socket.on("error", () => {}).resume(), "close");
  await once(socket, "connect");
  if (bytes !== "") socket.write(bytes);
  return { closed };
}

/** A connection whose request has been answered, and which waits for the next one. */
async function openKeepAlive(url: string, agent: Agent): Promise<Open> {
  const sent = request(`${url}/v1/status`, { agent });
  sent.end();
  const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream];
  const socket = sent.socket as Socket;
  await once(response.resume(), "end");
  return { closed: new Promise((resolve) => socket.once("close", resolve)) };
}

async function openEvents(url: string): Promise<Open> {
  const sent = request(`${url}/v1/events`, { agent: false }).on("error", () => {});
  sent.end();
  const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream];
  const closed = new Promise((resolve) => sent.once("close", resolve));
  response.on("error", () => {}).resume();
  return { closed };
}

async function openWebSocket(url: string): Promise<Open> {
  const socket = new WebSocket(`${url.replace("http", "ws")}${CLIENT_PATH}`);
  const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  await once(socket, "open");
  return { closed };
}

/** Several connections of every kind, with nothing, half a request or an endless answer under way on them. */
function openEverything(url: string, agent: Agent): Promise<Open[]> {
  const kinds = [
    () => openSocket(url, ""),
    () => openSocket(url, "GET /v1/sta"),
    () => openSocket(url, "PUT /v1/kv/half HTTP/1.1\r\nhost: synod\r\ncontent-length: 100\r\n\r\nhalf"),
    () => openKeepAlive(url, agent),
    () => openEvents(url),
    () => openWebSocket(url),
  ];
  return Promise.all(kinds.flatMap((open) => [open(), open(), open()]));
}

async function refusesConnections(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}

const title = "a member with open connections of every kind stops within 3 s, leaves no port, and joins again on it";
it(title, () => withCluster({ nodes: 3, disk: "real" }, async (cluster) => {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  await underLoad(cluster, { name: "stop under open connections", seed: 1 }, async (load) => {
    for (const name of [(await cluster.leader()).name, ...cluster.names]) {
      const { url } = cluster.node(name);
      const open = await openEverything(url, agent);
      const began = performance.now();
      const { state } = await cluster.stop(name);
      const tookMs = performance.now() - began;
      expect(state).toBe("stopped");
      expect(tookMs).toBeLessThan(STOP_MS);
      await cluster.untilLogged(name, /"msg":"stopped"/);
      await Promise.all(open.map(({ closed }) => closed));
      expect(await refusesConnections(url)).toBe(true);
      await load.acknowledged(10);
      expect((await cluster.start(name)).url).toBe(url);
      await cluster.untilServing(name);
      await cluster.untilLinked(name);
    }
  });
  agent.destroy();
}));
