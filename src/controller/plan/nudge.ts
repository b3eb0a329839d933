import { objectKey } from "../manifests/desired-objects.ts";
import { namesOf, NUDGED_ANNOTATION } from "../resource/names.ts";
import type { Action } from "./actions.ts";
import { ordinalsBelow, type Situation, unreadyMs } from "./situation.ts";
import { parseRfc3339, rfc3339 } from "./time.ts";

/** A pod is missed when members have not been ready for so long, and not before the StatefulSet has had so long since it was made or nudged. */
const MISSED_MS = 5_000;
const AGAIN_MS = 10_000;

/**
 * Kubernetes fails to make a pod while one of a former StatefulSet ends under its name, tries again after ever longer times, up to minutes, and is not told
 * when that pod is gone. A change of the StatefulSet has it look at once; this one changes nothing else.
 */
export function nudge({ observed, pods, name }: Situation): readonly Action[] {
  const { nowMs, statefulSet, objects } = observed;
  if (statefulSet === null || !statefulSet.settled || ordinalsBelow(statefulSet.replicas).every((ordinal) => pods.has(ordinal))) return [];
  const live = objects.get(objectKey({ kind: "StatefulSet", metadata: { name: namesOf(name).statefulSet } }));
  const touched = live?.metadata?.annotations?.[NUDGED_ANNOTATION] ?? (live?.metadata?.creationTimestamp as string | undefined);
  const touchedMs = touched === undefined ? null : parseRfc3339(touched);
  if (unreadyMs(observed) < MISSED_MS || touchedMs === null || nowMs - touchedMs < AGAIN_MS) return [];
  return [{ type: "nudgeStatefulSet", at: rfc3339(nowMs) }];
}
