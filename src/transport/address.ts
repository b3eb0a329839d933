import { isIPv6 } from "node:net";

const MAX_PORT = 65_535;

/** Path on which members take each other's links. */
export const PEER_PATH = "/v1/peer";

/**
 * The URL at which the member at `address` takes links; null if the address has not the form host:port.
 * The host is a name, an IPv4 address, or an IPv6 address with or without brackets (the last colon separates the port).
 */
export function peerUrl(address: string): URL | null {
  const colon = address.lastIndexOf(":");
  if (colon <= 0) return null;
  const port = address.slice(colon + 1);
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > MAX_PORT) return null;
  const host = urlHost(address.slice(0, colon));
  if (host === null) return null;
  const text = `ws://${host}:${port}${PEER_PATH}`;
  return URL.canParse(text) ? new URL(text) : null;
}

function urlHost(host: string): string | null {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (isIPv6(bare)) return `[${bare}]`;
  return /^[A-Za-z0-9._-]+$/.test(host) ? host : null;
}
