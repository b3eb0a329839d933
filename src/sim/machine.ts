import { assert } from "../codec/assert.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { NodeClock } from "../node/clock.ts";
import { Member, type MemberObserver } from "../node/member.ts";
import { decodePeerMessage } from "../node/peer-messages.ts";
import { restoreState } from "../node/restore-state.ts";
import type { Incarnation } from "../paxos/ids.ts";
import type { Limits } from "../paxos/interface.ts";
import { memberIncarnation, memberNumber } from "../scenario/names.ts";
import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { Founding, Storage } from "../storage/interface.ts";
import { openStorage } from "../storage/open.ts";
import type { Network } from "./network.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/** What is the same for all machines of one run. */
export interface MachineOptions {
  readonly world: World;
  readonly network: () => Network;
  readonly watch: Watch;
  readonly founding: Founding;
  readonly limits: Partial<Limits>;
  readonly segmentBytes: number;
  readonly snapshotBytes: number;
  /** How long a sync takes at present, in milliseconds. */
  readonly syncMs: (machine: number) => number;
}

const FOLDER = "data";

/**
 * One machine with a disk, a clock and, at most times, a process on it: the real member with the real storage. A killed process
 * leaves the page cache, a lost power does not.
 */
export class Machine {
  readonly number: number;
  readonly disk: SimulatedDisk;
  readonly #options: MachineOptions;
  readonly #random: SeededRandom;
  /** How much faster than the world's this machine's clock runs, and what it showed at the world's beginning. */
  readonly #rate: number;
  readonly #offsetMs: number;
  #life = 0;
  #member: Member | null = null;
  #starting = false;
  #paused = false;
  #resumed: (() => void)[] = [];

