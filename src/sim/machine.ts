import { assert } from "../codec/assert.ts";
import { SynodError } from "../errors/synod-error.ts";
import { checkNamed } from "../node/founding-check.ts";
import { Member } from "../node/member.ts";
import type { MemberObserver } from "../node/member-parts.ts";
import { PEER_CODEC, type PeerCodec } from "../node/peer-codec.ts";
import { CHECKSUM, DISK, FORWARD, FORWARDED, PAXOS, type PeerMessage } from "../node/peer-messages.ts";
import { restoreState } from "../node/restore-state.ts";
import { SNAPSHOT_PART_BYTES } from "../node/snapshot-server.ts";
import { type Incarnation, incarnation, NO_INCARNATION } from "../paxos/ids.ts";
import type { Limits } from "../paxos/interface.ts";
import type { Message } from "../paxos/messages.ts";
import type { RecoveredState } from "../paxos/records.ts";
import { MAX_SCENARIO_MEMBERS, memberIncarnation, memberNumber } from "../scenario/names.ts";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import { Violation } from "../scenario/violation.ts";
import type { StateLimits } from "../state/limits.ts";
import type { Founding, Identity, Storage } from "../storage/interface.ts";
import { openStorage } from "../storage/open.ts";
import { MachineClock } from "./machine-clock.ts";
import { MachineDisk } from "./machine-disk.ts";
import type { Network } from "./network.ts";
import { Pause } from "./pause.ts";
import { PeerRecords } from "./peer-records.ts";
import { ProcessClock } from "./process-clock.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/** What is the same for all machines of one run. */
export interface MachineOptions {
  readonly world: World;
  readonly network: () => Network;
  readonly watch: Watch;
  readonly limits: Partial<Limits>;
  /** By default those that ship. */
  readonly stateLimits?: StateLimits;
  readonly segmentBytes: number;
  readonly snapshotBytes: number;
  readonly snapshotPartBytes?: number;
  /** How long a sync takes at present, in milliseconds; Infinity while the disk hangs. */
  readonly syncMs: (machine: number) => number;
  /** How long anything else on the disk takes: mostly nothing. */
  readonly callMs: (machine: number) => number;
  /** How a process that starts on a machine now writes to others. */
  readonly codec: (machine: number) => PeerCodec;
  /** Whether all whom a machine may meet remember that it had more than so many durable records. */
  readonly isRemembered: (machine: number, records: number) => boolean;
  /** Whether ticks that would find nothing to do are left out; usual, and only a comparison does without. */
  readonly leaveOutTicks?: boolean;
}

const FOLDER = "data";
/** A start that failed for a reason that may pass is tried again after this long. */
const RESTART_MS = 300;
/** A member on a disk that was set back is taken away when nobody has met it within this time. */
const UNMET_MS = 100;
/** A client whose member's process ended finds out after this long at the most. */
const NOTICE_MS = 50;
/** What the disk may report to a process that starts, without being damaged. */
const MAY_PASS: ReadonlySet<unknown> = new Set(["SYNOD_ERR_DISK", "SYNOD_ERR_NO_SPACE", "EIO", "ENOSPC"]);
/** How messages begin that lead to nothing that a promise waits for; others do, such as parts of snapshots. */
const NEVER_WAITED_FOR: ReadonlySet<number | undefined> = new Set([PAXOS, FORWARD, FORWARDED, CHECKSUM, DISK]);
/** Messages with which a member takes part, as one that keeps what it promised. */
const PARTAKING: ReadonlySet<Message["type"]> = new Set(["prepare", "promise", "promiseNeedsSnapshot", "accepted", "heartbeatReply"]);
/** By member, counted from 1: made once, as each message needs one. */
const INCARNATIONS = Array.from({ length: MAX_SCENARIO_MEMBERS + 1 }, (_, number) => (number === 0 ? NO_INCARNATION : memberIncarnation(number)));

/**
 * One machine with a disk, a clock and, at most times, a process on it: the real member with the real storage. A killed process
 * leaves the page cache, a lost power does not.
 */
