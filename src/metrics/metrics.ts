import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { PaxosEvent, ProposalFailure } from "../paxos/interface.ts";
import { MemberGauges, type MemberSample } from "./gauges.ts";
import { Tally, type TallySeries } from "./tally.ts";

export type { MemberSample } from "./gauges.ts";

export type ProposalOutcome = "chosen" | ProposalFailure;
export type ReadConsistency = "linearizable" | "local";
export type ReadEnd = "ok" | "failed";

const OUTCOMES: readonly ProposalOutcome[] = ["chosen", "notLeader", "busy", "diskFull", "superseded", "unknown"];

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
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #commitSeconds: Histogram;
  readonly #fdatasyncSeconds: Histogram;
  readonly #turnSeconds: Histogram;
  readonly #electionsStarted: TallySeries;
  readonly #electionsWon: TallySeries;
  readonly #electionsLost: TallySeries;
  readonly #leaderChanges: TallySeries;
  readonly #syncFailures: TallySeries;
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
    this.#electionsStarted = this.#counter("synod_elections_started_total", "Campaigns that this member started.");
    this.#electionsWon = this.#counter("synod_elections_won_total", "Campaigns that this member won.");
    this.#electionsLost = this.#counter("synod_elections_lost_total", "Campaigns that this member lost.");
    this.#leaderChanges = this.#counter("synod_leader_changes_total", "Times that this member came to follow another leader.");
    this.#syncFailures = this.#counter("synod_sync_failures_total", "Syncs of the log that failed.");
    this.#proposals = this.#proposalSeries();
    this.#reads = this.#readSeries();
    this.#dropped = new Tally(this.#registry, "synod_dropped_messages_total", "Messages not sent or not taken.", ["reason"]);
    this.#gauges = new MemberGauges(this.#registry);
  }

  /** Takes note of an event of the core. Events that are not counted are ignored. */
  paxosEvent(event: PaxosEvent): void {
    if (event.type === "campaignStarted") this.#electionsStarted.add();
    else if (event.type === "electionWon") this.#electionsWon.add();
    else if (event.type === "electionLost") this.#electionsLost.add();
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

  synced(seconds: number): void {
    this.#fdatasyncSeconds.observe(seconds);
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
    this.#gauges.set(this.#sample(), this.#takeLongestTurnSeconds());
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
