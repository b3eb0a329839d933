import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type Api, type ApiOptions, createApi } from "../../src/api/server.ts";
import type { ErrorBody } from "../../src/errors/synod-error.ts";
import { FakeService } from "./fake-service.ts";

export interface Running {
  readonly service: FakeService;
  readonly api: Api;
  readonly port: number;
  readonly url: string;
  readonly endpoint: string;
}

/** An API over a fake service on a free port, closed when the test ends. */
export async function startApi(options: ApiOptions = {}, service = new FakeService(), port = 0): Promise<Running> {
  const api = createApi(service, { closeGraceMs: 200, ...options });
  const bound = await api.listen({ host: "127.0.0.1", port });
  onTestFinished(() => api.close());
  return { service, api, port: bound.port, url: `http://127.0.0.1:${bound.port}`, endpoint: `127.0.0.1:${bound.port}` };
}

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

export async function json(response: Promise<Response>): Promise<JsonAnswer> {
  const answered = await response;
  return { status: answered.status, body: await answered.json() };
}

export async function errorOf(response: Promise<Response>): Promise<{ status: number; body: ErrorBody }> {
  const answer = await json(response);
  return { status: answer.status, body: answer.body as ErrorBody };
}

/** Sends bytes as they are and gives back all that comes until the server ends the connection. */
export async function rawExchange(port: number, ...parts: (string | Uint8Array)[]): Promise<string> {
  const socket = await rawSocket(port);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  for (const part of parts) socket.write(part);
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Waits, by turns of the event loop, for something that real sockets bring about. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`did not come about: ${what}`);
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}

/** Sockets that the server holds, upgraded ones included. */
export function connectionCount(api: Api): Promise<number> {
  return new Promise((resolve, reject) => {
    api.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
