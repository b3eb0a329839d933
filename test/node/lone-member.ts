import { onTestFinished } from "vitest";
import { Member } from "../../src/node/member.ts";
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from "../../src/node/peer-messages.ts";
import { ZERO_BALLOT } from "../../src/paxos/ballot.ts";
import { slot } from "../../src/paxos/ids.ts";
import type { LogRecord } from "../../src/paxos/records.ts";
import { memberIncarnation } from "../../src/scenario/names.ts";
import { StateMachine } from "../../src/state/state-machine.ts";
import type { Fence } from "../../src/storage/fence-file.ts";
import type { Storage, StorageStats } from "../../src/storage/interface.ts";

export const SELF = memberIncarnation(1);
export const LEADER = memberIncarnation(2);

const voters = [1, 2, 3].map((number) => ({ incarnation: memberIncarnation(number), name: `m${number}`, address: "" }));
const FOUNDING = { cluster: "c".repeat(32), configuration: { voters, learners: [], removed: [] }, configurationSlot: slot(0) };
const STATS: StorageStats = {
  logBytes: 0, segments: 1, records: 41, bytesSinceSnapshot: 0, snapshotBytes: 0, syncs: 0, waitingBytes: 0, full: false, scarce: false,
};

/** One of three members, with storage that only notes what is appended to it, a link to its leader, and time that stands still but for `passes`. */
export class LoneMember {
  readonly member: Member;
  readonly records: LogRecord[] = [];
  readonly sent: PeerMessage[] = [];
  readonly fences: Fence[] = [];
  stats: StorageStats = STATS;
  nowMs = 0;
  readonly #timers: (() => void)[] = [];

  constructor(storage: Partial<Storage> = {}) {
    this.member = new Member({
      storage: this.#storage(storage), founding: FOUNDING, state: new StateMachine(), nonceSeed: 1,
      observer: {
        event: () => {}, proposalsEnded: () => {}, committed: () => {}, turnEnded: () => {}, dropped: () => {}, warning: () => {}, diskSpace: () => {},
        fenced: (fence) => void this.fences.push(fence),
      },
      links: {
        send: (_to, bytes) => this.sent.push(decodePeerMessage(bytes)) > 0,
        flush: () => {},
        setPeers: () => {},
      },
      clock: {
        nowMs: () => this.nowMs, random: () => 0.5, defer: (task) => queueMicrotask(task),
        every: (_, task) => {
          this.#timers.push(task);
          return () => {};
        },
      },
    });
    onTestFinished(() => this.member.stop());
    this.member.linkUp(LEADER, 1);
  }

  #storage(over: Partial<Storage>): Storage {
    return {
      identity: { member: "m1", incarnation: SELF },
      founding: FOUNDING,
      recovered: { promised: ZERO_BALLOT, ownRound: 0, snapshot: null, entries: [], chosenThrough: slot(0) },
      saveFounding: async () => {},
      append: (more) => void this.records.push(...more),
      writeSnapshot: async () => {},
      openSnapshot: async () => null,
      stats: () => this.stats,
      close: async () => {},
      ...over,
    };
  }

  /** So much time passes, and then all that waits for time happens once. */
  async passes(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const task of [...this.#timers]) task();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Hands over a message of the leader's and lets the member do all that follows from it. */
  async receive(message: PeerMessage): Promise<void> {
    this.member.receive(LEADER, encodePeerMessage(message));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
