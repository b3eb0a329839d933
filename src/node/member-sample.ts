import type { MemberSample, PeerSample } from "../metrics/sample.ts";
import { allMembers, type Configuration, quorumSize } from "../paxos/configuration.ts";
import type { MemberProgress } from "../paxos/leader.ts";
import type { Fence } from "../storage/fence-file.ts";
import type { MemberFolder } from "../storage/interface.ts";
import type { LinkStatus } from "../transport/link-status.ts";
import type { Member } from "./member.ts";

/** What a sample is made from; `member` is null before the founding and on a folder that may not be used. */
export interface SampleSources {
  readonly storage: MemberFolder;
  readonly member: Member | null;
  readonly links: readonly LinkStatus[];
  readonly configuration: Configuration;
  readonly fence: Fence | null;
  readonly ready: boolean;
  readonly version: string;
}

/** The member as its metrics tell it. */
export function sampleMember(sources: SampleSources): MemberSample {
  const { storage, member, links, configuration, fence } = sources;
  const { logBytes, segments, bytesSinceSnapshot, snapshotBytes, waitingBytes } = storage.stats();
  const { voters, learners } = configuration;
  return {
    version: sources.version,
    member: storage.identity.member,
    incarnation: storage.identity.incarnation,
    cluster: storage.founding?.cluster ?? "",
    ready: sources.ready,
    fence: fence?.kind ?? null,
    diverged: member?.refusal?.code === "SYNOD_ERR_DIVERGED",
    voters: voters.length,
    learners: learners.length,
    quorum: voters.length === 0 ? 0 : quorumSize(configuration),
    reachableVoters: reachableVoters(sources),
    logBytes, logSegments: segments, bytesSinceSnapshot, snapshotBytes, unsyncedBytes: waitingBytes,
    peers: samplePeers(links, laggards(member, configuration)),
    ...sampleCore(member, fence),
  };
}

function sampleCore(member: Member | null, fence: Fence | null): Pick<
  MemberSample,
  "role" | "diskFull" | "ballotRound" | "chosenSlot" | "appliedSlot" | "snapshotSlot" | "configurationSlot" | "revision" | "keys" | "sessions"
  | "idempotencyKeys" | "unchosenBytes" | "queues"
> {
  const core = member?.status();
  return {
    role: fence !== null ? "fenced" : core?.role ?? "learner",
    diskFull: member?.diskFull ?? false,
    ballotRound: core?.ballot.round ?? 0,
    chosenSlot: core?.chosenThrough ?? 0,
    appliedSlot: member?.appliedSlot ?? 0,
    snapshotSlot: core?.snapshotSlot ?? 0,
    configurationSlot: core?.configurationSlot ?? 0,
    revision: member?.state.revision ?? 0,
    keys: member?.state.keyCount ?? 0,
    sessions: member?.state.sessionCount ?? 0,
    idempotencyKeys: member?.state.idempotencyKeyCount ?? 0,
    unchosenBytes: core?.unchosenBytes ?? 0,
    queues: member?.queues() ?? {},
  };
}

function reachableVoters({ storage, member, links, configuration, fence }: SampleSources): number {
  const linked = new Set<string>(links.filter((link) => link.state === "up").map((link) => link.peer));
  if (member !== null && fence === null) linked.add(storage.identity.incarnation);
  return configuration.voters.filter((voter) => linked.has(voter.incarnation)).length;
}

/** By name, how far behind each member is that the leader heard from in its ballot; empty on other members. */
function laggards(member: Member | null, configuration: Configuration): ReadonlyMap<string, number> {
  if (member === null || !member.leads) return new Map();
  const { chosenThrough, progress } = member.membersView();
  const told = new Map<string, MemberProgress>(progress.map((one) => [one.incarnation, one]));
  const lags = new Map<string, number>();
  for (const { incarnation, name } of allMembers(configuration)) {
    const one = told.get(incarnation);
    if (incarnation === member.self || one === undefined || one.chosenThrough === 0) continue;
    const lag = Math.max(0, chosenThrough - one.chosenThrough);
    lags.set(name, Math.min(lag, lags.get(name) ?? lag));
  }
  return lags;
}

/**
 * One sample per name. While a member is replaced by a new one of its name there are two peers of that name; the label would be
 * ambiguous if each had a series, and a label with the incarnation would grow with every replacement.
 */
function samplePeers(links: readonly LinkStatus[], lags: ReadonlyMap<string, number>): PeerSample[] {
  const byName = new Map<string, PeerSample>();
  for (const link of links) {
    const name = link.name === "" ? "unknown" : link.name;
    const sample = samplePeer(name, link, lags.get(name) ?? null);
    const other = byName.get(name);
    byName.set(name, other === undefined ? sample : together(sample, other));
  }
  return [...byName.values()];
}

function samplePeer(name: string, link: LinkStatus, lagSlots: number | null): PeerSample {
  const { queuedBytes, sentMessages, sentBytes, receivedMessages, receivedBytes, dropped, connects } = link;
  const up = link.state === "up";
  return {
    name, up, refused: !up && link.refused !== null, lagSlots,
    queuedBytes, sentMessages, sentBytes, receivedMessages, receivedBytes, dropped, connects,
  };
}

function together(one: PeerSample, other: PeerSample): PeerSample {
  return {
    name: one.name,
    up: one.up || other.up,
    refused: !(one.up || other.up) && (one.refused || other.refused),
    lagSlots: one.lagSlots,
    queuedBytes: one.queuedBytes + other.queuedBytes,
    sentMessages: one.sentMessages + other.sentMessages,
    sentBytes: one.sentBytes + other.sentBytes,
    receivedMessages: one.receivedMessages + other.receivedMessages,
    receivedBytes: one.receivedBytes + other.receivedBytes,
    dropped: one.dropped + other.dropped,
    connects: one.connects + other.connects,
  };
}
