import type { Members, Status } from "../../client/types.ts";
import { DEFAULT_TIMINGS } from "../../paxos/interface.ts";
import type { MemberCalls } from "../members/member-calls.ts";
import type { Observed, ObservedConfiguration, ObservedMember, ObservedPod } from "../plan/observed.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";

/** Where the member in a pod is asked; for pods that have an address. */
export type UrlOf = (pod: { readonly name: string; readonly ip: string }) => string;

interface Answered {
  readonly pod: ObservedPod;
  readonly url: string;
  readonly status: Status;
}

/** A leader that judges a change calls those live that it heard from within its election timeout. */
const { electionTimeoutMs: DEFAULT_ELECTION_TIMEOUT_MS } = DEFAULT_TIMINGS;

/**
 * Asks the process in every running pod who it is, and then the leader, or who else answers, who is a member. Pods that do not answer in time
 * are left out: nothing is concluded from what they said once.
 */
export async function observeMembers(
  calls: MemberCalls, urlOf: UrlOf, cluster: PaxosCluster, { pods, bootstrap }: Pick<Observed, "pods" | "bootstrap">,
): Promise<Pick<Observed, "members" | "configuration">> {
  const answers = (await Promise.all(pods.map((pod) => ask(calls, urlOf, pod)))).filter((answer) => answer !== null);
  const founded = answers.filter(({ status }) => status.cluster !== null && (bootstrap === null || status.cluster === bootstrap.cluster));
  return { members: answers.map(describeMember), configuration: await askConfiguration(calls, cluster, founded) };
}

async function ask(calls: MemberCalls, urlOf: UrlOf, pod: ObservedPod): Promise<Answered | null> {
  if (pod.ip === null || !pod.running) return null;
  const url = urlOf({ name: pod.name, ip: pod.ip });
  const status = await calls.status(url).catch(() => null);
  return status === null || typeof status.incarnation !== "string" ? null : { pod, url, status };
}

function describeMember({ pod, status }: Answered): ObservedMember {
  const { member: name, incarnation, cluster, role, fence, keys } = status;
  return { ordinal: pod.ordinal, podUid: pod.uid, name, incarnation, cluster, role, fence, keys };
}

/** The leader is asked first: it alone knows who is alive and whether a change is done. */
async function askConfiguration(calls: MemberCalls, cluster: PaxosCluster, founded: readonly Answered[]): Promise<ObservedConfiguration | null> {
  const serving = founded.filter(({ status }) => status.role !== "fenced" && status.role !== "removed" && status.cluster === founded[0]?.status.cluster);
  let best: Members | null = null;
  for (const { url } of serving.toSorted((a, b) => Number(b.status.role === "leader") - Number(a.status.role === "leader"))) {
    const told = await calls.members(url).catch(() => null);
    if (told?.pending !== undefined && told.pending !== null) return describeConfiguration(told, cluster, serving);
    if (told !== null && (best === null || told.configuration > best.configuration)) best = told;
  }
  return best === null ? null : describeConfiguration(best, cluster, serving);
}

function describeConfiguration(told: Members, { spec }: PaxosCluster, serving: readonly Answered[]): ObservedConfiguration {
  const fromLeader = told.pending !== null;
  const lately = spec.timings?.electionTimeoutMs ?? DEFAULT_ELECTION_TIMEOUT_MS;
  const leader = leaderAmong(serving.map(({ status }) => status));
  const seats = told.members.map((member) => ({
    id: member.id, name: member.name, address: member.address, role: member.role,
    leader: leader === null ? member.leader : member.id === leader.incarnation,
    live: fromLeader ? member.leader || (member.heardMs !== null && member.heardMs <= lately) : null,
    caughtUp: member.caughtUp,
  }));
  return {
    cluster: serving[0]?.status.cluster ?? "",
    slot: told.configuration, pending: told.pending, fromLeader, seats, removed: told.removed,
    leader: leader === null ? null : { name: leader.name, ballot: { round: leader.round, incarnation: leader.incarnation } },
  };
}

/** Who leads, by what the members say: the owner of the highest ballot in which somebody leads or follows. */
export function leaderAmong(
  statuses: readonly Pick<Status, "leader" | "ballot">[],
): { readonly name: string; readonly round: number; readonly incarnation: string } | null {
  const known = statuses.flatMap(({ leader, ballot }) =>
    (leader !== null && ballot.member === leader ? [{ name: leader, round: ballot.round, incarnation: ballot.incarnation }] : []));
  return known.toSorted((a, b) => b.round - a.round || (b.incarnation < a.incarnation ? -1 : 1))[0] ?? null;
}
