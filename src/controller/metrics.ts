import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { type CountedCluster, registerClusterGauges } from "./cluster-gauges.ts";

export interface ControllerSample {
  readonly clusters: readonly CountedCluster[];
  readonly queueDepth: number;
  readonly working: number;
  readonly leaseHeld: boolean;
  readonly eventStreams: number;
}

/** The parts that report their errors. */
export type ErrorSource = "events" | "lease" | "watch" | "leader";
const ERROR_SOURCES: readonly ErrorSource[] = ["events", "lease", "watch", "leader"];

/** Seconds; a pass reads about a dozen objects, and a change of membership may take as long as a member needs to catch up. */
const PASS_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

/** The controller's metrics, in a registry of their own. Gauges are asked for when they are scraped. */
export class ControllerMetrics {
  readonly #registry = new Registry();
  readonly #passSeconds: Histogram;
  readonly #passes: Counter<"outcome">;
  readonly #actions: Counter<"action" | "outcome">;
  readonly #errors: Counter<"where">;
  readonly #requests: Counter<"verb" | "kind">;
  readonly #leaderChanges: Counter;

  /** `sample` is called when metrics are scraped. */
  constructor(sample: () => ControllerSample) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#passSeconds = new Histogram({ name: "synod_controller_reconcile_seconds", help: "Time of one pass for one cluster.", buckets: PASS_BUCKETS, registers });
    this.#passes = new Counter({ name: "synod_controller_reconciles_total", help: "Passes, by how they ended.", labelNames: ["outcome"], registers });
    this.#actions = new Counter({ name: "synod_controller_actions_total", help: "Steps that were taken, by how they ended.", labelNames: ["action", "outcome"], registers });
    this.#errors = new Counter({ name: "synod_controller_errors_total", help: "Errors, by the part that met them.", labelNames: ["where"], registers });
    this.#requests = new Counter({ name: "synod_controller_api_requests_total", help: "Requests to the API server.", labelNames: ["verb", "kind"], registers });
    this.#leaderChanges = new Counter({ name: "synod_controller_leader_changes_total", help: "New leaders of clusters that were shown.", registers });
    for (const outcome of ["done", "failed"]) this.#passes.inc({ outcome }, 0);
    for (const where of ERROR_SOURCES) this.#errors.inc({ where }, 0);
    this.#gauge("synod_controller_clusters", "PaxosClusters that there are.", () => sample().clusters.length);
    registerClusterGauges(this.#registry, () => sample().clusters);
    this.#gauge("synod_controller_queue_depth", "Clusters that wait for a pass.", () => sample().queueDepth);
    this.#gauge("synod_controller_working", "Passes under way.", () => sample().working);
    this.#gauge("synod_controller_lease_held", "1 while this process may act.", () => Number(sample().leaseHeld));
    this.#gauge("synod_controller_event_streams", "Member pods whose events are followed now.", () => sample().eventStreams);
  }

  passEnded(seconds: number, outcome: "done" | "failed"): void {
    this.#passSeconds.observe(seconds);
    this.#passes.inc({ outcome });
  }

  actionEnded(action: string, outcome: "done" | "failed"): void {
    this.#actions.inc({ action, outcome });
  }

  failed(where: ErrorSource): void {
    this.#errors.inc({ where });
  }

  requested(verb: string, kind: string): void {
    this.#requests.inc({ verb, kind });
  }

  leaderChanged(): void {
    this.#leaderChanges.inc();
  }

  /** Everything in Prometheus' text format. */
  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  close(): void {
    this.#registry.clear();
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({ name, help, registers: [this.#registry], collect(): void { this.set(read()); } });
  }
}
