import { majorityOf } from "../../paxos/configuration.ts";
import type { ObservedConfiguration, ObservedPod, ObservedSeat } from "./observed.ts";
import { podsBelow } from "./broken-pods.ts";
import { quorumLostMs } from "./quorum-loss.ts";
import { isLive, votersOf } from "./seats.ts";
import { ordinalsBelow, seatsOf, type Situation } from "./situation.ts";
import { act, type Step, wait } from "./step.ts";

/** Without a majority for so long, a member that is not ready has nothing to lose by being replaced. */
const HOPELESS_MS = 120_000;

/**
 * Replaces pods of an older revision one at a time: those that are not ready first, the leader last and after it has handed over. It goes
 * on only when everybody is back, so that a revision that does not come up stops after one member.
 */
export function planRollout(situation: Situation): Step | null {
  const { observed: { statefulSet }, desired, pods } = situation;
  if (statefulSet === null || !statefulSet.settled) return null;
  const outdated = [...pods.values()].filter((pod) => pod.ordinal < desired && pod.revision !== statefulSet.updateRevision);
  if (outdated.length === 0) return null;
  const all = podsBelow(situation, desired);
  const awaited = all === null ? null : all.filter((pod) => pod.terminating || (!pod.ready && !outdated.includes(pod)));
  if (all === null || awaited === null || awaited.length > 0) {
    return wait("RollingUpdate", `${outdated.length} of ${desired} pods are of an older revision. Waiting for ${awaited?.map(({ name }) => name).join(", ") ?? "pods to be made"}.`);
  }
  const unready = outdated.filter(({ ready }) => !ready);
  return unready.length > 0 ? replaceUnready(situation, unready) : replaceReady(situation, all, outdated);
}

/** Members that may already be of no use, where the others do without them. */
function replaceUnready(situation: Situation, unready: readonly ObservedPod[]): Step {
  const { stable } = situation;
  const waiting = wait("RollingUpdate", `Waiting for ${unready.map(({ name }) => name).join(", ")} to be ready, or for a majority without them.`);
  if (stable === null) {
    const [pod] = leaderLast(situation, unready);
    return pod !== undefined && quorumLostMs(situation) >= HOPELESS_MS ? replace(pod) : waiting;
  }
  const voters = votersOf(stable);
  const [pod] = leaderLast(situation, unready).filter((candidate) => {
    const others = voters.filter(({ name }) => name !== candidate.name);
    return others.filter(isLive).length >= majorityOf(voters.length) || voters.every(isLive);
  });
  return pod === undefined ? waiting : isLeader(stable, pod) ? handOver(situation, stable, pod) : replace(pod);
}

function replaceReady(situation: Situation, all: readonly ObservedPod[], outdated: readonly ObservedPod[]): Step {
  const { stable } = situation;
  if (stable === null || !atFullStrength(situation, stable) || all.some(({ ready }) => !ready)) {
    return wait("RollingUpdate", "The update goes on when every member votes and is alive.");
  }
  const [pod] = leaderLast(situation, outdated);
  if (pod === undefined) return wait("RollingUpdate", "Nothing to replace.");
  return isLeader(stable, pod) ? handOver(situation, stable, pod) : replace(pod);
}

/** Exactly the wanted members vote, all of them alive, each in its pod. */
function atFullStrength(situation: Situation, stable: ObservedConfiguration): boolean {
  const { desired, members } = situation;
  const fits = ordinalsBelow(desired).every((ordinal) => {
    const [seat, another] = seatsOf(situation, stable, ordinal);
    return seat?.role === "voter" && another === undefined && isLive(seat) && members.get(ordinal)?.incarnation === seat.id;
  });
  return fits && stable.seats.length === desired;
}

/** The leader leads on until no other is left; then another one leads, at best one that was replaced already. */
function handOver({ pods, observed: { statefulSet } }: Situation, stable: ObservedConfiguration, pod: ObservedPod): Step {
  if (votersOf(stable).length === 1) return replace(pod);
  const podOf = (seat: ObservedSeat): ObservedPod | undefined => [...pods.values()].find(({ name }) => name === seat.name);
  const able = votersOf(stable).filter((seat) => seat.name !== pod.name && isLive(seat) && seat.caughtUp === true && podOf(seat)?.ready === true);
  const heir = able.find((seat) => podOf(seat)?.revision === statefulSet?.updateRevision) ?? able[0];
  if (heir === undefined) return wait("RollingUpdate", `${pod.name} leads, and there is nobody ready to take over.`);
  return act([{ type: "transferLeadership", to: heir.id }], "RollingUpdate", `${pod.name} is the last of an older revision and leads: handing over to ${heir.name}.`);
}

function replace({ name, uid }: ObservedPod): Step {
  return act([{ type: "deletePod", name, uid }], "RollingUpdate", `Replacing ${name} by a pod of the present revision.`);
}

/** The highest ordinal first, as StatefulSets are updated, but the leader behind all. */
function leaderLast({ configuration }: Situation, pods: readonly ObservedPod[]): ObservedPod[] {
  const leads = (pod: ObservedPod): number => Number(configuration !== null && isLeader(configuration, pod));
  return [...pods].sort((one, other) => leads(one) - leads(other) || other.ordinal - one.ordinal);
}

function isLeader({ leader }: ObservedConfiguration, { name }: ObservedPod): boolean {
  return leader?.name === name;
}
