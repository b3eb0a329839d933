import { EventHistory } from "../../src/api/event-history.ts";
import type {
  Consistency, FoundingStatus, LeaderNews, Members, Membership, Query, Readiness, ReadResult, Service, ServiceEvent, Status, WriteOutcome,
} from "../../src/api/service.ts";
import { SynodError } from "../../src/errors/synod-error.ts";
import { incarnation } from "../../src/paxos/ids.ts";
import { StateMachine } from "../../src/state/state-machine.ts";
import type { Founding } from "../../src/storage/interface.ts";

export const INCARNATION = incarnation("0123456789abcdef0123456789abcdef");

type Outcome = WriteOutcome | ReadResult;

/** Notes what it is asked for, and answers with one voter, or with what it is told to throw. */
class FakeMembership implements Membership {
  readonly calls: unknown[] = [];
  failure: SynodError | null = null;

  members = (): Promise<Members> => this.#answer("members");
  add = async (...asked: Parameters<Membership["add"]>): Promise<Members & { added: string }> => ({ ...await this.#answer("add", ...asked), added: "b".repeat(32) });
  promote = (...asked: Parameters<Membership["promote"]>): Promise<Members> => this.#answer("promote", ...asked);
  remove = (...asked: Parameters<Membership["remove"]>): Promise<Members> => this.#answer("remove", ...asked);
  transferLeadership = (id: string): Promise<Members> => this.#answer("transferLeadership", id);

  async #answer(...call: readonly unknown[]): Promise<Members> {
    this.calls.push(call);
    if (this.failure !== null) throw this.failure;
    const entry = { id: "a".repeat(32), name: "node-1", address: "h:1", role: "voter", leader: true, behind: 0, heardMs: 0, caughtUp: true } as const;
    return { configuration: 7, pending: false, members: [entry], removed: [] };
  }
}

/** A member of a cluster of one, without disk or peers: a real state machine, whose answers a test may hold back or replace. */
export class FakeService implements Service {
  readonly membership = new FakeMembership();
  readonly history = new EventHistory("m1", () => 1_700_000_000_000, 8);
  readonly transfers: (string | undefined)[] = [];
  renewals = 0;
  /** Requests that were begun. */
  requests = 0;
  /** Answers wait for `release` while true. */
  holding = false;
  /** Given the number of a request, an error that it ends with instead of being executed. */
  refuse: (request: number) => SynodError | null = () => null;
  /** Given the number of a request, an error that it ends with after having been executed. */
  mislay: (request: number) => SynodError | null = () => null;
  ready: Readiness = { ready: true, live: true, reason: "serving" };
  cluster: string | null = null;
  thrown: Error | null = null;
  readonly #state = new StateMachine();
  readonly #held: (() => void)[] = [];
  #slot = 0;
  #listeners = 0;

  get heldCount(): number {
    return this.#held.length;
  }

  get listenerCount(): number {
    return this.#listeners;
  }

  get sessionCount(): number {
    return this.#state.sessionCount;
  }

  write(command: Uint8Array, done: (outcome: WriteOutcome) => void): void {
    this.#answer(() => {
      this.#slot += 1;
      return this.#state.apply(this.#slot, command);
    }, done);
  }

  read(query: Query, _consistency: Consistency, done: (outcome: ReadResult | SynodError) => void): void {
    this.#answer<ReadResult>(() => {
      const { revision } = this.#state;
      if (query.type === "get") return { type: "get", revision, record: this.#state.get(query.key) };
      return { type: "range", revision, ...this.#state.range(query) };
    }, done);
  }

  release(): void {
    this.holding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  status(): Status {
    if (this.thrown !== null) throw this.thrown;
    const { revision } = this.#state;
    const member = { name: "m1", incarnation: INCARNATION, address: "127.0.0.1:1" };
    return {
      member: "m1", incarnation: INCARNATION, cluster: this.cluster, role: "leader", leader: "m1",
      ballot: { round: 1, member: "m1", incarnation: INCARNATION }, committed: this.#slot, applied: this.#slot, revision,
      configuration: { voters: [member], learners: [] }, peers: [], fenced: null, fence: null, keys: [], diskFull: false, version: "0.1.0",
    };
  }

  identity(): FoundingStatus {
    return { member: "m1", incarnation: INCARNATION, cluster: this.cluster };
  }

  async found(founding: Founding, named: string): Promise<void> {
    if (named !== INCARNATION) throw new SynodError("SYNOD_ERR_WRONG_INCARNATION");
    if (this.cluster !== null && this.cluster !== founding.cluster) throw new SynodError("SYNOD_ERR_ALREADY_FOUNDED");
    this.cluster = founding.cluster;
  }

  async renew(named: string): Promise<void> {
    if (named !== INCARNATION) throw new SynodError("SYNOD_ERR_WRONG_INCARNATION");
    this.renewals += 1;
  }

  readiness(): Readiness {
    return this.ready;
  }

  leaderNews(): LeaderNews {
    const { cluster, leader, ballot } = this.status();
    return { cluster, leader, leaderIncarnation: INCARNATION, address: "127.0.0.1:1", ballot };
  }

  events(listener: (event: ServiceEvent) => void, afterId?: number): () => void {
    this.#listeners += 1;
    const stop = this.history.follow(listener, afterId);
    let stopped = false;
    return () => {
      if (!stopped) this.#listeners -= 1;
      stopped = true;
      stop();
    };
  }

  async transferLeadership(target?: string): Promise<void> {
    this.transfers.push(target);
  }

  async metrics(): Promise<{ contentType: string; text: string }> {
    return { contentType: "text/plain; version=0.0.4; charset=utf-8", text: "synod_is_leader 1\n" };
  }

  #answer<T extends Outcome>(execute: () => T, done: (outcome: T | SynodError) => void): void {
    this.requests += 1;
    const { requests } = this;
    const answer = (): void => {
      const refusal = this.refuse(requests);
      if (refusal !== null) return done(refusal);
      const outcome = execute();
      done(this.mislay(requests) ?? outcome);
    };
    if (this.holding) this.#held.push(answer);
    else answer();
  }
}
