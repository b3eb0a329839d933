import type { KubernetesObject, V1StatefulSetSpec } from "@kubernetes/client-node";
import { memberAddress, podName } from "../../../src/controller/resource/names.ts";
import type { PaxosCluster } from "../../../src/controller/resource/paxos-cluster.ts";
import type { Observed, ObservedBootstrap, ObservedConfiguration, ObservedMember, ObservedPod, ObservedSecret } from "../../../src/controller/plan/observed.ts";
import { SeededRandom } from "../../../src/scenario/seeded-random.ts";

export type Fence = NonNullable<ObservedMember["fence"]>;

/** What is on a member's disk. */
export interface Volume {
  incarnation: string;
  cluster: string | null;
  fence: Fence | null;
  /** It has been told that it left. */
  removed: boolean;
  /** The number of the last acknowledged write that it holds. */
  data: number;
}

export interface Claim {
  readonly uid: string;
  readonly ordinal: number;
  terminating: boolean;
  owned: boolean;
  size: string;
  /** Null until a pod has used it. */
  volume: Volume | null;
}

export interface Pod {
  readonly uid: string;
  readonly ordinal: number;
  readonly revision: string;
  readonly image: string;
  readonly createdMs: number;
  running: boolean;
  ready: boolean;
  terminating: boolean;
  label: boolean;
  announced: { key: string; atMs: number } | null;
  keys: string[];
}

export interface Seat {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  voter: boolean;
  caughtUp: boolean;
}

/** What the log of one Paxos cluster says, and who leads it. */
export interface Group {
  readonly cluster: string;
  slot: number;
  seats: Seat[];
  removed: string[];
  pending: boolean;
  leader: string | null;
  round: number;
  /** The number of the last acknowledged write. */
  written: number;
}

/** Images that do not do what they should. */
export const BAD_IMAGES = ["missing", "crashing", "unready"] as const;

/**
 * A small model of a Kubernetes cluster with one PaxosCluster in it: a StatefulSet's controller, a kubelet, volumes, and members whose
 * leader refuses what the real one refuses. Everything that happens is drawn from one seed. One tick is a second.
 */
export class World {
  readonly random: SeededRandom;
  cluster: PaxosCluster;
  nowMs = 1_700_000_000_000;
  objects = new Map<string, KubernetesObject>();
  settled = false;
  claims = new Map<number, Claim>();
  pods = new Map<number, Pod>();
  groups = new Map<string, Group>();
  bootstrap: ObservedBootstrap | null = null;
  secret: ObservedSecret | null = null;
  violations: string[] = [];
  /** What is done now was planned from an observation that is not true any more. */
  stale = false;
  /** How often the answer to an adding is lost. */
  unreliable = 0;
  /** The key that the controller would know if the Secret were lost. */
  rememberedKey: string | null = null;
  #ids = 0;
  #template: object | null = null;
  #revision = "";

  constructor(seed: number, cluster: PaxosCluster) {
    this.random = new SeededRandom(seed);
    this.cluster = cluster;
  }

  id(kind: string): string {
    return `${kind}-${(this.#ids += 1)}`;
  }

  get name(): string {
    return this.cluster.metadata.name;
  }

  get statefulSet(): { uid: string; spec: V1StatefulSetSpec } | null {
    const live = this.objects.get(`StatefulSet/${this.name}`) as (KubernetesObject & { spec: V1StatefulSetSpec }) | undefined;
    return live === undefined ? null : { uid: live.metadata?.uid ?? "", spec: live.spec };
  }

