import type { FastifyInstance, onRequestHookHandler } from "fastify";
import { type Incarnation, isIncarnation } from "../paxos/ids.ts";
import { badRequest, MAX_ADDRESS_LENGTH, QueryParameters, refuseParameters } from "./request-fields.ts";
import type { ChangePlan, Service } from "./service.ts";

const MAX_BODY_BYTES = 4 * 1024;
const ADDRESS_PATTERN = /^(?:\[[0-9A-Fa-f:.%]+\]|[^\s:/?#@[\]]+):(\d{1,5})$/;
const MAX_PORT = 65_535;

/** The routes that show the members and change who they are. Each change is answered when it is done (rule 16a). */
export function addMembershipRoutes(app: FastifyInstance, { membership }: Service, guard: onRequestHookHandler): void {
  app.get("/v1/members", { exposeHeadRoute: true }, (request) => {
    refuseParameters(request.raw.url);
    return membership.members();
  });

  app.post("/v1/members", { bodyLimit: MAX_BODY_BYTES, onRequest: guard }, (request) => {
    const body = readBody(request.body, ["address", "id", "configuration", "force"]);
    return membership.add(readNewcomer(body), readPlan(body));
  });

  app.post<{ Params: { id: string } }>("/v1/members/:id/promote", { bodyLimit: MAX_BODY_BYTES, onRequest: guard }, (request) => {
    const body = readBody(request.body, ["replaces", "configuration", "force"]);
    const { replaces } = body;
    if (replaces !== undefined && typeof replaces !== "string") throw badRequest("replaces must be a member's id or name.");
    return membership.promote(readId(request.params.id), { ...readPlan(body), ...(replaces === undefined ? {} : { replaces }) });
  });

  app.delete<{ Params: { id: string } }>("/v1/members/:id", { onRequest: guard }, (request) => {
    const query = new QueryParameters(request.raw.url ?? "", ["configuration", "force"]);
    const plannedFrom = query.integer("configuration");
    const force = readForce(query.text("force"));
    // Else a condition in a body would be taken no notice of.
    if (request.body !== undefined && request.body !== null) throw badRequest("DELETE takes configuration and force as parameters, and no body.");
    return membership.remove(readId(request.params.id), { force, ...(plannedFrom === undefined ? {} : { plannedFrom }) });
  });

  app.post<{ Params: { id: string } }>("/v1/members/:id/transfer-leadership", { bodyLimit: MAX_BODY_BYTES, onRequest: guard }, (request) => {
    readBody(request.body, []);
    return membership.transferLeadership(readId(request.params.id));
  });
}

/** A member's id or name. */
function readId(text: string): string {
  if (text === "") throw badRequest("The path must name a member by its id or name.");
  return text;
}

type Body = Readonly<Record<string, unknown>>;

/** A misspelt field must not turn a guarded change into a plain one. */
function readBody(body: unknown, allowed: readonly string[]): Body {
  if (body === undefined || body === null) return {};
  if (typeof body !== "object" || Array.isArray(body)) throw badRequest("The body must be a JSON object.");
  const unknown = Object.keys(body).find((field) => !allowed.includes(field));
  if (unknown !== undefined) {
    throw badRequest(`The field ${JSON.stringify(unknown.slice(0, 64))} is not known here; known: ${allowed.join(", ") || "none"}.`);
  }
  return body as Body;
}

function readPlan({ configuration, force = false }: Body): ChangePlan {
  if (typeof force !== "boolean") throw badRequest("force must be true or false.");
  if (configuration === undefined) return { force };
  if (typeof configuration !== "number" || !Number.isSafeInteger(configuration) || configuration < 0) {
    throw badRequest("configuration must be the number that GET /v1/members gave.");
  }
  return { force, plannedFrom: configuration };
}

function readForce(text: string | undefined): boolean {
  if (text !== undefined && text !== "true" && text !== "false") throw badRequest("force must be true or false.");
  return text === "true";
}

function readNewcomer({ address, id }: Body): { address: string; id?: Incarnation } {
  const port = typeof address === "string" && address.length <= MAX_ADDRESS_LENGTH ? Number(ADDRESS_PATTERN.exec(address)?.[1]) : 0;
  if (typeof address !== "string" || !(port >= 1 && port <= MAX_PORT)) {
    throw badRequest("address must be the new member's host:port.");
  }
  if (id === undefined) return { address };
  if (typeof id !== "string" || !isIncarnation(id)) throw badRequest("id must be 32 lowercase hex digits.");
  return { address, id };
}
