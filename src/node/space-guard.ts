import type { Configuration } from "../paxos/configuration.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Input } from "../paxos/interface.ts";
import type { Message } from "../paxos/messages.ts";
import { Successors } from "../paxos/successors.ts";
import type { StorageStats } from "../storage/interface.ts";
import { bringsGrowth, DiskSpace } from "./disk-space.ts";
import type { PeerMessage } from "./peer-messages.ts";

/** A leader that hands over because of full disks gives each voter so long for it, which is longer than its core waits, and then rest, doubled each time. */
const HAND_OVER_MS = 1_000;
/** How often a member with a full disk takes a snapshot, if anything was applied since the last. */
const MAKE_ROOM_MS = 10_000;

export interface SpaceGuardPort {
  nowMs(): number;
  configuration(): Configuration;
  leads(): boolean;
  stats(): Pick<StorageStats, "records" | "full" | "scarce">;
  /** Those with whom there is a link. */
  peers(): Iterable<Incarnation>;
  send(to: Incarnation, message: PeerMessage): void;
  step(input: Input): void;
  requestSnapshot(): void;
}

/**
 * What a member does about full disks, its own and others' (rule 15): it tells how its disk is, refuses what makes the state grow where no
 * quorum has room for it, hands leadership to a member that has, and takes snapshots to make room.
 */
export class SpaceGuard {
  readonly #port: SpaceGuardPort;
  readonly #space: DiskSpace;
  readonly #successors = new Successors(HAND_OVER_MS);
  #handedOverAtMs = -HAND_OVER_MS;
  #madeRoomAtMs = -MAKE_ROOM_MS;
  /** What the core was told last. */
  #refusesGrowth = false;

  constructor(self: Incarnation, port: SpaceGuardPort) {
    this.#port = port;
    this.#space = new DiskSpace(self);
  }

  /** This member's own disk is full. */
  get full(): boolean {
    return this.#space.full;
  }

  /** A leader here takes nothing that makes the state grow. */
  get refusesGrowth(): boolean {
    return this.#refusesGrowth;
  }

  /** This member's disk has no room beside its reserve, or has room again. */
  heardOwn(full: boolean): void {
    this.#space.heardOwn(full);
    this.tell(this.#port.peers());
    this.#judge();
  }

  heard(peer: Incarnation, full: boolean): void {
    this.#space.heard(peer, full);
    this.#port.step({ type: "peerDisk", peer, full });
    this.#judge();
  }

  /** There is no link to it any more. */
  forget(peer: Incarnation): void {
    this.#space.forget(peer);
    this.#judge();
  }

  tell(peers: Iterable<Incarnation>): void {
    const { records, full } = this.#port.stats();
    for (const peer of peers) this.#port.send(peer, { type: "disk", records, full });
  }

  /** Whether to take a message. What is not taken is as if it were lost. */
  mayTake(message: Message): boolean {
    if (message.type === "transferLeadership") return this.#space.mayLead(this.#port.configuration());
    return !this.#space.full || !this.#port.stats().scarce || !bringsGrowth(message);
  }

  #judge(): void {
    const configuration = this.#port.configuration();
    const refuses = this.#space.refusesGrowth(configuration);
    if (refuses !== this.#refusesGrowth) this.#port.step({ type: refuses ? "diskFull" : "diskFree" });
    this.#refusesGrowth = refuses;
    if (refuses && this.#port.leads()) this.#handOver(configuration);
  }

  /** To one voter after the other, each of which then rests. */
  #handOver(configuration: Configuration): void {
    const nowMs = this.#port.nowMs();
    if (nowMs - this.#handedOverAtMs < HAND_OVER_MS) return;
    const successor = this.#space.successor(configuration, (voter) => this.#successors.mayAsk(voter, nowMs));
    if (successor === null) return;
    this.#handedOverAtMs = nowMs;
    this.#successors.asked(successor, nowMs);
    this.#port.step({ type: "transferLeadership", target: successor });
  }

  /** To be called now and then. */
  tick(): void {
    this.tell(this.#port.peers());
    this.#judge();
    this.#makeRoom();
  }

  /** A snapshot lets the log be cut, which may be all that is needed. */
  #makeRoom(): void {
    const nowMs = this.#port.nowMs();
    if (!this.#space.full || nowMs - this.#madeRoomAtMs < MAKE_ROOM_MS) return;
    this.#madeRoomAtMs = nowMs;
    this.#port.requestSnapshot();
  }
}
