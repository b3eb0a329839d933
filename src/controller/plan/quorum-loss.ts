import type { Situation } from "./situation.ts";
import { parseRfc3339 } from "./time.ts";

/** For how long the status has said that there is no majority, in milliseconds; 0 while it says anything else. */
export function quorumLostMs({ observed: { cluster, nowMs } }: Situation): number {
  const quorate = cluster.status?.conditions?.find(({ type }) => type === "Quorate");
  if (quorate?.status !== "False") return 0;
  return Math.max(0, nowMs - (parseRfc3339(quorate.lastTransitionTime) ?? nowMs));
}
