import { describe, expect, it } from "vitest";
import { sampleMember, type SampleSources } from "../../src/node/member-sample.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { incarnation, type Slot } from "../../src/paxos/ids.ts";
import type { LinkStatus } from "../../src/transport/link-status.ts";

const SELF = incarnation("1".repeat(32));
const SECOND = incarnation("2".repeat(32));
const THIRD = incarnation("3".repeat(32));
const NEWCOMER = incarnation("4".repeat(32));

const who = (name: string, id: typeof SELF): Configuration["voters"][number] => ({ name, incarnation: id, address: `${name}:7400` });
const CONFIGURATION: Configuration = { voters: [who("m1", SELF), who("m2", SECOND), who("m3", THIRD)], learners: [who("m3", NEWCOMER)], removed: [] };

function link(name: string, peer: typeof SELF, fields: Partial<LinkStatus> = {}): LinkStatus {
  return {
    peer, name, state: "up", address: null, queuedBytes: 1, refused: null,
    sentMessages: 1, sentBytes: 10, receivedMessages: 1, receivedBytes: 10, dropped: 0, connects: 1, ...fields,
  };
}

/** A member of three that leads and has heard how far the others are. */
function leader(progress: readonly { incarnation: typeof SELF; chosenThrough: number }[]): NonNullable<SampleSources["member"]> {
  return {
    self: SELF, leads: true, refusal: null, diskFull: false, appliedSlot: 90 as Slot,
    state: { revision: 5, keyCount: 4, sessionCount: 3, idempotencyKeyCount: 2 },
    queues: () => ({ writes: 1 }),
    status: () => ({ role: "leader", ballot: { round: 3, incarnation: SELF }, chosenThrough: 100, snapshotSlot: 50, configurationSlot: 7, unchosenBytes: 6 }),
    membersView: () => ({ chosenThrough: 100, progress }),
  } as unknown as NonNullable<SampleSources["member"]>;
}

function sources(fields: Partial<SampleSources> = {}): SampleSources {
  const stats = { logBytes: 1, segments: 2, bytesSinceSnapshot: 3, snapshotBytes: 4, waitingBytes: 5 };
  const storage = { identity: { member: "m1", incarnation: SELF }, founding: { cluster: "c".repeat(32) }, stats: () => stats };
  return {
    storage: storage as unknown as SampleSources["storage"], member: leader([]), links: [], configuration: CONFIGURATION,
    fence: null, ready: true, version: "1.0.0", ...fields,
  };
}

describe("a sample of a member", () => {
  it("counts as reachable the voters with a link, and itself while it votes", () => {
    const links = [link("m2", SECOND), link("m3", THIRD, { state: "down" }), link("m3", NEWCOMER)];
    expect(sampleMember(sources({ links }))).toMatchObject({ voters: 3, learners: 1, quorum: 2, reachableVoters: 2 });
    expect(sampleMember(sources({ links, fence: { kind: "disk", reason: "EIO" } }))).toMatchObject({ reachableVoters: 1, role: "fenced", fence: "disk" });
  });

  it("tells at the leader how far each peer is behind, and nothing of who was not heard from", () => {
    const links = [link("m2", SECOND), link("m3", THIRD)];
    const told = leader([{ incarnation: SECOND, chosenThrough: 93 }, { incarnation: THIRD, chosenThrough: 0 }]);
    const lags = sampleMember(sources({ links, member: told })).peers.map(({ name, lagSlots }) => [name, lagSlots]);
    expect(lags).toEqual([["m2", 7], ["m3", null]]);
  });

  it("makes one peer of two incarnations of one name: up if one is, with the counts of both and the smaller lag", () => {
    const links = [link("m3", THIRD, { state: "down", refused: "it was removed", sentBytes: 5 }), link("m3", NEWCOMER, { sentBytes: 7 })];
    const told = leader([{ incarnation: THIRD, chosenThrough: 10 }, { incarnation: NEWCOMER, chosenThrough: 98 }]);
    expect(sampleMember(sources({ links, member: told })).peers).toEqual([
      expect.objectContaining({ name: "m3", up: true, refused: false, sentBytes: 12, connects: 2, lagSlots: 2 }),
    ]);
  });

  it("has zeros before the founding", () => {
    const empty: Configuration = { voters: [], learners: [], removed: [] };
    expect(sampleMember(sources({ member: null, configuration: empty, ready: false }))).toMatchObject({
      role: "learner", voters: 0, quorum: 0, reachableVoters: 0, chosenSlot: 0, ready: false, peers: [],
    });
  });
});
