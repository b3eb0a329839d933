import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SynodError } from "../errors/synod-error.ts";

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  /** Null: ready. Else what is missing. */
  readonly notReady: () => string | null;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `/healthz` (the event loop turns), `/readyz` and `/metrics`. Throws `SYNOD_ERR_BAD_REQUEST` when it cannot listen there. */
export async function serveHealth({ host, port, notReady, metrics }: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?", 1)[0];
    if (path === "/healthz") return answer(response, 200, { live: true });
    if (path === "/readyz") {
      const reason = notReady();
      return answer(response, reason === null ? 200 : 503, { ready: reason === null, reason: reason ?? "ready" });
    }
    if (path !== "/metrics") return answer(response, 404, new SynodError("SYNOD_ERR_NO_ROUTE").toBody());
    metrics().then(({ contentType, text }) => response.writeHead(200, { "content-type": contentType }).end(text))
      .catch(() => answer(response, 500, new SynodError("SYNOD_ERR_INTERNAL").toBody()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new SynodError("SYNOD_ERR_BAD_REQUEST", `Cannot listen at ${host}:${port}: ${error.message}`)));
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