export class Machine {
  readonly number: number;
  readonly #options: MachineOptions;
  readonly #random: SeededRandom;
  readonly #clock: MachineClock;
  readonly #pause: Pause;
  readonly #disk: MachineDisk;
  #life = 0;
  #out = false;
  /** The document that makes its member one of a cluster; null: nobody asked it to join yet. */
  #founding: Founding | null;
  /** What was read from its disk, when that was set back to an earlier state. */
  #recovered: RecoveredState | null = null;
  #storage: Storage | null = null;
  readonly #peerRecords = new PeerRecords();
  readonly #whenEnded = new Set<() => void>();
  /** How the process of this life writes to others. */
  #codec: PeerCodec = PEER_CODEC;
  #member: Member | null = null;
  /** Up to where the watch saw its state last. */
  #seenSlot = -1;
  /** The clock of the process of this life. */
  #processClock: ProcessClock | null = null;
  #starting = false;

  constructor(number: number, rate: number, founding: Founding | null, options: MachineOptions) {
    this.number = number;
    this.#founding = founding;
    this.#options = options;
    const { world } = options;
    this.#random = world.random.fork();
    this.#clock = new MachineClock(world, rate, this.#random.below(1_000_000));
    this.#pause = new Pause(world);
    this.#disk = new MachineDisk({
      world, pause: this.#pause, syncMs: () => options.syncMs(number), callMs: () => options.callMs(number),
    }, this.#random);
  }

  get member(): Member | null {
    return this.#member;
  }

  get paused(): boolean {
    return this.#pause.paused;
  }

  get running(): boolean {
    return this.#member !== null || this.#starting;
  }

  /** There is a process that answers, be it late. */
  get reachable(): boolean {
    return this.#member !== null;
  }

  /** It was asked to take part, now or earlier. */
  get joined(): boolean {
    return this.#founding !== null;
  }

  /** Begins its first life, with the document that a newcomer is handed. */
  join(founding: Founding): void {
    if (this.joined) return;
    this.#founding = founding;
    this.start();
  }

  /** Its member was removed: the machine goes away with all that it holds. */
  retire(): void {
    this.loseDisk();
    this.#out = true;
  }

  /** It takes no part any more, and may not: its disk is empty or known to be damaged. */
  get out(): boolean {
    return this.#out;
  }

  /** Bytes on its disk were changed, or it lost its disk: it may be out for good, and no more than that. */
  get damaged(): boolean {
    return this.#disk.damaged;
  }

  get life(): number {
    return this.#life;
  }

  /** Begins a life. What goes wrong with it ends the run. */
  start(): void {
    assert(!this.running, "one process runs on a machine");
    const life = ++this.#life;
    this.#starting = true;
    this.#codec = this.#options.codec(this.number);
    this.#options.world.expectPromises();
    this.#begin(life).catch((error: unknown) => {
      if (life === this.#life) this.#startFailed(error);
    });
  }

  /** What the disk reports may pass. Bytes that are wrong are noticed, but only where there are such bytes. */
  #startFailed(error: unknown): void {
    const { world, watch } = this.#options;
    const code = error instanceof Error && "code" in error ? error.code : null;
    const noticed = code === "SYNOD_ERR_CORRUPT" || code === "SYNOD_ERR_FENCED";
    if (!MAY_PASS.has(code) && !(noticed && this.damaged)) return world.fail(error);
    watch.warning(this.number, "does not start", error);
    this.kill();
    if (noticed) this.#out = true;
    else world.after(RESTART_MS, () => this.running || this.start());
  }

  async #begin(life: number): Promise<void> {
    const { world, watch, segmentBytes, limits, stateLimits, snapshotBytes, snapshotPartBytes = SNAPSHOT_PART_BYTES } = this.#options;
    const founding = this.#founding;
    assert(founding !== null, "only a machine that was asked to join runs a process");
    const clock = (this.#processClock = this.#clockOf(life));
    const storage = await openStorage({
      fileSystem: this.#disk.fileSystem(),
      folder: FOLDER,
      member: String(this.number),
      listener: {
        onDurable: (record) => this.whenAwake(life, () => {
          if (!this.#disk.wasSetBack) watch.durable(this.number, record);
          this.#member?.durable(record);
        }),
        onSyncFailed: (error) => this.whenAwake(life, () => this.#member?.syncFailed(error)),
        onSpace: (full) => this.whenAwake(life, () => this.#member?.diskSpace(full)),
      },
      options: {
        segmentBytes,
        drawIncarnation: () => diskIncarnation(this.number, this.#disk.replacements),
        timers: { now: () => clock.nowMs(), after: (ms, task) => clock.after(ms, task) },
      },
    });
    if (storage.founding === null) {
      // A member that lost its disk is a new member, whom nobody asked to join (rule 13).
      if (life === this.#life && !isNamed(founding, storage.identity)) return this.#stayOut();
      await storage.saveFounding(founding);
    }
    const state = await restoreState(storage, stateLimits);
    if (life !== this.#life) return;
    if (this.#disk.wasSetBack) {
      if (!this.#options.isRemembered(this.number, storage.stats().records)) return this.#stayOut();
      world.after(UNMET_MS, () => life === this.#life && this.#stayOut());
    }
    this.#recovered = storage.recovered;
    if (!this.#disk.wasSetBack) watch.recovered(this.number, storage.recovered);
    this.#storage = storage;
    this.#starting = false;
    this.#member = new Member({
      storage: this.#watched(storage), founding, state, limits, snapshotBytes, snapshotPartBytes,
      links: {
        send: (to, bytes, _, said) => this.#send(memberNumber(to), bytes, said),
        flush: () => {},
        setPeers: () => {},
        heardRecords: (from, records) => this.#peerRecords.heard(memberNumber(from), records),
      },
      clock,
      codec: this.#codec,
      nonceSeed: this.#random.below(2 ** 40),
      observer: this.#observer(),
    });
    this.#options.network().open(this.number);
    world.expectPromises();
  }

  #stayOut(): void {
    this.kill();
    this.#out = true;
  }

  /** The storage as it is, told on to the watch. */
  #watched(storage: Storage): Storage {
    const { watch, world } = this.#options;
    return {
      identity: storage.identity,
      founding: storage.founding,
      recovered: storage.recovered,
      stats: () => storage.stats(),
      close: () => storage.close(),
      saveFounding: (founding) => storage.saveFounding(founding),
      append: (records, firstRecord) => {
        world.expectPromises();
        // What a member on a disk that was set back records counts as little as what it read there, until somebody hears it.
        if (!this.#disk.wasSetBack) watch.recorded(this.number, records);
        storage.append(records, firstRecord);
      },
      writeSnapshot: async (handle, chunks) => {
        world.expectPromises();
        await storage.writeSnapshot(handle, chunks);
        this.#processClock?.makeUp();
        if (!this.#disk.wasSetBack) watch.snapshot(this.number, handle);
      },
      openSnapshot: () => {
        world.expectPromises();
        return storage.openSnapshot();
      },
    };
  }

  #observer(): MemberObserver {
    const { watch } = this.#options;
    return {
      event: (event) => watch.event(this.number, this.#life, event),
      proposalsEnded: () => {}, committed: () => {}, turnEnded: () => {}, dropped: () => {}, fenced: () => {}, diskSpace: () => {},
      warning: (message, error) => watch.warning(this.number, message, error),
    };
  }

  #send(to: number, bytes: Uint8Array, said: PeerMessage): boolean {
    const { watch, network } = this.#options;
    if (this.#disk.wasSetBack && !this.#mayTakePart(to, said)) return false;
    if (said.type === "paxos") watch.leaves(this.number, said.message);
    else watch.sent(said.type);
    return network().send(this.number, to, bytes, said.type === "paxos");
  }

  /** A member whose disk was set back forgot what it had told, which does no harm as long as nobody hears it (rule 13). */
  #mayTakePart(to: number, said: PeerMessage): boolean {
    const { watch, network } = this.#options;
    if (!network().isUp(this.number, to)) return false;
    if (said.type === "paxos" && PARTAKING.has(said.message.type)) watch.recovered(this.number, this.#recovered as RecoveredState);
    return true;
  }

  /** The process ends at once. */
  kill(): void {
    if (this.#disk.wasSetBack && this.#member !== null) this.#out = true;
    this.#life += 1;
    this.#storage = null;
    this.#peerRecords.clear();
    this.#processClock?.end();
    this.#processClock = null;
    this.#member = null;
    this.#starting = false;
    this.#disk.kill();
    this.resume();
    this.#options.network().close(this.number);
    const told = [...this.#whenEnded];
    this.#whenEnded.clear();
    for (const tell of told) this.#options.world.after(NOTICE_MS * this.#random.next(), tell);
  }

  /** Runs `task` shortly after this life has ended, unless the returned function is called before. */
  whenEnded(task: () => void): () => void {
    this.#whenEnded.add(task);
    return () => this.#whenEnded.delete(task);
  }

  /** The machine comes back with an empty disk. */
  loseDisk(): void {
    this.kill();
    this.#disk.lose();
  }

  /** What is on its disk now, on another one. */
  copyDisk(): SimulatedDisk {
    return this.#disk.copy();
  }

  /** Somebody restores the machine's volume to an earlier state of it. */
  setBack(copy: SimulatedDisk): void {
    this.kill();
    this.#disk.setBack(copy);
  }

  /** The next sync fails, once. */
  failSync(): void {
    this.#disk.failSync();
  }

  /** Its disk is neither slow any more nor hangs. */
  recoverDisk(): void {
    this.#disk.recover();
  }

  /** No file can grow while the disk is full. */
  set full(full: boolean) {
    this.#disk.full = full;
  }

  /** Something on its disk is not what was written any more. */
  damageDisk(): void {
    this.#disk.damage();
  }

  /** The machine was suspended: its clock is further than its process has seen. */
  stepClock(ms: number): void {
    this.#processClock?.planNext();
    this.#clock.step(ms);
  }

  /** The process ends, and what was not synced is lost, in any part. */
  losePower(): void {
    this.kill();
    this.#disk.losePower();
  }

  pause(): void {
    this.#pause.begin();
    this.#processClock?.planNext();
  }

  /** All that happened meanwhile happens now, in its order. */
  resume(): void {
    this.#pause.end();
  }

  receive(from: number, bytes: Uint8Array): void {
    if (!NEVER_WAITED_FOR.has(bytes[0])) this.#options.world.expectPromises();
    this.whenAwake(this.#life, () => this.#member?.receive(INCARNATIONS[from] as Incarnation, bytes));
  }

  get version(): number {
    return this.#codec.newest;
  }

  get records(): number {
    return this.#storage?.stats().records ?? 0;
  }

  /** How many durable records its process knows that a peer has; 0 while it runs none. */
  knownRecords(peer: number): number {
    return this.#peerRecords.known(peer);
  }

  admits(peer: number, records: number): boolean {
    return this.#peerRecords.admits(peer, records);
  }

  /** As the real process would, it fences itself for good (rule 13). */
  refused(peer: number): void {
    const { watch, world } = this.#options;
    watch.warning(this.number, "is refused as a copied or restored volume", `by ${peer}`);
    watch.came("refusedAsCopy");
    if (this.#disk.wasSetBack) this.#stayOut();
    else world.fail(new Violation(`member ${this.number} was refused as a copy, and is none`));
  }

  linkUp(peer: number, version: number): void {
    this.#tellLink(peer, (member, incarnation) => member.linkUp(incarnation, version));
  }

  linkDown(peer: number): void {
    this.#tellLink(peer, (member, incarnation) => member.linkDown(incarnation));
  }

  #tellLink(peer: number, tell: (member: Member, incarnation: Incarnation) => void): void {
    this.whenAwake(this.#life, () => this.#member === null || tell(this.#member, INCARNATIONS[peer] as Incarnation));
  }

  /** Runs a task of one life of the process: later if it is paused, never if it is over. */
  whenAwake(life: number, task: () => void): void {
    if (life !== this.#life) return;
    if (this.#pause.paused) return this.#pause.waitFor(() => this.#whenResumed(life, task));
    this.#processClock?.makeUp();
    try {
      task();
    } catch (error) {
      this.#options.world.fail(error instanceof SynodError ? new Error(`${error.code}: ${error.message}`, { cause: error }) : error);
    }
    const member = this.#member;
    if (member === null || member.appliedSlot === this.#seenSlot) return;
    this.#seenSlot = member.appliedSlot;
    this.#options.watch.state(this.number, member.appliedSlot, member.state.checksum);
  }

  /** What the task may settle is not known any more. */
  #whenResumed(life: number, task: () => void): void {
    this.#options.world.expectPromises();
    this.whenAwake(life, task);
  }

  #clockOf(life: number): ProcessClock {
    const { world, leaveOutTicks } = this.#options;
    return new ProcessClock({
      world, clock: this.#clock, pause: this.#pause, random: this.#random, leaveOutTicks: leaveOutTicks !== false,
      ended: () => life !== this.#life,
      run: (task) => this.whenAwake(life, task),
      member: () => this.#member,
    });
  }
}

function isNamed(founding: Founding, identity: Identity): boolean {
  try {
    checkNamed(founding, identity);
    return true;
  } catch {
    return false;
  }
}

function diskIncarnation(machine: number, disk: number): Incarnation {
  return disk === 0 ? memberIncarnation(machine) : incarnation(`${machine}${disk.toString(16).padStart(31, "0")}`);
}
