import { SynodError } from "../errors/synod-error.ts";
import type { KeyRing } from "./key-ring.ts";

/**
 * Makes a call with the newest key, and while it is refused as unauthorized, which changes nothing, with each older one: whoever is
 * called may not have read the newest yet. Without keys it is made once, without authorization.
 */
export async function authorized<T>(keys: KeyRing | null, call: (headers: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
  const [newest, ...older] = keys?.authorizations ?? [];
  if (newest === undefined) return call({});
  try {
    return await call({ authorization: newest });
  } catch (error) {
    return tryOlder(older, error, call);
  }
}

async function tryOlder<T>(
  [next, ...rest]: readonly string[], refusal: unknown, call: (headers: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const unauthorized = refusal instanceof SynodError && refusal.code === "SYNOD_ERR_UNAUTHORIZED";
  if (next === undefined || !unauthorized) throw refusal;
  try {
    return await call({ authorization: next });
  } catch (error) {
    return tryOlder(rest, error, call);
  }
}
