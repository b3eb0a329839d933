import { sameQuantity } from "./quantity.ts";

/** Lists whose elements others may add to, by the field that tells elements apart, as server-side apply merges them. */
const KEYED_LISTS: Readonly<Record<string, string>> = {
  containers: "name", env: "name", volumes: "name", imagePullSecrets: "name", volumeMounts: "mountPath", ownerReferences: "uid",
};
/** Maps whose values are quantities, which the API server writes in a form of its own. */
const QUANTITY_MAPS = new Set(["requests", "limits"]);

/** One field that is not as desired. */
export interface Difference {
  /** Such as spec.template.spec.containers[synod].image. */
  readonly path: string;
  /** Undefined where there is no such field. */
  readonly live: unknown;
  readonly desired: unknown;
}

/**
 * Whether everything that is desired is so in the live object already. What the live object has beside it is the API server's or
 * another manager's. A list is one value, compared by position, except where server-side apply merges by a key. An empty object or
 * list is as good as none: the API server drops some of them.
 */
export function isSubset(desired: unknown, live: unknown): boolean {
  return differences(desired, live).next().done === true;
}

/** What is desired and not so in the live object, in the order of the desired one; none exactly where `isSubset` holds. */
export function differences(desired: unknown, live: unknown): Generator<Difference, void> {
  return compare(desired, live, "", "");
}

/** `field` is the name of the field that the value stands in, or of the list that it is an element of. */
function* compare(desired: unknown, live: unknown, field: string, path: string): Generator<Difference, void> {
  if (desired === undefined || desired === null) return;
  if (Array.isArray(desired)) yield* compareList(desired, live, field, path);
  else if (typeof desired === "object") yield* compareFields(desired, live, field, path);
  else if (desired !== live) yield { path, live, desired };
}

function* compareFields(desired: object, live: unknown, field: string, path: string): Generator<Difference, void> {
  const entries = Object.entries(desired).filter(([, value]) => value !== undefined && value !== null);
  if (!isRecord(live)) {
    if (entries.length > 0 || (live !== undefined && live !== null)) yield { path, live, desired };
    return;
  }
  for (const [name, value] of entries) {
    const inner = fieldPath(path, name);
    if (!QUANTITY_MAPS.has(field)) yield* compare(value, live[name], name, inner);
    else if (!sameQuantity(value, live[name])) yield { path: inner, live: live[name], desired: value };
  }
}

function* compareList(desired: readonly unknown[], live: unknown, field: string, path: string): Generator<Difference, void> {
  const key = KEYED_LISTS[field];
  if (!Array.isArray(live)) {
    if (desired.length > 0 || (live !== undefined && live !== null)) yield { path, live, desired };
  } else if (key !== undefined) {
    for (const element of desired) yield* compareElement(element, live, key, path);
  } else if (desired.length !== live.length) {
    yield { path, live, desired };
  } else {
    for (const [at, element] of desired.entries()) yield* compare(element, live[at], field, `${path}[${at}]`);
  }
}

/** With the element of that key; of several, one that fits. */
function* compareElement(element: unknown, live: readonly unknown[], key: string, path: string): Generator<Difference, void> {
  const value = isRecord(element) ? element[key] : undefined;
  const inner = `${path}[${String(value)}]`;
  const alike = isRecord(element) ? live.filter((other) => isRecord(other) && other[key] === value) : [];
  if (alike.length === 0) yield { path: inner, live: undefined, desired: element };
  else if (alike.every((other) => compare(element, other, "", inner).next().done !== true)) yield* compare(element, alike[0], "", inner);
}

/** Names with dots and slashes, as those of annotations, stand in brackets. */
export function fieldPath(path: string, name: string): string {
  if (!/^\w+$/.test(name)) return `${path}[${name}]`;
  return path === "" ? name : `${path}.${name}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
