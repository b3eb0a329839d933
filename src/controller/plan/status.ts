import { selectorText } from "../manifests/labels.ts";
import type { MemberStatusEntry, PaxosClusterStatus } from "../resource/paxos-cluster.ts";
import { conditionsOf, type Findings, readyVoters } from "./conditions.ts";
import type { ObservedConfiguration } from "./observed.ts";
import { equalPlain } from "./equal-plain.ts";
import type { Situation } from "./situation.ts";

/** The status that the resource is to have, null when it has it. `clusterId` is null where there is no cluster any more. */
export function planStatus(situation: Situation, findings: Findings, clusterId: string | null): PaxosClusterStatus | null {
  const { cluster } = situation.observed;
  const status = statusOf(situation, findings, clusterId);
  return equalPlain(status, cluster.status ?? null) ? null : status;
}

function statusOf(situation: Situation, findings: Findings, clusterId: string | null): PaxosClusterStatus {
  const { observed: { cluster, secret }, configuration, desired, pods, name } = situation;
  const ready = readyVoters(situation);
  const rotatedAt = secret === null ? cluster.status?.keyRotatedAt : secret.previous === null ? secret.rotatedAt : cluster.status?.keyRotatedAt;
  return {
    observedGeneration: cluster.metadata.generation,
    readyReplicas: ready,
    replicas: pods.size,
    selector: selectorText(name),
    ...(clusterId === null ? {} : { clusterId }),
    ...leaderOf(configuration),
    ready: `${ready}/${desired}`,
    ...(configuration === null ? {} : { members: membersOf(configuration, cluster.status?.members ?? []) }),
    conditions: conditionsOf(situation, findings),
    ...(rotatedAt === null || rotatedAt === undefined ? {} : { keyRotatedAt: rotatedAt }),
  };
}

function leaderOf(configuration: ObservedConfiguration | null): Pick<PaxosClusterStatus, "leader" | "ballot"> {
  const leader = configuration?.leader ?? null;
  return leader === null ? {} : { leader: leader.name, ballot: `${leader.ballot.round}.${leader.name}` };
}

/** Whether somebody has caught up only a leader can tell; meanwhile it is said as it was. */
function membersOf({ seats }: ObservedConfiguration, former: readonly MemberStatusEntry[]): readonly MemberStatusEntry[] {
  return seats.map(({ name, id, role, caughtUp, leader }) => ({
    name, incarnation: id, role,
    caughtUp: leader || (caughtUp ?? former.find(({ incarnation }) => incarnation === id)?.caughtUp ?? false),
  }));
}
