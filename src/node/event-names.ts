import type { LeaderNews } from "../api/service.ts";
import type { Ballot } from "../paxos/ballot.ts";
import { allMembers, type Configuration } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { PaxosEvent } from "../paxos/interface.ts";

/** A ballot as people see it: with the name of the member whose incarnation owns it, null when the configuration does not know it. */
export interface NamedBallot {
  readonly round: number;
  readonly member: string | null;
  readonly incarnation: Incarnation;
}

export function memberName(configuration: Configuration, incarnation: Incarnation): string | null {
  return allMembers(configuration).find((member) => member.incarnation === incarnation)?.name ?? null;
}

export function nameBallot(configuration: Configuration, { round, incarnation }: Ballot): NamedBallot {
  return { round, member: memberName(configuration, incarnation), incarnation };
}

/**
 * What is told of a leader. A member that has promised a candidate's ballot still names its old leader for a moment: of that one
 * no news is told under a ballot that is not its own.
 */
export function leaderNews(cluster: string | null, configuration: Configuration, leader: Incarnation | null, ballot: Ballot): LeaderNews {
  const followed = leader === ballot.incarnation ? leader : null;
  const info = allMembers(configuration).find((member) => member.incarnation === followed);
  return {
    cluster, leader: info?.name ?? followed, leaderIncarnation: followed, address: info?.address ?? null, ballot: nameBallot(configuration, ballot),
  };
}

/** The fields of a core's event, with members named. */
export function nameEvent(configuration: Configuration, event: PaxosEvent): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(event)) {
    if (field === "type") continue;
    if (field === "ballot") fields[field] = nameBallot(configuration, value as Ballot);
    else if (["from", "to", "leader"].includes(field) && typeof value === "string") {
      fields[field] = memberName(configuration, value as Incarnation) ?? value;
    } else fields[field] = value;
  }
  return fields;
}
