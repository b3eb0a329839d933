import { setTimeout as pause } from "node:timers/promises";
import type { KeyRing } from "../auth/key-ring.ts";
import { EventHistory } from "../api/event-history.ts";
import type {
  Consistency, FoundingStatus, LeaderNews, Members, Query, Readiness, ReadResult, Service, ServiceEvent, Status, WriteOutcome,
} from "../api/service.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { Fetch } from "../founding/member-call.ts";
import { MemberMetrics, type MemberSample } from "../metrics/metrics.ts";
import { ZERO_BALLOT } from "../paxos/ballot.ts";
import { allMembers, type Configuration, type MemberInfo } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { PaxosEvent } from "../paxos/interface.ts";
import type { StateMachine } from "../state/state-machine.ts";
import { type Fence, fenceError } from "../storage/fence-file.ts";
import type { Founding, MemberFolder } from "../storage/interface.ts";
import { isNoSpace } from "../storage/no-space.ts";
import type { LinkStatus } from "../transport/link-status.ts";
import { leaderNews, memberName, nameBallot, nameEvent } from "./event-names.ts";
import { checkNamed } from "./founding-check.ts";
import { memberNamed, MembershipService, NOT_HANDED_OVER } from "./membership-service.ts";
import type { Member } from "./member.ts";
import { sampleMember } from "./member-sample.ts";
import { judgeReadiness } from "./readiness.ts";
import { checkRenewal } from "./renewal.ts";

/** How long a transfer of leadership is waited for. */
const TRANSFER_WAIT_MS = 1_000;
const NO_MEMBERS: Configuration = { voters: [], learners: [], removed: [] };

export interface NodeServiceOptions {
  readonly storage: MemberFolder;
  readonly version: string;
  /** The keys of the cluster; null: none is asked for. */
  readonly keys: KeyRing | null;
  /** Calls another member. */
  readonly fetch: Fetch;
  /** What another member says of the members; null when it does not answer. */
  askMembers(member: MemberInfo): Promise<Members | null>;
  /** Gives up what the folder keeps, durably, and has the process end and be started anew. */
  renew(): Promise<void>;
  /** Starts the member once it is founded. */
  begin(founding: Founding): Promise<{ member: Member; links(): LinkStatus[] }>;
}

/** What the API serves: a member once it is founded, and little before that or when the folder may not be used any more. */
export class NodeService implements Service {
  readonly eventHistory: EventHistory;
  readonly memberMetrics: MemberMetrics;
  readonly membership: MembershipService;
  readonly #options: NodeServiceOptions;
  readonly #storage: MemberFolder;
  #member: Member | null = null;
  #fence: Fence | null = null;
  #links: () => LinkStatus[] = () => [];
  #founding: Promise<void> = Promise.resolve();

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    this.#storage = options.storage;
    this.eventHistory = new EventHistory(options.storage.identity.member, () => Date.now());
    this.memberMetrics = new MemberMetrics(() => this.#sample());
    this.membership = new MembershipService({
      member: () => this.#atWork(),
      cluster: () => this.#cluster ?? "",
      keys: options.keys,
      fetch: options.fetch,
      pause: (ms) => pause(ms),
    });
  }

  get member(): Member | null {
    return this.#member;
  }

