import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { SynodError } from "../errors/synod-error.ts";

/** Ports below this one are left to well-known services; `fetch` refuses some of them (10,080 is the highest such). */
const LOWEST_PORT = 11_000;
const DEFAULT_EPHEMERAL_START = 32_768;
const MAX_ATTEMPTS = 200;

/**
 * Ports on `host` that were free a moment ago, one for each of `wanted`: the wanted port itself where it is still free, otherwise
 * (or where it is null) another. They lie below the range from which the kernel draws the ports of outgoing connections, so
 * that no client's connection can take the port of a node that is down for a while.
 *
 * Throws `SYNOD_ERR_INTERNAL` when no free port is found.
 */
export async function findPorts(host: string, wanted: readonly (number | null)[]): Promise<number[]> {
  const held: Server[] = [];
  try {
    const ports: number[] = [];
    for (const port of wanted) {
      const server = (port === null ? null : await tryListen(host, port)) ?? (await listenAnywhere(host));
      held.push(server);
      ports.push(portOf(server));
    }
    return ports;
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
}

async function listenAnywhere(host: string): Promise<Server> {
  const end = await ephemeralStart();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const server = await tryListen(host, LOWEST_PORT + Math.floor(Math.random() * (end - LOWEST_PORT)));
    if (server !== null) return server;
  }
  throw new SynodError("SYNOD_ERR_INTERNAL", `No free port was found on ${host}.`);
}

/** A server that listens on the port, or null when the port is taken. */
function tryListen(host: string, port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function ephemeralStart(): Promise<number> {
  const text = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "");
  const start = Number.parseInt(text, 10);
  return Number.isInteger(start) && start > LOWEST_PORT + 1_000 ? start : DEFAULT_EPHEMERAL_START;
}
