import type { Action } from "./actions.ts";
import { namesOf } from "../resource/names.ts";
import type { ObservedMember, ObservedSecret } from "./observed.ts";
import { seatOrdinal } from "./seats.ts";
import { ordinalsBelow, type Situation } from "./situation.ts";
import { type Step, wait } from "./step.ts";

/** A kubelet that was asked for a key may have seen the Secret of before, or be away: so long after that it is asked again. */
const ANNOUNCE_MS = 15_000;
/** Members that lack the key are looked at so often at first, and then as often as any. */
const LOOK_MS = 1_000;
const LOOK_OFTEN_MS = 120_000;

/** The steps of the cluster's key: made, rotated when that is asked for, brought to the members, and the old one ended once nobody needs it. */
export function planKeys(situation: Situation): readonly Action[] {
  const { secret, cluster: { spec } } = situation.observed;
  const wanted = spec.security?.keyRotatedAt ?? null;
  if (secret === null) return [{ type: "createKey", rotatedAt: wanted }];
  return [...announceKey(situation, secret), ...changeKey(situation, secret, wanted)];
}

function changeKey(situation: Situation, { current, previous, rotatedAt }: ObservedSecret, wanted: string | null): readonly Action[] {
  if (previous !== null) return everybodySends(situation, current) ? [{ type: "dropPreviousKey" }] : [];
  return wanted !== null && wanted !== rotatedAt ? [{ type: "rotateKey", rotatedAt: wanted }] : [];
}

function announceKey({ pods, members, observed: { nowMs } }: Situation, { current }: ObservedSecret): readonly Action[] {
  const lacking = lackingKey(members, current).flatMap(({ ordinal }) => pods.get(ordinal) ?? []);
  return lacking.filter(({ announced }) => announced?.key !== current || nowMs - announced.atMs >= ANNOUNCE_MS)
    .map(({ name }) => ({ type: "announceKey", pod: name, key: current }));
}

/** Until the members have the key, calls that are proved with it are refused, unless it was rotated and they know the previous one. */
export function awaitKey({ members, observed: { secret, nowMs }, name }: Situation): Step | null {
  const lacking = secret === null ? [] : lackingKey(members, secret.current);
  if (secret === null || lacking.length === 0) return null;
  const whose = lacking.map((member) => member.name).join(", ");
  const meanwhile = secret.previous !== null ? "Until then the key before it is valid too."
    : "It stands alone, as the one before it was lost: until they have it, members refuse to be changed, and the cluster serves.";
  const message = `Waiting for the kubelets to bring the new key in the Secret ${namesOf(name).keySecret} to ${whose}. ${meanwhile}`;
  return wait("NewKey", message, nowMs - secret.madeMs < LOOK_OFTEN_MS ? LOOK_MS : null);
}

/** Those that do not send it yet. A member that does not answer reads the key when it starts. */
function lackingKey(members: Situation["members"], key: string): readonly ObservedMember[] {
  return [...members.values()].filter(({ keys }) => keys[0] !== key);
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
