import Fastify, { type FastifyInstance } from "fastify";
import { sendError, toSynodError } from "../api/http-errors.ts";
import { isCrossOrigin } from "../api/request-fields.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { LocalCluster, LocalNode } from "./local-cluster.ts";
import { isNodeAction, NODE_ACTIONS } from "./node-actions.ts";

/**
 * Serves the manager's HTTP on a free port of this machine only: `GET /nodes` lists the nodes, `POST /nodes` adds one to the
 * cluster and `POST /nodes/{name}/join` goes on with that, `DELETE /nodes/{name}` removes one, and `POST /nodes/{name}/{action}`
 * does something to a node's process. Each is answered once it is done. Resolves with what closes it.
 */
export async function serveManager(cluster: LocalCluster): Promise<() => Promise<void>> {
  const app = Fastify({ forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    sendError(reply, toSynodError(error) ?? new SynodError("SYNOD_ERR_INTERNAL", String(error)));
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, new SynodError("SYNOD_ERR_NO_ROUTE")));
  app.addHook("onRequest", async (request) => {
    if (!isCrossOrigin(request.headers)) return;
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", "Web pages of other origins may not use the manager.");
  });
  addRoutes(app, cluster);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  cluster.setManagerUrl(url);
  return () => app.close();
}

function addRoutes(app: FastifyInstance, cluster: LocalCluster): void {
  app.get("/nodes", async () => ({ nodes: cluster.list() }));
  app.post("/nodes", () => cluster.add());
  app.post<{ Params: { name: string } }>("/nodes/:name/join", ({ params }) => cluster.join(params.name));
  app.delete<{ Params: { name: string }; Querystring: { force?: string } }>("/nodes/:name", async ({ params, query }) =>
    ({ nodes: await cluster.remove(params.name, { force: query.force === "true" }) }));
  app.post<{ Params: { name: string; action: string } }>("/nodes/:name/:action", async (request): Promise<LocalNode> => {
    const { name, action } = request.params;
    if (!isNodeAction(action)) throw new SynodError("SYNOD_ERR_NO_ROUTE", `A node can ${NODE_ACTIONS.join(", ")}; not "${action}".`);
    return cluster[action](name);
  });
}
