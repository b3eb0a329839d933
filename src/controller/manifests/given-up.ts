import type { KubernetesObject } from "@kubernetes/client-node";
import { MANAGER } from "./labels.ts";
import { fieldPath } from "./subset.ts";

/** What is owned, as metadata.managedFields has it: "f:name" is a field, "k:{…}" an element of a list by its key, "v:…" one by its value, "." the thing itself. */
type Owned = Readonly<Record<string, unknown>>;

/**
 * The paths of the fields that the controller set in the live object and that are desired no more: applying the desired one removes them.
 * Nothing in the live object's values tells them from what others added.
 */
export function* givenUp(desired: KubernetesObject, live: KubernetesObject): Generator<string, void> {
  for (const { manager, operation, subresource, fieldsV1 } of live.metadata?.managedFields ?? []) {
    if (manager === MANAGER && operation === "Apply" && subresource === undefined) yield* missing(fieldsV1 as Owned, desired, "");
  }
}

function* missing(owned: Owned, desired: unknown, path: string): Generator<string, void> {
  for (const [key, inner] of Object.entries(owned)) {
    const found = find(key, desired, path);
    if (found === null) continue;
    if (found.value === undefined) yield found.path;
    else yield* missing(inner as Owned, found.value, found.path);
  }
}

/** What a key of the owned fields stands for in the desired object; null for what names nothing of its own. */
function find(key: string, desired: unknown, path: string): { readonly path: string; readonly value: unknown } | null {
  const name = key.slice(2);
  if (key.startsWith("f:")) return { path: fieldPath(path, name), value: (desired as Readonly<Record<string, unknown>> | null)?.[name] };
  if (!key.startsWith("k:")) return null;
  const wanted = Object.entries(JSON.parse(name) as Readonly<Record<string, unknown>>);
  // A key that is left out has the default that is owned.
  const elements = Array.isArray(desired) ? (desired as readonly Readonly<Record<string, unknown>>[]) : [];
  const value = elements.find((element) => wanted.every(([field, is]) => (element[field] ?? is) === is));
  return { path: `${path}[${wanted.map(([, is]) => String(is)).join(",")}]`, value };
}
