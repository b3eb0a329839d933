import { isIPv6 } from "node:net";
import type { Fetch } from "../founding/member-call.ts";
import type { NameLookup } from "../transport/name-lookup.ts";

/** Calls to other members, whose names are looked up as those of links are. */
export function fetchByName(names: NameLookup): Fetch {
  return async (url, init) => {
    const at = new URL(url);
    const [address = ""] = await names.find(at.hostname.replace(/^\[|\]$/g, ""));
    at.hostname = isIPv6(address) ? `[${address}]` : address;
    return fetch(at, init);
  };
}
