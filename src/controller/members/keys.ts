import { createHash, createHmac } from "node:crypto";

/** The keys of one cluster, 64 hex digits each, as its Secret has them. */
export interface ClusterKeys {
  readonly current: string;
  readonly previous: string | null;
}

const FINGERPRINT_DIGITS = 16;

/** By this a key can be named in public. */
export function fingerprintOf(key: string): string {
  return createHash("sha256").update("synod key fingerprint").update(Buffer.from(key, "hex")).digest("hex").slice(0, FINGERPRINT_DIGITS);
}

/** The `Authorization` headers to try, in this order: a member may not have read the newest key yet. */
export function authorizations(keys: ClusterKeys | null): readonly string[] {
  if (keys === null) return [];
  const all = keys.previous === null ? [keys.current] : [keys.current, keys.previous];
  return all.map((key) => `Bearer ${createHmac("sha256", Buffer.from(key, "hex")).update("synod membership").digest("hex")}`);
}