  constructor(number: number, rate: number, options: MachineOptions) {
    this.number = number;
    this.#options = options;
    this.#rate = rate;
    this.#random = options.world.random.fork();
    this.#offsetMs = this.#random.below(1_000_000);
    this.disk = new SimulatedDisk(this.#random.below(0x1_0000_0000));
    this.disk.traced = false;
    this.disk.latency = ({ kind }) => this.#diskLatency(kind === "datasync");
  }

  get member(): Member | null {
    return this.#member;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get running(): boolean {
    return this.#member !== null || this.#starting;
  }

  /** There is a process that answers, be it late. */
  get reachable(): boolean {
    return this.#member !== null;
  }

  get life(): number {
    return this.#life;
  }

  /** Begins a life. What goes wrong with it ends the run. */
  start(): void {
    assert(!this.running, "one process runs on a machine");
    const life = ++this.#life;
    this.#starting = true;
    this.#options.world.expectPromises();
    this.#begin(life).catch((error: unknown) => this.#options.world.fail(error));
  }

  async #begin(life: number): Promise<void> {
    const { world, watch, founding, segmentBytes, limits, snapshotBytes } = this.#options;
    const storage = await openStorage({
      fileSystem: this.disk.fileSystem(),
      folder: FOLDER,
      member: String(this.number),
      listener: {
        onDurable: (record) => this.whenAwake(life, () => {
          watch.durable(this.number, record);
          this.#member?.durable(record);
        }),
        onSyncFailed: (error) => this.whenAwake(life, () => this.#member?.syncFailed(error)),
        onSpace: (full) => this.whenAwake(life, () => this.#member?.diskSpace(full)),
      },
      options: {
        segmentBytes,
        drawIncarnation: () => memberIncarnation(this.number),
        timers: { now: () => this.#nowMs(), after: (ms, task) => this.#timer(life, ms, task) },
      },
    });
    if (storage.founding === null) await storage.saveFounding(founding);
    const state = await restoreState(storage);
    if (life !== this.#life) return;
    watch.recovered(this.number, storage.recovered);
    this.#starting = false;
    this.#member = new Member({
      storage: this.#watched(storage), founding, state, limits, snapshotBytes,
      links: {
        send: (to, bytes) => this.#send(memberNumber(to), bytes),
        flush: () => {},
        setPeers: () => {},
      },
      clock: this.#clock(life),
      nonceSeed: this.#random.below(2 ** 40),
      observer: this.#observer(),
    });
    this.#options.network().open(this.number);
    world.expectPromises();
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
        watch.recorded(this.number, records);
        storage.append(records, firstRecord);
      },
      writeSnapshot: async (handle, chunks) => {
        world.expectPromises();
        await storage.writeSnapshot(handle, chunks);
        watch.snapshot(this.number, handle);
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

  #send(to: number, bytes: Uint8Array): boolean {
    const message = decodePeerMessage(bytes);
    if (message.type === "paxos") this.#options.watch.leaves(this.number, message.message);
    return this.#options.network().send(this.number, to, bytes, message.type === "paxos");
  }

  /** The process ends at once. */
  kill(): void {
    this.#life += 1;
    this.#member = null;
    this.#starting = false;
    this.disk.kill();
    this.resume();
    this.#options.network().close(this.number);
  }

  /** The process ends, and what was not synced is lost, in any part. */
  losePower(): void {
    this.kill();
    this.disk.losePower();
  }

  pause(): void {
    this.#paused = true;
  }

  /** All that happened meanwhile happens now, in its order. */
  resume(): void {
    this.#paused = false;
    for (const task of this.#resumed.splice(0)) this.#options.world.after(0, task);
  }

  receive(from: number, bytes: Uint8Array): void {
    this.whenAwake(this.#life, () => this.#member?.receive(memberIncarnation(from), bytes));
  }

  linkUp(peer: number): void {
    this.#tellLink(peer, (member, incarnation) => member.linkUp(incarnation));
  }

  linkDown(peer: number): void {
    this.#tellLink(peer, (member, incarnation) => member.linkDown(incarnation));
  }

  #tellLink(peer: number, tell: (member: Member, incarnation: Incarnation) => void): void {
    this.whenAwake(this.#life, () => this.#member === null || tell(this.#member, memberIncarnation(peer)));
  }

  /** Runs a task of one life of the process: later if it is paused, never if it is over. */
  whenAwake(life: number, task: () => void): void {
    if (life !== this.#life) return;
    if (this.#paused) return void this.#resumed.push(() => this.whenAwake(life, task));
    try {
      task();
    } catch (error) {
      this.#options.world.fail(error instanceof SynodError ? new Error(`${error.code}: ${error.message}`, { cause: error }) : error);
    }
    const member = this.#member;
    if (member !== null) this.#options.watch.state(this.number, member.appliedSlot, member.state.checksum);
  }

  #nowMs(): number {
    return this.#offsetMs + this.#options.world.nowMs * this.#rate;
  }

  #clock(life: number): NodeClock {
    return {
      nowMs: () => this.#nowMs(),
      random: () => this.#random.next(),
      defer: (task) => this.#options.world.after(0, () => this.whenAwake(life, task)),
      every: (periodMs, task) => this.#every(life, periodMs, task),
    };
  }

  #every(life: number, periodMs: number, task: () => void): () => void {
    let stopped = false;
    const next = (): void => this.#options.world.after(periodMs / this.#rate, () => {
      if (stopped || life !== this.#life) return;
      // A timer that fires while the process is paused fires once when it goes on.
      if (this.#paused) return void this.#resumed.push(() => fire());
      fire();
    });
    const fire = (): void => {
      if (stopped || life !== this.#life) return;
      next();
      this.whenAwake(life, task);
    };
    next();
    return () => (stopped = true);
  }

  #timer(life: number, ms: number, task: () => void): () => void {
    let cancelled = false;
    this.#options.world.after(ms / this.#rate, () => {
      if (cancelled) return;
      this.#options.world.expectPromises();
      this.whenAwake(life, task);
    });
    return () => (cancelled = true);
  }

  async #diskLatency(isSync: boolean): Promise<void> {
    if (isSync) await this.#options.world.sleep(this.#options.syncMs(this.number));
    while (this.#paused) await new Promise<void>((resolve) => this.#resumed.push(() => {
      this.#options.world.expectPromises();
      resolve();
    }));
  }
}
