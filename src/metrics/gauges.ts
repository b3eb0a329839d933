import { Gauge, type Registry } from "prom-client";
import type { Role } from "../paxos/interface.ts";

/** What a scrape wants to know of the member at that moment. */
export interface MemberSample {
  readonly ballotRound: number;
  readonly role: Role;
  /** Why the member does not vote any more, as one word; null while it does. */
  readonly fence: "corrupt" | "copied" | "disk" | null;
  readonly diskFull: boolean;
  /** Highest slot known to be chosen. */
  readonly chosenSlot: number;
  readonly appliedSlot: number;
  readonly revision: number;
  readonly logBytes: number;
  readonly peers: readonly { readonly name: string; readonly up: boolean }[];
  /** Items that wait in the member's bounded queues, by the queue's name. */
  readonly queues: Readonly<Record<string, number>>;
}

const ROLES: readonly Role[] = ["leader", "follower", "candidate", "learner", "removed", "fenced"];

const FENCES = ["corrupt", "copied", "disk"] as const;

/** The metrics that are set from one sample per scrape. */
export class MemberGauges {
  readonly #registry: Registry;
  readonly #ballotRound: Gauge;
  readonly #isLeader: Gauge;
  readonly #role: Gauge<"role">;
  readonly #fenced: Gauge<"reason">;
  readonly #diskFull: Gauge;
  readonly #chosenSlot: Gauge;
  readonly #appliedSlot: Gauge;
  readonly #revision: Gauge;
  readonly #logBytes: Gauge;
  readonly #peerLinkUp: Gauge<"peer">;
  readonly #queueItems: Gauge<"queue">;
  readonly #longestTurn: Gauge;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#ballotRound = this.#gauge("synod_ballot_round", "Round of the highest ballot that this member knows.");
    this.#isLeader = this.#gauge("synod_is_leader", "1 while this member leads.");
    this.#role = this.#gauge("synod_role", "1 for the role that this member has, 0 for the others.", ["role"]);
    this.#fenced = this.#gauge("synod_fenced", "1 for the reason for which this member does not vote any more, 0 for the others.", ["reason"]);
    this.#diskFull = this.#gauge("synod_disk_full", "1 while this member's disk has no room beside its reserve.");
    this.#chosenSlot = this.#gauge("synod_chosen_slot", "Highest slot that this member knows to be chosen.");
    this.#appliedSlot = this.#gauge("synod_applied_slot", "Highest slot that this member has applied.");
    this.#revision = this.#gauge("synod_revision", "Revision of this member's store.");
    this.#logBytes = this.#gauge("synod_log_bytes", "Bytes of the log on disk.");
    this.#peerLinkUp = this.#gauge("synod_peer_link_up", "1 while there is a link to the peer.", ["peer"]);
    this.#queueItems = this.#gauge("synod_queue_items", "Items that wait in a bounded queue.", ["queue"]);
    this.#longestTurn = this.#gauge("synod_eventloop_longest_turn_seconds", "Longest turn since the last scrape.");
  }

  /** Peers and queues that the sample does not name disappear. */
  set(sample: MemberSample, longestTurnSeconds: number): void {
    this.#ballotRound.set(sample.ballotRound);
    this.#isLeader.set(sample.role === "leader" ? 1 : 0);
    for (const role of ROLES) this.#role.set({ role }, sample.role === role ? 1 : 0);
    for (const reason of FENCES) this.#fenced.set({ reason }, sample.fence === reason ? 1 : 0);
    this.#diskFull.set(sample.diskFull ? 1 : 0);
    this.#chosenSlot.set(sample.chosenSlot);
    this.#appliedSlot.set(sample.appliedSlot);
    this.#revision.set(sample.revision);
    this.#logBytes.set(sample.logBytes);
    this.#peerLinkUp.reset();
    for (const { name, up } of sample.peers) this.#peerLinkUp.set({ peer: name }, up ? 1 : 0);
    this.#queueItems.reset();
    for (const [queue, items] of Object.entries(sample.queues)) this.#queueItems.set({ queue }, items);
    this.#longestTurn.set(longestTurnSeconds);
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }
}
