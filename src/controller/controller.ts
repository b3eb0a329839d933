import type { KubeConfig } from "@kubernetes/client-node";
import type { Logger } from "pino";
import { SynodError } from "../errors/synod-error.ts";
import { type HealthServer, serveHealth } from "./health-server.ts";
import { KubeClient } from "./kube/client.ts";
import { type Clock, systemClock } from "./kube/clock.ts";
import { EventRecorder } from "./kube/event-recorder.ts";
import { LeaseElection, type LeaseTimes } from "./kube/lease-election.ts";
import { isOutcome } from "./kube/kube-error.ts";
import { WorkQueue } from "./kube/work-queue.ts";
import { EventStreams } from "./members/event-streams.ts";
import { podUrl } from "./members/member-calls.ts";
import { ControllerMetrics, type ErrorSource } from "./metrics.ts";
import type { Plan } from "./plan/actions.ts";
import type { Observed } from "./plan/observed.ts";
import { LeaderBoard } from "./reconcile/leader-board.ts";
import { LeaderWatch, type WatchedPod } from "./reconcile/leader-watch.ts";
import type { UrlOf } from "./reconcile/observe-members.ts";
import { keyOf, Reconciler } from "./reconcile/reconciler.ts";
import { Watches } from "./watches.ts";

export interface ControllerOptions {
  readonly config: KubeConfig;
  /** The namespace whose clusters are kept; absent: those of all. */
  readonly namespace?: string | undefined;
  readonly lease: { readonly namespace: string; readonly name: string; readonly times?: LeaseTimes };
  /** Different for every process. */
  readonly identity: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly log: Logger;
  readonly plan: (observed: Observed) => Plan;
  /** How members are reached; by their pods' addresses unless a test has its own way. */
  readonly urlOf?: UrlOf;
  readonly clock?: Clock;
  readonly resyncMs?: number;
}

/** Passes for different clusters that may be under way at once. */
const CONCURRENCY = 4;

