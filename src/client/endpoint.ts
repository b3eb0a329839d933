import { SynodError } from "../errors/synod-error.ts";
import { CLIENT_PATH } from "./protocol.ts";

/** The WebSocket URL of an endpoint given as `host:port`, `[address]:port`, or an http, https, ws or wss URL without a path. */
export function endpointUrl(endpoint: string): string {
  const text = endpoint.includes("://") ? endpoint : `ws://${endpoint}`;
  if (!URL.canParse(text)) throw notAnEndpoint(endpoint);
  const url = new URL(text);
  const secure = url.protocol === "https:" || url.protocol === "wss:";
  if (!secure && url.protocol !== "http:" && url.protocol !== "ws:") throw notAnEndpoint(endpoint);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.hostname === "") throw notAnEndpoint(endpoint);
  return `${secure ? "wss" : "ws"}://${url.host}${CLIENT_PATH}`;
}

function notAnEndpoint(endpoint: string): SynodError {
  return new SynodError("SYNOD_ERR_BAD_REQUEST", `Not an endpoint such as "127.0.0.1:7001": ${JSON.stringify(endpoint)}.`);
}
