import { sameQuantity } from "./quantity.ts";

/** Lists whose elements others may add to, by the field that tells elements apart, as server-side apply merges them. */
const KEYED_LISTS: Readonly<Record<string, string>> = {
  containers: "name", env: "name", volumes: "name", imagePullSecrets: "name", volumeMounts: "mountPath", ownerReferences: "uid",
};
/** Maps whose values are quantities, which the API server writes in a form of its own. */
const QUANTITY_MAPS = new Set(["requests", "limits"]);

/**
 * Whether everything that is desired is so in the live object already. What the live object has beside it is the API server's or
 * another manager's. A list is one value, compared by position, except where server-side apply merges by a key. An empty object or
 * list is as good as none: the API server drops some of them.
 */
export function isSubset(desired: unknown, live: unknown): boolean {
  return contains(desired, live, "");
}

function contains(desired: unknown, live: unknown, field: string): boolean {
  if (desired === undefined || desired === null) return true;
  if (Array.isArray(desired)) return containsList(desired, live, field);
  if (typeof desired === "object") return containsFields(desired, live, field);
  return desired === live;
}

function containsFields(desired: object, live: unknown, field: string): boolean {
  const entries = Object.entries(desired);
  if (live === undefined || live === null) return entries.every(([, value]) => value === undefined || value === null);
  if (!isRecord(live)) return false;
  if (QUANTITY_MAPS.has(field)) return entries.every(([name, value]) => sameQuantity(value, live[name]));
  return entries.every(([name, value]) => contains(value, live[name], name));
}

function containsList(desired: readonly unknown[], live: unknown, field: string): boolean {
  if (live === undefined || live === null) return desired.length === 0;
  if (!Array.isArray(live)) return false;
  const key = KEYED_LISTS[field];
  if (key === undefined) return desired.length === live.length && desired.every((element, at) => contains(element, live[at], field));
  return desired.every((element) => live.some((other) => isRecord(element) && isRecord(other) && element[key] === other[key] && contains(element, other, "")));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