/**
 * One controller process. All processes watch and follow all the time; the one that holds the Lease acts. So a successor knows at once what
 * there is. A cluster needs none of them to serve.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: ControllerMetrics;
  readonly #recorder: EventRecorder;
  readonly #lease: LeaseElection;
  readonly #queue: WorkQueue;
  readonly #reconciler: Reconciler;
  readonly #watches: Watches;
  readonly #streams: EventStreams;
  readonly #leaders: LeaderWatch;
  #health: HealthServer | null = null;
  #synced = false;
  #stopping = false;

  constructor(options: ControllerOptions) {
    const { config, identity, plan, urlOf = podUrl, clock = systemClock, log, namespace, lease, resyncMs } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#metrics = new ControllerMetrics(() => this.#sample());
    const client = new KubeClient(config, ({ verb, kind }) => this.#metrics.requested(verb, kind));
    this.#recorder = new EventRecorder({ client, clock, identity, onError: this.#failed("events") });
    this.#lease = new LeaseElection({
      client, clock, ...lease, identity, onHeld: () => this.#begin(), onLost: () => this.#end(), onError: this.#failed("lease"),
    });
    const assertHeld = (): void => this.#assertHeld();
    const board = new LeaderBoard(client, assertHeld);
    this.#reconciler = new Reconciler({
      client, clock, plan, urlOf, recorder: this.#recorder, board, assertHeld,
      onAction: (action, outcome) => this.#metrics.actionEnded(action, outcome),
      ...(resyncMs === undefined ? {} : { resyncMs }),
    });
    this.#queue = new WorkQueue({ clock, concurrency: CONCURRENCY, work: (key) => this.#pass(key), onError: (key, error) => this.#passFailed(key, error) });
    this.#watches = new Watches({
      client, clock, namespace, onCluster: (key) => this.#queue.add(key), onPod: (pod, change) => this.#followPod(pod, change), onError: this.#failed("watch"),
    });
    this.#streams = new EventStreams({ clock, urlOf, onTold: (pod) => this.#told(pod) });
    this.#leaders = new LeaderWatch({
      client, board, urlOf, wallMs: () => clock.wallMs(), held: () => this.#lease.held,
      clusterOf: (key) => this.#watches.cluster(key), podsOf: (key) => this.#watches.pods(key),
      onChange: (key) => this.#leaderChanged(key), onError: this.#failed("leader"),
    });
  }

  /** Where health and metrics are served. */
  get url(): string {
    return this.#health?.url ?? "";
  }

  /** Resolves once it listens; it watches and competes for the Lease from then on. Throws `SYNOD_ERR_BAD_REQUEST` when it cannot listen. */
  async start(): Promise<void> {
    const { host, port } = this.#options.listen;
    const notReady = (): string | null => (this.#synced ? null : "not everything was listed yet");
    this.#health = await serveHealth({ host, port, notReady, metrics: () => this.#metrics.scrape() });
    this.#watches.start();
    void this.#competeOnceSynced();
  }

  /** Ends what is under way, gives the Lease to whoever wants it, and closes everything. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#streams.stop();
    await Promise.all([this.#watches.stop(), this.#queue.stop()]);
    await this.#recorder.flush();
    await this.#lease.stop();
    await this.#health?.close();
    this.#metrics.close();
  }

  async #competeOnceSynced(): Promise<void> {
    await this.#watches.synced();
    this.#synced = true;
    if (this.#stopping) return;
    this.#log.info("everything was listed; competing for the Lease");
    this.#lease.start();
  }

  #begin(): void {
    this.#log.info("this process holds the Lease and acts");
    this.#queue.start();
    for (const { metadata } of this.#watches.clusters()) this.#queue.add(keyOf(metadata));
    for (const pod of this.#watches.pods()) this.#told(pod);
  }

  #end(): void {
    this.#log.warn("this process does not hold the Lease any more and stops acting");
    void this.#queue.stop();
  }

  #assertHeld(): void {
    if (this.#stopping || !this.#lease.held) throw new SynodError("SYNOD_ERR_STOPPING", "This controller does not act any more.");
  }

  async #pass(key: string): Promise<number | null> {
    const startedAt = this.#clock.now();
    const ended = (outcome: "done" | "failed"): void => this.#metrics.passEnded((this.#clock.now() - startedAt) / 1_000, outcome);
    try {
      const againMs = await this.#reconciler.pass(key);
      ended("done");
      return againMs;
    } catch (error) {
      ended("failed");
      throw error;
    }
  }

  #passFailed(key: string, error: unknown): void {
    const level = isOutcome(error, "conflict") ? "debug" : "warn";
    this.#log[level]({ cluster: key, ...describe(error) }, "a pass did not end well and will be made again");
  }

  #followPod(pod: WatchedPod, change: "set" | "deleted"): void {
    if (change === "deleted" || pod.ip === "") this.#streams.unfollow(pod.uid);
    else this.#streams.follow(pod);
  }

  #told(pod: { readonly key: string; readonly name: string; readonly uid: string; readonly ip: string }): void {
    if (pod.ip === "") return;
    this.#queue.add(pod.key);
    void this.#leaders.told(pod);
  }

  #leaderChanged(key: string): void {
    this.#metrics.leaderChanged();
    this.#queue.add(key);
  }

  #failed(where: ErrorSource): (error: unknown) => void {
    return (error) => {
      this.#metrics.failed(where);
      this.#log.warn({ where, ...describe(error) }, "something failed and will be tried again");
    };
  }

  #sample(): ReturnType<ConstructorParameters<typeof ControllerMetrics>[0]> {
    return {
      clusters: this.#watches.clusters(), queueDepth: this.#queue.depth, working: this.#queue.working,
      leaseHeld: this.#lease.held, eventStreams: this.#streams.open,
    };
  }
}

/** Coded errors by what they say; only a fault of the program's own shows its stack. */
function describe(error: unknown): object {
  if (error instanceof SynodError) return { code: error.code, reason: error.message };
  return { code: "SYNOD_ERR_INTERNAL", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
