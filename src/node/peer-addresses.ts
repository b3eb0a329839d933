import { readFile } from "node:fs/promises";
import type { MemberInfo } from "../paxos/configuration.ts";

/**
 * Where peers are: a file that maps names to host:port says so, and is read again on every dial, as addresses may change
 * while incarnations do not. Without a file, or for a name that is not in it, the configuration's address is the hint.
 */
export function peerAddresses(peersFile: string | undefined): (peer: MemberInfo) => Promise<string | null> {
  return async (peer) => {
    if (peersFile === undefined) return peer.address;
    const addresses: unknown = JSON.parse(await readFile(peersFile, "utf8"));
    const known = typeof addresses === "object" && addresses !== null ? (addresses as Record<string, unknown>)[peer.name] : undefined;
    return typeof known === "string" ? known : peer.address;
  };
}
