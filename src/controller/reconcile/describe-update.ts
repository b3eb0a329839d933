import type { KubernetesObject } from "@kubernetes/client-node";
import { givenUp } from "../manifests/given-up.ts";
import { type Difference, differences } from "../manifests/subset.ts";
import { DESIRED_ANNOTATION } from "../resource/names.ts";

/** An Event is read by people and holds 1,000 characters: the first fields that fit in here are named, one at least. */
const MAX_CHARS = 700;
/** As long as a reference of an image with its digest. */
const MAX_VALUE_CHARS = 120;

/** What applying an object changes in the live one, such as "spec.replicas 3 → 5"; empty when nothing of it can be named. */
export function describeUpdate(desired: KubernetesObject, live: KubernetesObject): string {
  const changed = [...differences(desired, live)].filter(({ path }) => !path.includes(DESIRED_ANNOTATION)).map(inWords);
  const removed = [...givenUp(desired, live)].map((path) => `${path} removed`);
  return listed([...changed, ...removed]);
}

function listed([first = "", ...others]: readonly string[]): string {
  let text = first;
  for (const [at, part] of others.entries()) {
    if (text.length + part.length > MAX_CHARS) return `${text}, ${others.length - at} more`;
    text += `, ${part}`;
  }
  return text;
}

function inWords({ path, live, desired }: Difference): string {
  const [before, after] = [valueText(live), valueText(desired)];
  if (live === undefined || live === null) return after === null ? `${path} added` : `${path} ${after}`;
  return before === null || after === null ? path : `${path} ${before} → ${after}`;
}

/** Null for what is no plain value. */
function valueText(value: unknown): string | null {
  if (typeof value === "object" || value === undefined) return null;
  const text = String(value);
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS - 1)}…` : text;
}
