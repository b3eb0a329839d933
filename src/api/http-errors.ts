import type { Duplex } from "node:stream";
import type { FastifyError, FastifyReply } from "fastify";
import { SynodError } from "../errors/synod-error.ts";

/** Answers with an error of the table: its status, and its body as JSON. */
export function sendError(reply: FastifyReply, error: SynodError): void {
  const busy = error.code === "SYNOD_ERR_BUSY";
  if (busy) void reply.header("retry-after", "1");
  void reply.code(error.kind.status).type("application/json; charset=utf-8").send(JSON.stringify(error.toBody()));
}

/** The table's error for whatever was thrown, fastify's own errors included. Null stands for a fault of ours, to be logged. */
export function toSynodError(error: unknown): SynodError | null {
  if (error instanceof SynodError) return error;
  if (!(error instanceof Error)) return null;
  const { statusCode, code, message } = error as FastifyError;
  if (statusCode === undefined || statusCode >= 500) return null;
  if (code === "FST_ERR_BAD_URL") return new SynodError("SYNOD_ERR_BAD_REQUEST", "The path is not valid percent-encoded UTF-8.");
  if (statusCode === 413) return new SynodError("SYNOD_ERR_BAD_REQUEST", "The document is too large.");
  return new SynodError("SYNOD_ERR_BAD_REQUEST", message);
}

/** Answers on a socket that no response object belongs to, and ends it. */
export function refuseSocket(socket: Duplex, error: SynodError): void {
  socket.end(rawErrorResponse(error), () => socket.destroy());
}

function rawErrorResponse(error: SynodError): string {
  const body = JSON.stringify(error.toBody());
  const { status } = error.kind;
  return (
    `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\nContent-Type: application/json; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  );
}

const REASONS: Readonly<Record<number, string>> = { 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable" };
