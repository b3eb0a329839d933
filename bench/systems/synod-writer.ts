import { ClientConnection } from "../../src/client/connection.ts";
import { endpointUrl } from "../../src/client/endpoint.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { encodeCommand } from "../../src/state/commands.ts";
import type { Writer } from "./system.ts";

const encoder = new TextEncoder();

/** Writes over one connection to one member. */
export class SynodWriter implements Writer {
  readonly #connection: ClientConnection;
  readonly #key: Uint8Array;

  static open(url: string, member: string): Promise<SynodWriter> {
    return new Promise((resolve, reject) => {
      const connection = new ClientConnection(endpointUrl(url), {
        onOpen: () => resolve(new SynodWriter(connection, member)),
        onClose: (reason) => reject(new Error(reason)),
      });
    });
  }

  constructor(connection: ClientConnection, member: string) {
    this.#connection = connection;
    this.#key = encoder.encode(`gap-${member}`);
  }

  write(value: string): Promise<boolean> {
    const command = encodeCommand({
      type: "put", key: this.#key, value: encoder.encode(value), prevRevision: null, retry: { kind: "none" },
    });
    return new Promise((resolve) => {
      this.#connection.write(command, (outcome) => resolve(!(outcome instanceof SynodError)));
    });
  }

  close(): void {
    this.#connection.cut("done");
  }
}
