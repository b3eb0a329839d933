import { podName } from "../resource/names.ts";
import { joinStep } from "./joining.ts";
import { ordinalsBelow, seatsOf, type Situation } from "./situation.ts";
import { type Step, wait } from "./step.ts";

/** Makes voters of the members in pods of wanted ordinals that have none yet, the lowest first of those for whom something can be done. */
export function planGrowth(situation: Situation): Step | null {
  const { stable, desired, name } = situation;
  if (stable === null) return null;
  const unseated = ordinalsBelow(desired).filter((ordinal) => seatsOf(situation, stable, ordinal).every(({ role }) => role !== "voter"));
  if (unseated.length === 0) return null;
  const steps = unseated.map((ordinal) => joinStep(situation, stable, ordinal, null)).filter((step) => step !== null);
  const waiting = wait("Growing", `Waiting for ${unseated.map((ordinal) => podName(name, ordinal)).join(", ")} to start and answer.`);
  return steps.find(({ actions }) => actions.length > 0) ?? steps[0] ?? waiting;
}
