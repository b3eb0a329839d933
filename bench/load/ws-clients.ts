import { ClientConnection } from "../../src/client/connection.ts";
import { endpointUrl } from "../../src/client/endpoint.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import type { LoadJob } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import { KEY_BYTES, type KeyDraw, keyName, newValue, writeKey, writeStamp } from "./payload.ts";
import type { LoadClient } from "./run.ts";
import { VALUE_BYTES } from "../rows.ts";

const READ_KEY = { type: "get", key: new TextEncoder().encode(keyName(0)) } as const;

/** Opens the job's connections, in synod's own client protocol, and shares them out among its clients. */
export async function openWsClients(job: LoadJob, ledger: Ledger, keys: KeyDraw): Promise<{ clients: LoadClient[]; close(): void }> {
  const opening = Array.from({ length: job.connections }, (_, index) => open(job.urls[index % job.urls.length] as string));
  const connections = await Promise.all(opening);
  const clients = Array.from({ length: job.clients }, (_, index) => {
    const connection = connections[index % connections.length] as ClientConnection;
    return job.op === "put" ? new WsWriter(connection, ledger, keys) : new WsReader(connection);
  });
  return { clients, close: () => connections.forEach((connection) => connection.retire()) };
}

function open(url: string): Promise<ClientConnection> {
  return new Promise((resolve, reject) => {
    const connection = new ClientConnection(endpointUrl(url), {
      onOpen: () => resolve(connection),
      onClose: (reason) => reject(new Error(reason)),
    });
  });
}

/** Writes one command's bytes over and over, with another key and stamp each time: the connection copies them. */
class WsWriter implements LoadClient {
  readonly #connection: ClientConnection;
  readonly #ledger: Ledger;
  readonly #keys: KeyDraw;
  readonly #command: Uint8Array;

  constructor(connection: ClientConnection, ledger: Ledger, keys: KeyDraw) {
    this.#connection = connection;
    this.#ledger = ledger;
    this.#keys = keys;
    const key = new TextEncoder().encode(keyName(0));
    this.#command = encodeCommand({ type: "put", key, value: newValue(), prevRevision: null, retry: { kind: "none" } });
  }

  start(done: (failure: string | null) => void): void {
    const key = this.#keys.next();
    const stamp = this.#ledger.nextStamp();
    const valueAt = this.#command.length - VALUE_BYTES;
    writeKey(this.#command, valueAt - KEY_BYTES, key);
    writeStamp(this.#command, valueAt, stamp);
    this.#connection.write(this.#command, (outcome) => {
      if (outcome instanceof SynodError) {
        if (outcome.kind.outcomeUnknown) this.#ledger.unknown();
        return done(outcome.message);
      }
      if (outcome.type !== "written") return done(`answered with ${outcome.type}`);
      this.#ledger.acknowledged(key, stamp, outcome.revision);
      done(null);
    });
  }
}

class WsReader implements LoadClient {
  readonly #connection: ClientConnection;

  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  start(done: (failure: string | null) => void): void {
    this.#connection.read(READ_KEY, "linearizable", (outcome) => {
      if (outcome instanceof SynodError) return done(outcome.message);
      const found = outcome.type === "get" && outcome.record?.value.length === VALUE_BYTES;
      done(found ? null : "the key was not found");
    });
  }
}
