import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { PaxosEvent, ProposalFailure } from "../paxos/interface.ts";
import { MemberGauges } from "./gauges.ts";
import { PeerMetrics } from "./peers.ts";
import type { MemberSample } from "./sample.ts";
import { Tally, type TallySeries } from "./tally.ts";

export type { MemberSample } from "./sample.ts";

export type ProposalOutcome = "chosen" | ProposalFailure;
export type ReadConsistency = "linearizable" | "local";
export type ReadEnd = "ok" | "failed";

const OUTCOMES: readonly ProposalOutcome[] = ["chosen", "notLeader", "busy", "diskFull", "superseded", "unknown"];

type StepDownReason = Extract<PaxosEvent, { readonly type: "steppedDown" }>["reason"];
const STEP_DOWN_REASONS: readonly StepDownReason[] = ["higherBallot", "quorumLost", "diskStalled", "transferred", "syncFailed", "removed"];

type CommandKind = "put" | "delete" | "session" | "time" | "refused";
const KINDS: readonly CommandKind[] = ["put", "delete", "session", "time", "refused"];

/** What applying a command came to: the types of the state machine's results. */
export type CommandEnd = "written" | "deleted" | "sessionOpened" | "sessionClosed" | "timeAdvanced" | "refused";

const KIND_OF: Readonly<Record<CommandEnd, CommandKind>> = {
  written: "put", deleted: "delete", sessionOpened: "session", sessionClosed: "session", timeAdvanced: "time", refused: "refused",
};

/** Seconds, from 100 µs on, about doubling. */
const LATENCY_BUCKETS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const DELAY_RESOLUTION_MS = 10;

/**
 * One member's metrics, in a registry of its own, so that several members may live in one process. Gauges are asked for when
 * they are scraped, counters are plain numbers until then; only histograms cost more than an addition, and they are fed once per
 * slot or sync, never per command.
 */
export class MemberMetrics {
  readonly #registry = new Registry();
  readonly #sample: () => MemberSample;
  readonly #gauges: MemberGauges;
  readonly #peers: PeerMetrics;
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #commitSeconds: Histogram;
  readonly #fdatasyncSeconds: Histogram;
  readonly #turnSeconds: Histogram;
  readonly #preVotesStarted: TallySeries;
  readonly #electionsStarted: TallySeries;
  readonly #electionsWon: TallySeries;
  readonly #electionsLost: TallySeries;
  readonly #leaderChanges: TallySeries;
  readonly #stepDowns: Tally<"reason">;
  readonly #syncFailures: TallySeries;
  readonly #writtenRecords: TallySeries;
  readonly #writtenBytes: TallySeries;
  readonly #commands: Readonly<Record<CommandKind, TallySeries>>;
  readonly #proposals: Readonly<Record<ProposalOutcome, TallySeries>>;
  readonly #reads: Readonly<Record<ReadConsistency, Readonly<Record<ReadEnd, TallySeries>>>>;
  readonly #dropped: Tally<"reason">;
  #longestTurnSeconds = 0;