  /** The member that can be asked about members. Throws a coded error when there is none, or it is out of touch. */
  #atWork(): Member {
    const member = this.#member;
    if (member === null) throw this.#notYet();
    if (member.fenceNow !== null) throw fenceError(member.fenceNow);
    return member;
  }

  /** Why there is no member to ask. */
  #notYet(): SynodError {
    if (this.#fence !== null) return fenceError(this.#fence);
    return new SynodError(this.#storage.founding === null ? "SYNOD_ERR_NOT_FOUNDED" : "SYNOD_ERR_STARTING");
  }

  /** Why there is no vote of this member any more, null while there is. */
  get fence(): Fence | null {
    return this.#member?.fenceNow ?? this.#fence;
  }

  /** Tells everybody from now on that the folder may not be used. */
  noteFence(fence: Fence): void {
    this.#fence ??= fence;
    this.eventHistory.publish("fenced", { ...fence });
  }

  noteDiskSpace(full: boolean): void {
    this.eventHistory.publish(full ? "diskFull" : "diskFree", {});
  }

  /** Starts the member if the folder was founded in an earlier life. */
  async beginIfFounded(): Promise<void> {
    if (this.#storage.founding !== null) await this.#begin(this.#storage.founding);
  }

  async #begin(founding: Founding): Promise<void> {
    const { member, links } = await this.#options.begin(founding);
    this.#member = member;
    this.#links = links;
  }

  /** Notes an event of the core, for all who follow. */
  observe(event: PaxosEvent): void {
    this.memberMetrics.paxosEvent(event);
    const configuration = this.#configuration();
    const news = event.type === "leaderChanged" ? leaderNews(this.#cluster, configuration, event.leader, event.ballot) : {};
    this.eventHistory.publish(event.type, { ...nameEvent(configuration, event), ...news });
  }

  get #cluster(): string | null {
    return this.#storage.founding?.cluster ?? null;
  }

  leaderNews(): LeaderNews {
    const core = this.#member?.status();
    const leader = this.fence === null ? core?.leader ?? null : null;
    return leaderNews(this.#cluster, this.#configuration(), leader, core?.ballot ?? ZERO_BALLOT);
  }

  write(command: Uint8Array, done: (outcome: WriteOutcome) => void): void {
    if (this.#member === null) return done(this.#notYet());
    this.#member.write(command, done);
  }

  read(query: Query, consistency: Consistency, done: (outcome: ReadResult | SynodError) => void): void {
    const member = this.#member;
    if (member === null) return done(this.#notYet());
    const finish = (error: SynodError | null): void => {
      this.memberMetrics.readsEnded(consistency, error === null ? "ok" : "failed");
      done(error ?? answer(member.state, query));
    };
    if (consistency === "local") return finish(member.refusal);
    member.read(finish);
  }

  status(): Status {
    const { member: name, incarnation } = this.#storage.identity;
    const core = this.#member?.status();
    const configuration = this.#configuration();
    return {
      member: name,
      incarnation,
      cluster: this.#cluster,
      role: this.fence !== null ? "fenced" : core?.role ?? "learner",
      leader: core === undefined || core.leader === null ? null : memberName(configuration, core.leader),
      ballot: nameBallot(configuration, core?.ballot ?? ZERO_BALLOT),
      committed: core?.chosenThrough ?? 0,
      applied: this.#member?.appliedSlot ?? 0,
      revision: this.#member?.state.revision ?? 0,
      configuration,
      peers: this.#peers(configuration),
      fenced: this.fence?.reason ?? null,
      fence: this.fence,
      keys: this.#options.keys?.fingerprints ?? [],
      diskFull: this.#member?.diskFull ?? false,
      version: this.#options.version,
    };
  }

  #configuration(): Configuration {
    return this.#member?.status().configuration ?? this.#storage.founding?.configuration ?? NO_MEMBERS;
  }

  #peers(configuration: Configuration): Status["peers"] {
    const links = new Map(this.#links().map((link) => [link.peer, link]));
    return allMembers(configuration)
      .filter((peer) => peer.incarnation !== this.#storage.identity.incarnation)
      .map((peer) => {
        const link = links.get(peer.incarnation);
        const { name, incarnation } = peer;
        return { name, incarnation, address: link?.address ?? peer.address, link: link?.state ?? "down", refused: link?.refused ?? null };
      });
  }

  identity(): FoundingStatus {
    const { member, incarnation } = this.#storage.identity;
    return { member, incarnation, cluster: this.#cluster };
  }

  /** One founding at a time; the storage refuses a second document. */
  found(founding: Founding, incarnation: Incarnation): Promise<void> {
    const done = this.#founding.then(() => this.#found(founding, incarnation));
    this.#founding = done.catch(() => {});
    return done;
  }

  async #found(founding: Founding, incarnation: Incarnation): Promise<void> {
    const own = this.#storage.identity.incarnation;
    if (this.#fence !== null) throw fenceError(this.#fence);
    if (incarnation !== own) throw new SynodError("SYNOD_ERR_WRONG_INCARNATION");
    checkNamed(founding, this.#storage.identity);
    await this.#storage.saveFounding(founding).catch((error: unknown) => {
      throw isNoSpace(error) ? new SynodError("SYNOD_ERR_NO_SPACE", "This member's disk is full: it cannot keep the document that makes it a member.") : error;
    });
    if (this.#member === null) await this.#begin(founding);
  }

  async renew(incarnation: Incarnation): Promise<void> {
    await checkRenewal(incarnation, {
      self: this.#storage.identity.incarnation,
      fence: this.fence,
      founded: this.#storage.founding !== null,
      left: this.#member?.left === true ? this.#member.status() : null,
      askMembers: (member) => this.#options.askMembers(member),
    });
    await this.#options.renew();
  }

  readiness(): Readiness {
    if (this.fence !== null) return { ready: false, live: true, reason: this.fence.reason };
    if (this.#member === null) {
      return { ready: false, live: true, reason: this.#storage.founding === null ? "not founded" : "restoring its state" };
    }
    const refusal = this.#member.refusal;
    if (refusal !== null) return { ready: false, live: true, reason: refusal.message };
    return judgeReadiness(this.#member.status(), this.#member.appliedSlot);
  }

  events(listener: (event: ServiceEvent) => void, afterId?: number): () => void {
    return this.eventHistory.follow(listener, afterId);
  }

  async transferLeadership(target?: string): Promise<void> {
    const member = this.#member;
    if (member === null) throw this.#notYet();
    const to = target === undefined ? null : memberNamed(this.#configuration(), target, "voter");
    const { role, leader } = this.status();
    if (role !== "leader") throw new SynodError("SYNOD_ERR_NOT_LEADER", undefined, { leader });
    const refusal = to === null ? null : member.refuseSuccessor(to);
    if (refusal !== null) throw refusal;
    if (!(await this.handOver(to))) throw new SynodError("SYNOD_ERR_CHANGE_UNKNOWN", NOT_HANDED_OVER);
  }

  /** Hands leadership over. Resolves, with whether it succeeded, as soon as another leader is known or the time is up. */
  handOver(target: Incarnation | null): Promise<boolean> {
    const member = this.#member;
    if (member === null || member.status().role !== "leader") return Promise.resolve(false);
    return new Promise((resolve) => {
      const self = this.#storage.identity.member;
      const finish = (succeeded: boolean): void => {
        clearTimeout(timer);
        unfollow();
        resolve(succeeded);
      };
      const timer = setTimeout(() => finish(false), TRANSFER_WAIT_MS);
      const unfollow = this.eventHistory.follow((event) => {
        if (event.type === "transferFailed") finish(false);
        else if (event.type === "leaderChanged" && event["leader"] !== null && event["leader"] !== self) finish(true);
      });
      member.transferLeadership(target);
    });
  }

  metrics(): Promise<{ readonly contentType: string; readonly text: string }> {
    return this.memberMetrics.scrape();
  }

  #sample(): MemberSample {
    return sampleMember({
      storage: this.#storage,
      member: this.#member,
      links: this.#links(),
      configuration: this.#configuration(),
      fence: this.fence,
      ready: this.readiness().ready,
      version: this.#options.version,
    });
  }
}

function answer(state: StateMachine, query: Query): ReadResult {
  const { revision } = state;
  if (query.type === "get") return { type: "get", revision, record: state.get(query.key) };
  const { prefix, limit, after } = query;
  return { type: "range", revision, ...state.range(after === undefined ? { prefix, limit } : { prefix, limit, after }) };
}
