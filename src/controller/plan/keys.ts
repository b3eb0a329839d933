import type { Action } from "./actions.ts";
import { seatOrdinal } from "./seats.ts";
import { ordinalsBelow, type Situation } from "./situation.ts";

/** The steps of the cluster's key: made, rotated when that is asked for, and the old one ended once nobody needs it. */
export function planKeys(situation: Situation): readonly Action[] {
  const { secret, cluster: { spec } } = situation.observed;
  const wanted = spec.security?.keyRotatedAt ?? null;
  if (secret === null) return [{ type: "createKey", rotatedAt: wanted }];
  if (secret.previous !== null) return everybodySends(situation, secret.current) ? [{ type: "dropPreviousKey" }] : [];
  return wanted !== null && wanted !== secret.rotatedAt ? [{ type: "rotateKey", rotatedAt: wanted }] : [];
}

/** Every pod's member sends the current key by now, and no member is without its pod: who was away might come back with the old one. */
function everybodySends({ observed: { pods, statefulSet }, name, desired, members, configuration }: Situation, key: string): boolean {
  const sends = (ordinal: number): boolean => members.get(ordinal)?.keys[0] === key;
  const seated = (configuration?.seats ?? []).every((seat) => {
    const ordinal = seatOrdinal(name, seat);
    return ordinal === null || sends(ordinal);
  });
  return seated && pods.every(({ ordinal }) => sends(ordinal)) && ordinalsBelow(Math.max(desired, statefulSet?.replicas ?? 0)).every(sends);
}