  /** The revision that the StatefulSet's template makes: the same for the same template. */
  get revision(): string {
    const template = this.statefulSet?.spec.template ?? null;
    if (template !== this.#template) [this.#template, this.#revision] = [template, JSON.stringify(template)];
    return this.#revision;
  }

  /** The group that the founding document names. */
  get group(): Group | null {
    return this.bootstrap === null ? null : this.groups.get(this.bootstrap.cluster) ?? null;
  }

  /** The volume that a running process works on. */
  volumeOf(pod: Pod): Volume | null {
    return pod.running ? this.claims.get(pod.ordinal)?.volume ?? null : null;
  }

  /** Whether a seat's member runs and takes part. */
  isLive(group: Group, id: string): boolean {
    return [...this.pods.values()].some((pod) => {
      const volume = this.volumeOf(pod);
      return volume !== null && volume.incarnation === id && volume.cluster === group.cluster && volume.fence === null;
    });
  }

  hasQuorum(group: Group, seats = group.seats): boolean {
    const voters = seats.filter(({ voter }) => voter);
    return voters.filter(({ id }) => this.isLive(group, id)).length >= Math.floor(voters.length / 2) + 1;
  }

  /** A voter's disk is what it was: the member may come back with it. */
  isIntact({ id, name }: Seat): boolean {
    return [...this.claims.values()].some(({ ordinal, volume }) =>
      podName(this.name, ordinal) === name && volume?.incarnation === id && (volume.fence === null || volume.fence.kind === "disk"));
  }

  tick(): void {
    this.nowMs += 1_000;
    this.#collectGarbage();
    this.#runStatefulSet();
    for (const pod of [...this.pods.values()]) if (this.random.chance(0.7)) this.#runPod(pod);
    for (const claim of [...this.claims.values()]) if (claim.terminating && !this.pods.has(claim.ordinal)) this.claims.delete(claim.ordinal);
    for (const group of this.groups.values()) this.#runGroup(group);
    for (const pod of this.pods.values()) pod.ready = this.#isReady(pod);
  }

  /** Whatever belongs to a PaxosCluster that is gone goes too. */
  #collectGarbage(): void {
    for (const [key, { metadata }] of this.objects) {
      if (metadata?.ownerReferences?.some(({ uid }) => uid !== this.cluster.metadata.uid) === true) this.objects.delete(key);
    }
  }

