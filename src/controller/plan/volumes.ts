import { quantity } from "../manifests/quantity.ts";
import type { Action } from "./actions.ts";
import type { ObservedClaim } from "./observed.ts";
import { seatsOf, type Situation } from "./situation.ts";

/** Volumes: who they go with, how large they are, and those that nobody needs any more. */
export function planVolumes(situation: Situation): readonly Action[] {
  const { observed: { cluster: { spec: { storage } }, claims } } = situation;
  const owned = storage.whenDeleted === "Delete";
  const present = claims.filter(({ terminating }) => !terminating);
  return [
    ...present.filter((claim) => claim.owned !== owned).map(({ name }): Action => ({ type: "ownClaim", name, owned })),
    ...retired(situation),
    ...tooSmall(situation).map(({ name }): Action => ({ type: "resizeClaim", name, size: storage.size })),
  ];
}

/** Some volume is smaller than it is to be: it is about to grow, or its class does not allow it. */
export function isGrowing(situation: Situation): boolean {
  return tooSmall(situation).length > 0;
}

function tooSmall({ observed: { cluster, claims } }: Situation): readonly ObservedClaim[] {
  const size = quantity(cluster.spec.storage.size) ?? 0;
  return claims.filter((claim) => !claim.terminating && size > (quantity(claim.size) ?? Infinity));
}

/** Volumes of members that have left, where they are not to be kept: the change is done, and no pod uses them (rule 16a). */
function retired(situation: Situation): Action[] {
  const { observed: { claims, statefulSet, cluster }, pods, stable, desired } = situation;
  if (cluster.spec.storage.whenScaled !== "Delete" || stable === null || statefulSet === null) return [];
  const first = Math.max(desired, statefulSet.replicas);
  return claims
    .filter(({ ordinal, terminating }) => !terminating && ordinal >= first && !pods.has(ordinal) && seatsOf(situation, stable, ordinal).length === 0)
    .map(({ name, uid }) => ({ type: "deleteClaim", name, uid }));
}
