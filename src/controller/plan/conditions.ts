import { majorityOf } from "../../paxos/configuration.ts";
import { podName } from "../resource/names.ts";
import type { Condition, ConditionType } from "../resource/paxos-cluster.ts";
import { hasLiveQuorum, isLive, votersOf } from "./seats.ts";
import { ordinalsBelow, seatsOf, type Situation } from "./situation.ts";
import type { Remark } from "./step.ts";
import { rfc3339 } from "./time.ts";

export interface Findings {
  readonly paused: boolean;
  /** What is being done or awaited, null when nothing is. */
  readonly progress: Remark | null;
  readonly problems: readonly Remark[];
}

type Verdict = Remark & { readonly status: Condition["status"] };

/** The four conditions. Each keeps the time of its last change of status. */
export function conditionsOf(situation: Situation, findings: Findings): readonly Condition[] {
  const quorate = quorateOf(situation);
  const verdicts: Readonly<Record<ConditionType, Verdict>> = {
    Ready: readyOf(situation, quorate),
    Quorate: quorate,
    Progressing: progressingOf(findings),
    Degraded: degradedOf(findings),
  };
  const { cluster: { metadata, status }, nowMs } = situation.observed;
  return (Object.keys(verdicts) as ConditionType[]).map((type) => {
    const former = status?.conditions?.find((condition) => condition.type === type);
    const verdict = verdicts[type];
    const lastTransitionTime = former?.status === verdict.status ? former.lastTransitionTime : rfc3339(nowMs);
    return { type, status: verdict.status, reason: verdict.reason, message: verdict.message, observedGeneration: metadata.generation, lastTransitionTime };
  });
}

function quorateOf({ clusterId, configuration, members }: Situation): Verdict {
  if (clusterId === null) return { status: "False", reason: "NotFounded", message: "The cluster is not founded yet." };
  if (configuration === null && members.size === 0) {
    return { status: "Unknown", reason: "NoAnswer", message: "No member answers the controller." };
  }
  const voters = configuration === null ? [] : votersOf(configuration);
  const live = voters.filter(isLive).length;
  if (configuration?.fromLeader === true && hasLiveQuorum(voters)) {
    return { status: "True", reason: "QuorumAlive", message: `A majority of the ${voters.length} voters is alive.` };
  }
  const needed = voters.length === 0 ? "" : `${majorityOf(voters.length)} of ${voters.length} voters are needed${configuration?.fromLeader === true ? `, ${live} are alive` : ""}. `;
  return {
    status: "False", reason: "NoQuorum",
    message: `No leader with a majority is known, so that nothing is written or read. ${needed}Members come back with their volumes on their own: look at the pods that do not run. `
      + "If a majority of the volumes is lost for good, recover from one that is left, as docs/kubernetes/operations.md says.",
  };
}

function readyOf(situation: Situation, quorate: Verdict): Verdict {
  const { configuration, desired, pods, name } = situation;
  if (quorate.status !== "True" || configuration === null) return { status: "False", reason: quorate.reason, message: quorate.message };
  const ready = readyVoters(situation);
  const voters = votersOf(configuration).length;
  if (ready < desired) {
    const unready = ordinalsBelow(desired).filter((ordinal) => pods.get(ordinal)?.ready !== true).map((ordinal) => podName(name, ordinal));
    const who = unready.length === 0 ? "" : ` Not ready: ${unready.join(", ")}.`;
    return { status: "False", reason: "MembersNotReady", message: `${ready} of ${desired} members are ready voters.${who}${ready === 0 ? "" : " The cluster serves."}` };
  }
  if (voters !== desired) return { status: "False", reason: "Resizing", message: `${voters} members vote, ${desired} are wanted. The cluster serves.` };
  return { status: "True", reason: "AllReady", message: `All ${desired} members vote and are ready.` };
}

/** How many of the wanted members vote and are ready. */
export function readyVoters(situation: Situation): number {
  const { configuration, pods, desired } = situation;
  if (configuration === null) return 0;
  return ordinalsBelow(desired).filter((ordinal) =>
    pods.get(ordinal)?.ready === true && seatsOf(situation, configuration, ordinal).some(({ role }) => role === "voter")).length;
}

function progressingOf({ paused, progress }: Findings): Verdict {
  if (paused) return { status: "False", reason: "Paused", message: "spec.pause is set: nothing but this status and the notice of the leader is changed." };
  return progress === null ? { status: "False", reason: "Settled", message: "Nothing is left to do." } : { status: "True", ...progress };
}

function degradedOf({ problems }: Findings): Verdict {
  const [first] = problems;
  if (first === undefined) return { status: "False", reason: "AsExpected", message: "No trouble is known." };
  return { status: "True", reason: first.reason, message: problems.map(({ message }) => message).join(" ") };
}