  #runStatefulSet(): void {
    const set = this.statefulSet;
    if (set === null) return;
    if (this.random.chance(0.7)) this.settled = true;
    const { replicas = 0 } = set.spec;
    for (const pod of this.pods.values()) if (pod.ordinal >= replicas) pod.terminating = true;
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      if (this.pods.has(ordinal) || this.claims.get(ordinal)?.terminating === true || !this.random.chance(0.7)) continue;
      if (!this.claims.has(ordinal)) {
        const size = set.spec.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.["storage"] ?? "";
        this.claims.set(ordinal, { uid: this.id("claim"), ordinal, terminating: false, owned: false, size, volume: null });
      }
      this.pods.set(ordinal, {
        uid: this.id("pod"), ordinal, revision: this.revision, image: set.spec.template.spec?.containers[0]?.image ?? "", createdMs: this.nowMs,
        running: false, ready: false, terminating: false, label: false, announced: null, keys: [],
      });
    }
  }

  #runPod(pod: Pod): void {
    if (pod.terminating) return void this.pods.delete(pod.ordinal);
    const claim = this.claims.get(pod.ordinal);
    if (!pod.running && claim !== undefined && this.secret !== null && pod.image !== "missing" && pod.image !== "crashing") {
      pod.running = true;
      pod.keys = [];
      claim.volume ??= this.blankVolume();
      // A disk that failed may be well again.
      if (claim.volume.fence?.kind === "disk" && this.random.chance(0.7)) claim.volume.fence = null;
    }
    if (pod.running && this.secret !== null) {
      const { current, previous } = this.secret;
      const known = [current, ...(previous === null ? [] : [previous]), ...pod.keys];
      pod.keys = [...new Set(known)].slice(0, 4);
    }
  }

  blankVolume(): Volume {
    return { incarnation: this.id("incarnation"), cluster: null, fence: null, removed: false, data: 0 };
  }

  #runGroup(group: Group): void {
    const led = group.leader !== null && this.hasQuorum(group) && this.isLive(group, group.leader) && group.seats.some(({ id, voter }) => voter && id === group.leader);
    if (!led) {
      group.leader = null;
      if (!this.hasQuorum(group) || this.random.chance(0.3)) return;
      group.leader = this.random.pick(group.seats.filter(({ id, voter }) => voter && this.isLive(group, id))).id;
      group.round += 1;
    }
    this.#write(group);
    if (group.pending && this.random.chance(0.6)) this.#finishChange(group);
    for (const pod of this.pods.values()) {
      const volume = this.volumeOf(pod);
      if (volume !== null && volume.cluster === group.cluster && group.seats.every(({ id }) => id !== volume.incarnation)) volume.removed = true;
    }
    for (const seat of group.seats) {
      if (!this.isLive(group, seat.id)) seat.caughtUp = false;
      else if (this.random.chance(0.5)) this.#catchUp(group, seat);
    }
  }

  /** A write is acknowledged once some majority holds it, and who else does is chance. */
  #write(group: Group): void {
    const voters = group.seats.filter(({ voter }) => voter);
    const live = voters.filter(({ id }) => this.isLive(group, id));
    group.written += 1;
    const spare = live.length - (Math.floor(voters.length / 2) + 1);
    const without = new Set(Array.from({ length: spare }, () => (this.random.chance(0.5) ? this.random.pick(live).id : "")));
    for (const { id } of live) if (!without.has(id)) this.#holds(group, id);
  }

  /** Rule 16a: a majority of the new voters holds everything. */
  #finishChange(group: Group): void {
    for (const { id, voter } of group.seats) if (voter && this.isLive(group, id)) this.#holds(group, id);
    group.pending = false;
  }

  #catchUp(group: Group, seat: Seat): void {
    seat.caughtUp = true;
    this.#holds(group, seat.id);
  }

  #holds(group: Group, id: string): void {
    for (const { volume } of this.claims.values()) if (volume?.incarnation === id) volume.data = group.written;
  }

  #isReady(pod: Pod): boolean {
    const volume = this.volumeOf(pod);
    const group = volume?.cluster === undefined || volume.cluster === null ? undefined : this.groups.get(volume.cluster);
    if (volume === null || group === undefined || group.leader === null || volume.fence !== null || pod.image === "unready") return false;
    return group.seats.some(({ id, voter, caughtUp }) => id === volume.incarnation && voter && caughtUp);
  }

  /** Every majority of voters that may come back has somebody who holds every acknowledged write. */
  checkData(): void {
    for (const group of this.groups.values()) {
      const voters = group.seats.filter(({ voter }) => voter);
      const holds = (id: string): boolean => [...this.claims.values()].some(({ volume }) => volume?.incarnation === id && volume.data >= group.written);
      const behind = voters.filter((seat) => this.isIntact(seat) && !holds(seat.id));
      if (behind.length > Math.floor(voters.length / 2)) this.violations.push(`cluster ${group.cluster} may have forgotten write ${group.written}`);
    }
  }

  /** What a controller sees. `answers` says how likely each member is to answer. */
  observe(answers = 1): Observed {
    const set = this.statefulSet;
    return {
      cluster: this.cluster,
      nowMs: this.nowMs,
      objects: new Map(this.objects),
      statefulSet: set === null ? null : { uid: set.uid, replicas: set.spec.replicas ?? 0, updateRevision: this.revision, settled: this.settled },
      pods: [...this.pods.values()].map((pod) => this.#observePod(pod)),
      claims: [...this.claims.values()].map(({ uid, ordinal, terminating, size, owned }) => ({ uid, ordinal, name: `data-${this.name}-${ordinal}`, terminating, size, owned })),
      members: [...this.pods.values()].filter((pod) => pod.running && this.random.chance(answers)).map((pod) => this.#observeMember(pod)),
      configuration: this.random.chance(answers) ? this.#observeConfiguration() : null,
      bootstrap: this.bootstrap,
      secret: this.secret,
      refusal: null,
    };
  }

  #observePod({ uid, ordinal, running, ready, terminating, revision, label, announced, createdMs, image }: Pod): ObservedPod {
    return {
      ordinal, name: podName(this.name, ordinal), uid, ip: running ? "10.1.0.1" : null, running, ready, terminating, revision, leaderLabel: label, announced, createdMs,
      waiting: running ? null : image === "missing" ? "ImagePullBackOff" : image === "crashing" ? "CrashLoopBackOff" : "ContainerCreating",
    };
  }

  #observeMember(pod: Pod): ObservedMember {
    const volume = this.volumeOf(pod);
    if (volume === null) throw new Error("A running pod has a volume.");
    const { incarnation, cluster, fence, removed } = volume;
    const leads = cluster !== null && this.groups.get(cluster)?.leader === incarnation;
    const role = fence !== null ? "fenced" : removed ? "removed" : leads ? "leader" : cluster === null ? "learner" : "follower";
    return { ordinal: pod.ordinal, podUid: pod.uid, name: podName(this.name, pod.ordinal), incarnation, cluster, role, fence, keys: pod.keys };
  }

  #observeConfiguration(): ObservedConfiguration | null {
    const { group } = this;
    if (group === null) return null;
    const known = [...this.pods.values()].some((pod) => this.volumeOf(pod)?.cluster === group.cluster);
    if (!known) return null;
    const fromLeader = group.leader !== null;
    const leader = group.seats.find(({ id }) => id === group.leader);
    return {
      cluster: group.cluster, slot: group.slot, pending: fromLeader ? group.pending : null, fromLeader, removed: group.removed,
      seats: group.seats.map(({ id, name, address, voter, caughtUp }) => ({
        id, name, address, role: voter ? "voter" as const : "learner" as const, leader: id === group.leader,
        live: fromLeader ? this.isLive(group, id) : null, caughtUp: fromLeader ? caughtUp : null,
      })),
      leader: leader === undefined ? null : { name: leader.name, ballot: { round: group.round, incarnation: leader.id } },
    };
  }

  addressOf(ordinal: number): string {
    return memberAddress(this.cluster, ordinal);
  }
}
