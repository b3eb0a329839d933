import type { FastifyInstance, onRequestHookHandler } from "fastify";
import { ERRORS } from "../errors/table.ts";
import { readFoundingBody, readRenewalBody } from "./founding-body.ts";
import { badRequest, refuseParameters } from "./request-fields.ts";
import type { Service } from "./service.ts";

const MAX_DOCUMENT_BYTES = 64 * 1024;

/** The routes that tell of the member or change its place in the cluster: everything but keys and events. */
export function addMemberRoutes(app: FastifyInstance, service: Service, guard: onRequestHookHandler): void {
  app.get("/v1/status", { exposeHeadRoute: true }, (request, reply) => {
    refuseParameters(request.raw.url);
    void reply.send(service.status());
  });

  app.get("/v1/errors", (request, reply) => {
    refuseParameters(request.raw.url);
    void reply.send({ errors: Object.entries(ERRORS).map(([code, kind]) => ({ code, ...kind })) });
  });

  app.get("/v1/founding", (request, reply) => {
    refuseParameters(request.raw.url);
    void reply.send(service.identity());
  });

  app.post("/v1/founding", { bodyLimit: MAX_DOCUMENT_BYTES, onRequest: guard }, async (request) => {
    const { founding, incarnation } = readFoundingBody(request.body);
    await service.found(founding, incarnation);
    return service.identity();
  });

  app.post("/v1/renew", { bodyLimit: MAX_DOCUMENT_BYTES, onRequest: guard }, async (request) => {
    const { member, incarnation } = service.identity();
    await service.renew(readRenewalBody(request.body));
    return { member, renewed: incarnation };
  });

  app.post("/v1/leadership/transfer", { bodyLimit: MAX_DOCUMENT_BYTES, onRequest: guard }, async (request) => {
    await service.transferLeadership(readTarget(request.body));
    return { leader: service.status().leader };
  });

  addProbes(app, service);
}

function addProbes(app: FastifyInstance, service: Service): void {
  app.get("/healthz", { exposeHeadRoute: true }, (_request, reply) => {
    const { live, reason } = service.readiness();
    void reply.code(live ? 200 : 503).send({ live, reason });
  });

  app.get("/readyz", { exposeHeadRoute: true }, (_request, reply) => {
    const { ready, reason } = service.readiness();
    void reply.code(ready ? 200 : 503).send({ ready, reason });
  });

  app.get("/metrics", { exposeHeadRoute: true }, async (_request, reply) => {
    const { contentType, text } = await service.metrics();
    void reply.type(contentType);
    return text;
  });
}

/** Absent or `{}` leaves the choice to the leader. */
function readTarget(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  const { to } = body as { readonly to?: unknown };
  if (typeof body !== "object" || (to !== undefined && typeof to !== "string")) {
    throw badRequest('The body must be a JSON object whose "to", if any, is a member\'s name.');
  }
  return to;
}