  /** `sample` is called once per scrape. */
  constructor(sample: () => MemberSample) {
    this.#sample = sample;
    collectDefaultMetrics({ register: this.#registry });
    this.#delay.enable();
    this.#commitSeconds = this.#histogram("synod_commit_seconds", "Time from proposing a slot to its being chosen, at the leader.");
    this.#fdatasyncSeconds = this.#histogram("synod_fdatasync_seconds", "Time of one write to the log and its fdatasync.");
    this.#turnSeconds = this.#histogram("synod_eventloop_turn_seconds", "Time of the member's work in one turn of the event loop.");
    this.#preVotesStarted = this.#counter("synod_prevotes_started_total", "Pre-votes that this member started.");
    this.#electionsStarted = this.#counter("synod_elections_started_total", "Campaigns that this member started.");
    this.#electionsWon = this.#counter("synod_elections_won_total", "Campaigns that this member won.");
    this.#electionsLost = this.#counter("synod_elections_lost_total", "Campaigns that this member lost.");
    this.#leaderChanges = this.#counter("synod_leader_changes_total", "Times that this member came to follow another leader.");
    this.#stepDowns = new Tally(this.#registry, "synod_stepdowns_total", "Times that this member stopped leading, by why.", ["reason"]);
    for (const reason of STEP_DOWN_REASONS) this.#stepDowns.series(reason);
    this.#syncFailures = this.#counter("synod_sync_failures_total", "Syncs of the log that failed, those among them that were made up for by writing once more elsewhere.");
    this.#writtenRecords = this.#counter("synod_log_records_total", "Records made durable in the log by this process.");
    this.#writtenBytes = this.#counter("synod_log_written_bytes_total", "Bytes made durable in the log by this process.");
    this.#commands = this.#commandSeries();
    this.#proposals = this.#proposalSeries();
    this.#reads = this.#readSeries();
    this.#dropped = new Tally(this.#registry, "synod_dropped_messages_total", "Messages not sent or not taken.", ["reason"]);
    this.#gauges = new MemberGauges(this.#registry);
    this.#peers = new PeerMetrics(this.#registry);
  }

  /** Takes note of an event of the core. Events that are not counted are ignored. */
  paxosEvent(event: PaxosEvent): void {
    if (event.type === "preVoteStarted") this.#preVotesStarted.add();
    else if (event.type === "campaignStarted") this.#electionsStarted.add();
    else if (event.type === "electionWon") this.#electionsWon.add();
    else if (event.type === "electionLost") this.#electionsLost.add();
    else if (event.type === "steppedDown") this.#stepDowns.series(event.reason).add();
    else if (event.type === "leaderChanged" && event.leader !== null) this.#leaderChanges.add();
  }

  /** A batch of `commands` that this member proposed had this end. */
  proposalsEnded(outcome: ProposalOutcome, commands = 1): void {
    this.#proposals[outcome].add(commands);
  }

  readsEnded(consistency: ReadConsistency, end: ReadEnd, reads = 1): void {
    this.#reads[consistency][end].add(reads);
  }

  /** Once per slot that this member proposed. */
  committed(seconds: number): void {
    this.#commitSeconds.observe(seconds);
  }

  /** Commands that this member proposed were applied and came to this. */
  commandsApplied(results: readonly { readonly type: CommandEnd }[]): void {
    for (const { type } of results) this.#commands[KIND_OF[type]].add();
  }

  /** One write to the log and its fdatasync ended. */
  synced({ seconds, records, bytes }: { readonly seconds: number; readonly records: number; readonly bytes: number }): void {
    this.#fdatasyncSeconds.observe(seconds);
    this.#writtenRecords.add(records);
    this.#writtenBytes.add(bytes);
  }

  syncFailed(): void {
    this.#syncFailures.add();
  }

  /** The member's work in one turn of the event loop took this long. */
  turnEnded(seconds: number): void {
    if (seconds > this.#longestTurnSeconds) this.#longestTurnSeconds = seconds;
    this.#turnSeconds.observe(seconds);
  }

  /** `reason` is one of a few fixed words, such as the name of the queue that was full. */
  messagesDropped(reason: string, messages = 1): void {
    this.#dropped.series(reason).add(messages);
  }

  /** Everything in Prometheus' text format. */
  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    const sample = this.#sample();
    this.#gauges.set(sample, this.#takeLongestTurnSeconds());
    this.#peers.set(sample.peers);
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  close(): void {
    this.#delay.disable();
    this.#registry.clear();
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: LATENCY_BUCKETS, registers: [this.#registry] });
  }

  #counter(name: string, help: string): TallySeries {
    return new Tally(this.#registry, name, help, []).series();
  }

  #commandSeries(): Readonly<Record<CommandKind, TallySeries>> {
    const tally = new Tally(this.#registry, "synod_commands_total", "Commands that this member proposed and that were applied, by kind.", ["kind"]);
    return Object.fromEntries(KINDS.map((kind) => [kind, tally.series(kind)])) as Record<CommandKind, TallySeries>;
  }

  #proposalSeries(): Readonly<Record<ProposalOutcome, TallySeries>> {
    const tally = new Tally(this.#registry, "synod_proposals_total", "Commands proposed here, by how it ended.", ["outcome"]);
    return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, tally.series(outcome)])) as Record<ProposalOutcome, TallySeries>;
  }

  #readSeries(): Readonly<Record<ReadConsistency, Readonly<Record<ReadEnd, TallySeries>>>> {
    const tally = new Tally(this.#registry, "synod_reads_total", "Reads that this member answered.", ["consistency", "outcome"]);
    const ends = (consistency: ReadConsistency): Record<ReadEnd, TallySeries> => ({
      ok: tally.series(consistency, "ok"),
      failed: tally.series(consistency, "failed"),
    });
    return { linearizable: ends("linearizable"), local: ends("local") };
  }

  /** The longest turn since the last scrape: what was told, or what a timer saw in delay, whichever is more. */
  #takeLongestTurnSeconds(): number {
    const delaySeconds = Math.max(0, this.#delay.max / 1e9 - DELAY_RESOLUTION_MS / 1000);
    const longest = Math.max(this.#longestTurnSeconds, this.#delay.count === 0 ? 0 : delaySeconds);
    this.#longestTurnSeconds = 0;
    this.#delay.reset();
    return longest;
  }
}
