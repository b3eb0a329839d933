import type { MemberSample, PeerSample } from "../../src/metrics/sample.ts";
import { incarnation } from "../../src/paxos/ids.ts";

export const ballot = { round: 4, incarnation: incarnation("a".repeat(32)) };

export function peer(name: string, fields: Partial<PeerSample> = {}): PeerSample {
  return {
    name, up: true, refused: false, lagSlots: null, queuedBytes: 0, sentMessages: 0, sentBytes: 0, receivedMessages: 0, receivedBytes: 0,
    dropped: 0, connects: 1, ...fields,
  };
}

export const SAMPLE: MemberSample = {
  version: "1.2.3", member: "m1", incarnation: ballot.incarnation, cluster: "c".repeat(32),
  role: "leader", ready: true, fence: null, diverged: false, diskFull: false,
  ballotRound: 4, chosenSlot: 12, appliedSlot: 11, snapshotSlot: 8, configurationSlot: 3, voters: 3, learners: 1, quorum: 2, reachableVoters: 2,
  revision: 9, keys: 5, sessions: 2, idempotencyKeys: 1,
  logBytes: 4096, logSegments: 2, bytesSinceSnapshot: 100, snapshotBytes: 200, unsyncedBytes: 30, unchosenBytes: 40,
  peers: [peer("m2", { lagSlots: 7, sentBytes: 99 }), peer("m3", { up: false, refused: true })], queues: { proposals: 3 },
};
