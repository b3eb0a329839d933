import type { onRequestHookHandler } from "fastify";
import { SynodError } from "../errors/synod-error.ts";

/** Whether a call with this `Authorization` header may change members and leadership. */
export type Authorizes = (authorization: string | undefined) => boolean;

/** Refuses, before a byte of the body is read, calls that are not authorized. Every route that changes members or leadership has it. */
export function makeGuard(authorizes: Authorizes): onRequestHookHandler {
  return (request, reply, done) => {
    if (authorizes(request.headers.authorization)) return done();
    void reply.header("www-authenticate", "Bearer");
    done(new SynodError("SYNOD_ERR_UNAUTHORIZED"));
  };
}
