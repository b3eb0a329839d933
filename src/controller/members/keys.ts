import { fingerprint, parseKey } from "../../auth/key.ts";
import { KeyRing } from "../../auth/key-ring.ts";

/** The keys of one cluster, 64 hex digits each, as its Secret has them. */
export interface ClusterKeys {
  readonly current: string;
  readonly previous: string | null;
}

/** By this a key can be named in public. */
export function fingerprintOf(key: string): string {
  return fingerprint(parseKey(key, "the Secret"));
}

/** What calls to members are made with: the newest key first, as a member may not have read it yet. */
export function ringOf({ current, previous }: ClusterKeys): KeyRing {
  return new KeyRing([current, ...(previous === null ? [] : [previous])].map((key) => parseKey(key, "the Secret")));
}
