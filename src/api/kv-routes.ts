import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { SynodError } from "../errors/synod-error.ts";
import { encodeCommand, type RetryToken, validateCommand } from "../state/commands.ts";
import { keyToText } from "../state/key.ts";
import { MAX_IDEMPOTENCY_KEY_BYTES } from "../state/limits.ts";
import { readValueBody } from "./body.ts";
import { sendError } from "./http-errors.ts";
import { boundRange, checkQuery } from "./range-bounds.ts";
import { badRequest, keyOfUrl, QueryParameters } from "./request-fields.ts";
import type { KeyRecord, Query, RangeItem, RangeResult, ReadResult, Service, WriteOutcome } from "./service.ts";

const PATH = "/v1/kv";
const KEY_PREFIX = `${PATH}/`;
const DEFAULT_LIMIT = 100;
const NO_BYTES = new Uint8Array(0);
const HEADER_TEXT = /^[\x20-\x7e]+$/;

/** PUT, GET and DELETE of keys, and the listing. */
export function addKvRoutes(app: FastifyInstance, service: Service): void {
  takeAnyBody(app);
  app.put(`${KEY_PREFIX}*`, (request, reply) => write(service, reply, putCommand(request)));
  app.delete(`${KEY_PREFIX}*`, (request, reply) => write(service, reply, deleteCommand(request)));
  app.get(`${KEY_PREFIX}*`, { exposeHeadRoute: true }, (request, reply) => {
    const parameters = new QueryParameters(urlOf(request), ["consistency"]);
    read(service, reply, { type: "get", key: keyOfUrl(urlOf(request), KEY_PREFIX) }, parameters);
  });
  app.get(PATH, { exposeHeadRoute: true }, (request, reply) => {
    const parameters = new QueryParameters(urlOf(request), ["prefix", "limit", "after", "cursor", "consistency"]);
    read(service, reply, rangeQuery(parameters), parameters);
  });
}

/** A value is whatever bytes the body has; its content type, which may be anything or absent, is not looked at. */
function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => readValueBody(payload, done));
  app.addHook("onRequest", (request, _reply, done) => {
    delete request.raw.headers["content-type"];
    done();
  });
}

function putCommand(request: FastifyRequest): Uint8Array {
  const { key, prevRevision, retry } = writeFields(request);
  return encodeCommand({ type: "put", key, value: (request.body as Buffer | undefined) ?? NO_BYTES, prevRevision, retry });
}

function deleteCommand(request: FastifyRequest): Uint8Array {
  return encodeCommand({ type: "delete", ...writeFields(request) });
}

function writeFields(request: FastifyRequest): { key: Uint8Array; prevRevision: number | null; retry: RetryToken } {
  const parameters = new QueryParameters(urlOf(request), ["prevRevision"]);
  const key = keyOfUrl(urlOf(request), KEY_PREFIX);
  return { key, prevRevision: parameters.integer("prevRevision") ?? null, retry: retryToken(request) };
}

/** The header, which may be there once: Node joins repeated ones, which would be a key that nobody sent. */
function retryToken(request: FastifyRequest): RetryToken {
  const [key, second] = request.raw.headersDistinct["idempotency-key"] ?? [];
  if (second !== undefined) throw badRequest("Idempotency-Key appears twice.");
  if (key === undefined) return { kind: "none" };
  if (key.length > MAX_IDEMPOTENCY_KEY_BYTES || !HEADER_TEXT.test(key)) {
    throw badRequest(`Idempotency-Key must be 1 to ${MAX_IDEMPOTENCY_KEY_BYTES} printable ASCII characters.`);
  }
  return { kind: "key", key };
}

function write(service: Service, reply: FastifyReply, command: Uint8Array): void {
  validateCommand(command);
  service.write(command, (outcome) => {
    if (!reply.raw.destroyed) answerWrite(reply, outcome);
  });
}

function answerWrite(reply: FastifyReply, outcome: WriteOutcome): void {
  if (outcome instanceof SynodError) return sendError(reply, outcome);
  switch (outcome.type) {
    case "written":
      return void reply.send({ revision: outcome.revision });
    case "deleted":
      return void reply.send({ revision: outcome.revision, deleted: outcome.deleted });
    case "refused":
      return sendError(reply, refusal(outcome.code, outcome.revision));
    default:
      return sendError(reply, new SynodError("SYNOD_ERR_INTERNAL"));
  }
}

function refusal(code: SynodError["code"], revision: number): SynodError {
  return code === "SYNOD_ERR_PRECONDITION" ? new SynodError(code, undefined, { revision }) : new SynodError(code);
}

function rangeQuery(parameters: QueryParameters): Query {
  const prefix = parameters.bytes("prefix") ?? NO_BYTES;
  const limit = parameters.integer("limit") ?? DEFAULT_LIMIT;
  const after = parameters.cursor("cursor") ?? parameters.bytes("after");
  return after === undefined ? { type: "range", prefix, limit } : { type: "range", prefix, limit, after };
}

function read(service: Service, reply: FastifyReply, query: Query, parameters: QueryParameters): void {
  checkQuery(query);
  service.read(query, parameters.consistency(), (outcome) => {
    if (!reply.raw.destroyed) answerRead(reply, outcome);
  });
}

function answerRead(reply: FastifyReply, outcome: ReadResult | SynodError): void {
  if (outcome instanceof SynodError) return sendError(reply, outcome);
  if (outcome.type === "range") return void reply.send(rangeDocument(boundRange(outcome) as RangeResult));
  if (outcome.record === null) {
    return sendError(reply, new SynodError("SYNOD_ERR_NOT_FOUND", undefined, { revision: outcome.revision }));
  }
  sendRecord(reply, outcome.record);
}

function sendRecord(reply: FastifyReply, { value, modRevision, createRevision, version }: KeyRecord): void {
  void reply
    .headers({
      "content-type": "application/octet-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "synod-revision": modRevision,
      "synod-create-revision": createRevision,
      "synod-version": version,
    })
    .send(Buffer.from(value.buffer, value.byteOffset, value.length));
}

/** `cursor`, when there is more, is what to send back as `cursor`: the last key, in letters that no URL encoding touches. */
function rangeDocument({ revision, items, more }: RangeResult): object {
  const last = items.at(-1);
  const document = { revision, items: items.map(itemDocument), more };
  return more && last !== undefined ? { ...document, cursor: Buffer.from(last.key).toString("base64url") } : document;
}

/** Values are base64 always; so are the rare keys that are not UTF-8, under another name. */
function itemDocument({ key, value, createRevision, modRevision, version }: RangeItem): object {
  const text = keyToText(key);
  const name = text === null ? { keyBase64: base64(key) } : { key: text };
  return { ...name, value: base64(value), createRevision, modRevision, version };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

function urlOf(request: FastifyRequest): string {
  return request.raw.url as string;
}
