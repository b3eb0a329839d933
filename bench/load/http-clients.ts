import { connect, type Socket } from "node:net";
import { VALUE_BYTES } from "../rows.ts";
import type { LoadJob } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import { type KeyDraw, keyName, newValue, writeStamp } from "./payload.ts";
import type { LoadClient } from "./run.ts";

interface Response {
  readonly status: number;
  readonly body: Buffer;
}

/** HTTP/1.1 answers one request after the other on a connection, so each client has its own here. */
export async function openHttpClients(job: LoadJob, ledger: Ledger, keys: KeyDraw): Promise<{ clients: LoadClient[]; close(): void }> {
  const opening = Array.from({ length: job.clients }, (_, index) => HttpConnection.open(new URL(job.urls[index % job.urls.length] as string)));
  const connections = await Promise.all(opening);
  const clients = connections.map((connection) => (job.op === "put" ? new HttpWriter(connection, ledger, keys) : new HttpReader(connection)));
  return { clients, close: () => connections.forEach((connection) => connection.close()) };
}

/** As much of an HTTP client as a measurement needs: a general one costs more than the server it measures. */
class HttpConnection {
  readonly host: string;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #done: ((response: Response | null) => void) | null = null;

  static open(url: URL): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new HttpConnection(socket, url.host));
      });
    });
  }

  constructor(socket: Socket, host: string) {
    this.host = host;
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#answer(null));
  }

  /** `done` gets the response, or null when the connection was lost. */
  request(bytes: Buffer, done: (response: Response | null) => void): void {
    this.#done = done;
    if (this.#socket.writable) this.#socket.write(bytes);
    else process.nextTick(() => this.#answer(null));
  }

  close(): void {
    this.#socket.end();
  }

  #receive(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (this.#received.length < end) return;
    const body = this.#received.subarray(headEnd + 4, end);
    this.#received = this.#received.subarray(end);
    this.#answer({ status: Number(head.slice(9, 12)), body });
  }

  #answer(response: Response | null): void {
    const done = this.#done;
    this.#done = null;
    done?.(response);
  }
}

class HttpWriter implements LoadClient {
  readonly #connection: HttpConnection;
  readonly #ledger: Ledger;
  readonly #keys: KeyDraw;
  readonly #value = Buffer.from(newValue());

  constructor(connection: HttpConnection, ledger: Ledger, keys: KeyDraw) {
    this.#connection = connection;
    this.#ledger = ledger;
    this.#keys = keys;
  }

  start(done: (failure: string | null) => void): void {
    const key = this.#keys.next();
    const stamp = this.#ledger.nextStamp();
    writeStamp(this.#value, 0, stamp);
    const head = `PUT /v1/kv/${keyName(key)} HTTP/1.1\r\nhost: ${this.#connection.host}\r\ncontent-length: ${VALUE_BYTES}\r\n\r\n`;
    this.#connection.request(Buffer.concat([Buffer.from(head, "latin1"), this.#value]), (response) => {
      if (response?.status === 200) {
        this.#ledger.acknowledged(key, stamp, revisionOf(response.body));
        return done(null);
      }
      this.#ledger.unknown();
      done(response === null ? "the connection was lost" : response.body.toString());
    });
  }
}

function revisionOf(body: Buffer): number {
  return (JSON.parse(body.toString()) as { revision: number }).revision;
}

class HttpReader implements LoadClient {
  readonly #connection: HttpConnection;
  readonly #request: Buffer;

  constructor(connection: HttpConnection) {
    this.#connection = connection;
    this.#request = Buffer.from(`GET /v1/kv/${keyName(0)} HTTP/1.1\r\nhost: ${connection.host}\r\n\r\n`);
  }

  start(done: (failure: string | null) => void): void {
    this.#connection.request(this.#request, (response) => {
      const found = response?.status === 200 && response.body.length === VALUE_BYTES;
      done(found ? null : (response?.body.toString() ?? "the connection was lost"));
    });
  }
}
