import type { Readiness } from "../api/service.ts";
import type { CoreStatus } from "../paxos/core.ts";
import type { Slot } from "../paxos/ids.ts";

/** As far behind as a learner that may be promoted (rule 17). */
const MAX_LAG_SLOTS = 1_000;

/**
 * Whether clients should be sent to a member that takes part and is not fenced: a voter that hears a quorum, or a leader that does,
 * and is not far behind. A quorum is asked for here and never for being alive: a restart brings none back.
 */
export function judgeReadiness(core: CoreStatus, applied: Slot): Readiness {
  const reason = lackOf(core, applied);
  return { ready: reason === null, live: true, reason: reason ?? "ok" };
}

function lackOf({ role, leader, ready, inContact, heardThrough }: CoreStatus, applied: Slot): string | null {
  if (role === "learner") return "a learner does not vote";
  if (leader === null) return "no leader is known";
  if (!inContact) return role === "leader" ? "no quorum is heard" : "the leader is not heard";
  if (role === "leader" && !ready) return "the new leader does not serve yet";
  const behind = heardThrough - applied;
  return behind > MAX_LAG_SLOTS ? `${behind} slots behind` : null;
}
