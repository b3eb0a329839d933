import { podName } from "../resource/names.ts";
import { ordinalsBelow, type Situation } from "./situation.ts";
import { type Step, wait } from "./step.ts";

/** Pods are watched, so that there is no hurry to look: a member may be away for long. */
const LOOK_MS = 10_000;

/** The last thing that is awaited: pods that were replaced, by whomever, are back only when they are ready, which says that their members have caught up. */
export function awaitMembers({ name, desired, pods }: Situation): Step | null {
  const away = ordinalsBelow(desired).filter((ordinal) => pods.get(ordinal)?.ready !== true).map((ordinal) => podName(name, ordinal));
  return away.length === 0 ? null : wait("AwaitingMembers", `Waiting for ${away.join(", ")} to be ready.`, LOOK_MS);
}
