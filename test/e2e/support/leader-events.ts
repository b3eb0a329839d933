import { EventEmitter, once } from "node:events";
import { MEMBER_PORT } from "../../../src/controller/resource/names.ts";
import type { Api } from "./api.ts";
import type { PaxosUnderTest } from "./paxos-under-test.ts";
import { BoundError } from "./until.ts";

/** A member has won an election, and when we heard of it by its own events. */
export interface Elected {
  readonly leader: string;
  readonly atMs: number;
}

/** Follows the events of every member of a cluster for elections, from their mouths and not from the controller's. */
export class LeaderEvents {
  readonly #stop = new AbortController();
  readonly #heard = new EventEmitter();
  readonly #elected: Elected[] = [];
  readonly #streams: readonly Promise<void>[];
  #open = 0;

  constructor(api: Api, cluster: PaxosUnderTest) {
    this.#streams = cluster.pods.map(({ metadata }) => this.#follow(api, cluster.namespace, metadata?.name ?? ""));
  }

  /** Resolves once every member is listened to. */
  async listening(boundMs: number): Promise<void> {
    await this.#until("all members are listened to", boundMs, () => this.#open === this.#streams.length ? true : undefined);
  }

  /** Resolves with the first election that somebody else than `old` has won. */
  next(old: string, boundMs: number): Promise<Elected> {
    return this.#until("an election is won", boundMs, () => this.#elected.find(({ leader }) => leader !== old));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#streams);
  }

  async #until<T>(what: string, boundMs: number, find: () => T | undefined): Promise<T> {
    const late = AbortSignal.timeout(boundMs);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const more = await once(this.#heard, "more", { signal: late }).then(() => true, () => false);
      if (!more) throw new BoundError(`${what}: not within ${boundMs} ms`);
    }
  }

  async #follow(api: Api, namespace: string, pod: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${MEMBER_PORT}/proxy/v1/events`;
    try {
      for await (const line of api.lines(path, this.#stop.signal)) this.#hear(pod, line);
    } catch {
      // The pod was deleted, as the test wants it, or the test is over.
    }
  }

  #hear(pod: string, line: string): void {
    if (line.startsWith("retry:")) this.#open += 1;
    else if (line === "event: electionWon") this.#elected.push({ leader: pod, atMs: performance.now() });
    else return;
    this.#heard.emit("more");
  }
}
