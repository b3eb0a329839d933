import { Gauge, type Registry } from "prom-client";
import type { Role } from "../paxos/interface.ts";
import type { MemberSample } from "./sample.ts";

const ROLES: readonly Role[] = ["leader", "follower", "candidate", "learner", "removed", "fenced"];
const FENCES = ["corrupt", "copied", "disk"] as const;

type NumberField = { [Field in keyof MemberSample]: MemberSample[Field] extends number | boolean ? Field : never }[keyof MemberSample];

/** The metrics that are one number of a sample. */
const NUMBERS: Readonly<Record<NumberField, readonly [name: string, help: string]>> = {
  ready: ["synod_ready", "1 while this member is ready to be sent requests, as GET /readyz says."],
  diverged: ["synod_state_diverged", "1 while this member serves nothing because its state differs from that of others."],
  diskFull: ["synod_disk_full", "1 while this member's disk has no room beside its reserve."],
  ballotRound: ["synod_ballot_round", "Round of the highest ballot that this member knows."],
  chosenSlot: ["synod_chosen_slot", "Highest slot that this member knows to be chosen."],
  appliedSlot: ["synod_applied_slot", "Highest slot that this member has applied."],
  snapshotSlot: ["synod_snapshot_slot", "Slot of this member's newest snapshot, 0 without one."],
  configurationSlot: ["synod_configuration_slot", "Slot of the configuration in force, 0 for that of the founding."],
  voters: ["synod_configuration_voters", "Voters of the configuration in force, 0 before the founding."],
  learners: ["synod_configuration_learners", "Learners of the configuration in force."],
  quorum: ["synod_configuration_quorum", "How many voters of the configuration in force are a quorum, 0 before the founding."],
  reachableVoters: ["synod_reachable_voters", "Voters that this member has a link to, and itself if it votes."],
  revision: ["synod_revision", "Revision of this member's store."],
  keys: ["synod_keys", "Keys in this member's store."],
  sessions: ["synod_sessions", "Client sessions that are open."],
  idempotencyKeys: ["synod_idempotency_keys", "Idempotency keys whose results are remembered."],
  logBytes: ["synod_log_bytes", "Bytes of the log on disk."],
  logSegments: ["synod_log_segments", "Segments of the log on disk."],
  bytesSinceSnapshot: ["synod_log_bytes_since_snapshot", "Bytes of records since the newest snapshot."],
  snapshotBytes: ["synod_snapshot_bytes", "Bytes of state in the newest snapshot, 0 without one."],
  unsyncedBytes: ["synod_unsynced_bytes", "Bytes of records that wait for the sync under way to end."],
  unchosenBytes: ["synod_unchosen_bytes", "Bytes of values that this member proposed as leader and that are not chosen yet."],
};

/** The metrics that are set from one sample per scrape, but for those of peers. */
export class MemberGauges {
  readonly #registry: Registry;
  readonly #numbers: readonly (readonly [NumberField, Gauge])[];
  readonly #build: Gauge<"version" | "node_version">;
  readonly #member: Gauge<"member" | "incarnation" | "cluster">;
  readonly #isLeader: Gauge;
  readonly #role: Gauge<"role">;
  readonly #fenced: Gauge<"reason">;
  readonly #queueItems: Gauge<"queue">;
  readonly #longestTurn: Gauge;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#build = this.#gauge("synod_build_info", "1 for the version of synod and of Node.js that runs.", ["version", "node_version"]);
    this.#member = this.#gauge("synod_member_info", "1 for this member's name, incarnation and the id of its cluster.", ["member", "incarnation", "cluster"]);
    this.#isLeader = this.#gauge("synod_is_leader", "1 while this member leads.");
    this.#role = this.#gauge("synod_role", "1 for the role that this member has, 0 for the others.", ["role"]);
    this.#fenced = this.#gauge("synod_fenced", "1 for the reason for which this member does not vote any more, 0 for the others.", ["reason"]);
    this.#queueItems = this.#gauge("synod_queue_items", "Items that wait in a bounded queue.", ["queue"]);
    this.#longestTurn = this.#gauge("synod_eventloop_longest_turn_seconds", "Longest turn since the last scrape.");
    this.#numbers = (Object.keys(NUMBERS) as NumberField[]).map((field) => [field, this.#gauge(...NUMBERS[field])] as const);
  }

  /** Names and queues that the sample does not have any more disappear. */
  set(sample: MemberSample, longestTurnSeconds: number): void {
    for (const [field, gauge] of this.#numbers) gauge.set(Number(sample[field]));
    this.#build.set({ version: sample.version, node_version: process.version }, 1);
    this.#member.reset();
    this.#member.set({ member: sample.member, incarnation: sample.incarnation, cluster: sample.cluster }, 1);
    this.#isLeader.set(sample.role === "leader" ? 1 : 0);
    for (const role of ROLES) this.#role.set({ role }, sample.role === role ? 1 : 0);
    for (const reason of FENCES) this.#fenced.set({ reason }, sample.fence === reason ? 1 : 0);
    this.#queueItems.reset();
    for (const [queue, items] of Object.entries(sample.queues)) this.#queueItems.set({ queue }, items);
    this.#longestTurn.set(longestTurnSeconds);
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.#registry] });
  }
}
