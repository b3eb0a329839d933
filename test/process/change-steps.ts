import type { ServiceEvent } from "../../src/api/service.ts";
import { followStream } from "../../src/client/event-stream.ts";
import type { Configuration } from "../../src/paxos/configuration.ts";
import { PATIENCE_MS, type TestCluster } from "./cluster.ts";

/** The named steps of a change, in the order in which its leader takes them. */
export const STEPS = ["configurationProposed", "configurationChanged", "configurationEntered", "configurationDone"] as const;
export type Step = (typeof STEPS)[number];

/** Watches a cluster's nodes for a step of one change, from before the change is asked for. */
export class StepWatch {
  readonly #over = new AbortController();
  readonly #cluster: TestCluster;
  readonly #open: Promise<unknown>;
  readonly #step: Step;
  readonly #isTheChange: (configuration: Configuration) => boolean;
  readonly #taken = Promise.withResolvers<string>();
  /** By slot: who proposed the change. */
  readonly #proposers = new Map<number, string>();
  #frozen: readonly string[] = [];

  constructor(cluster: TestCluster, step: Step, isTheChange: (configuration: Configuration) => boolean) {
    this.#cluster = cluster;
    this.#step = step;
    this.#isTheChange = isTheChange;
    this.#open = Promise.all(cluster.reachable().map(({ url }) => this.#follow(url)));
    this.#taken.promise.catch(() => {});
  }

  #follow(nodeUrl: string): Promise<void> {
    return new Promise((resolve) => {
      const url = new URL("/v1/events", nodeUrl).href;
      void followStream({ url, signal: this.#over.signal, onOpen: resolve, onEvent: ({ data }) => this.#take(JSON.parse(data) as ServiceEvent) });
    });
  }

  #take(event: ServiceEvent): void {
    const slot = Number(event["slot"]);
    if (event.type === "configurationProposed" && this.#isTheChange(event["configuration"] as Configuration)) this.#proposers.set(slot, event.member);
    // A leader that hears nobody steps down before it proposes anything: then the others are needed first.
    if (event.type === "steppedDown") this.#thaw();
    if (event.type === this.#step && this.#proposers.get(slot) === event.member) this.#taken.resolve(event.member);
  }

  /**
   * Asks for the change once all nodes are watched, and SIGKILLs its leader when that has taken the step. Resolves with the leader.
   * The first step is held: the other nodes are frozen meanwhile, so that nothing but the proposal can have come about.
   */
  async killAtStep(ask: () => void): Promise<string> {
    const late = setTimeout(() => this.#taken.reject(new Error(`no leader came to ${this.#step} within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    try {
      await this.#open;
      if (this.#step === "configurationProposed") await this.#freezeFollowers();
      ask();
      const leader = await this.#taken.promise;
      await this.#cluster.kill(leader);
      return leader;
    } finally {
      this.#thaw();
      clearTimeout(late);
      this.#over.abort();
    }
  }

  async #freezeFollowers(): Promise<void> {
    const { name: leader } = await this.#cluster.leader();
    this.#frozen = this.#cluster.reachable().map(({ name }) => name).filter((name) => name !== leader);
    await Promise.all(this.#frozen.map((name) => this.#cluster.pause(name)));
  }

  #thaw(): void {
    for (const name of this.#frozen) void this.#cluster.resume(name);
    this.#frozen = [];
  }
}
