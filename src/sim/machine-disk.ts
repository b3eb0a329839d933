import type { SeededRandom } from "../scenario/seeded-random.ts";
import type { FileSystem } from "../storage/interface.ts";
import { damageSomething } from "./disk-damage.ts";
import type { Pause } from "./pause.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import type { World } from "./world.ts";

export interface MachineDiskPort {
  readonly world: World;
  readonly pause: Pause;
  /** How long a sync takes at present, in milliseconds; Infinity while the disk hangs. */
  syncMs(): number;
  /** How long anything else on the disk takes: mostly nothing. */
  callMs(): number;
}

/** How often a sync on a disk that hangs looks whether it still does. */
const HUNG_LOOK_MS = 50;
/** A call that still takes longer than this when the disk works again has waited for a disk that did not. */
const USUAL_MS = 100;

/** The disk of one machine, how long its calls take, and what becomes of it: it may fail, fill, be damaged, lost, or set back to an earlier state. */
export class MachineDisk {
  readonly #port: MachineDiskPort;
  readonly #random: SeededRandom;
  #disk: SimulatedDisk;
  #replacements = 0;
  #damaged = false;
  #setBack = false;
  #failNextSync = false;
  /** Calls under way, with the time at which each comes to its end. */
  readonly #sleeping = new Map<() => void, number>();

  constructor(port: MachineDiskPort, random: SeededRandom) {
    this.#port = port;
    this.#random = random;
    this.#disk = this.#make();
  }

  #make(): SimulatedDisk {
    const disk = new SimulatedDisk(this.#random.below(0x1_0000_0000));
    disk.traced = false;
    disk.latency = ({ kind }, goOn) => this.#waits(kind === "datasync", goOn);
    disk.promises = () => this.#port.world.expectPromises();
    disk.fail = ({ kind }) => this.#fails(kind);
    return disk;
  }

  fileSystem(): FileSystem {
    return this.#disk.fileSystem();
  }

  /** How many empty disks came in the place of the first: each makes a new incarnation. */
  get replacements(): number {
    return this.#replacements;
  }

  /** Bytes on it were changed, or it was lost: its member may be out for good, and no more than that. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /** It was set back to an earlier state. */
  get wasSetBack(): boolean {
    return this.#setBack;
  }

  /** The process that used it ends; the page cache stays. */
  kill(): void {
    this.#disk.kill();
  }

  /** What was not synced is lost, in any part. */
  losePower(): void {
    this.#disk.losePower();
  }

  /** An empty one comes in its place. */
  lose(): void {
    this.#replacements += 1;
    this.#damaged = true;
    this.#disk = this.#make();
  }

  /** What is on it now, on another one. */
  copy(): SimulatedDisk {
    const copy = this.#make();
    for (const path of this.#disk.paths()) copy.plant(path, this.#disk.contents(path));
    return copy;
  }

  /** Somebody restores it to an earlier state of it. */
  setBack(copy: SimulatedDisk): void {
    this.#damaged = true;
    this.#setBack = true;
    this.#disk = copy;
  }

  /** The next sync fails, once. */
  failSync(): void {
    this.#failNextSync = true;
  }

  /** It works again: nothing that it was asked for before takes long any more. */
  recover(): void {
    const { world } = this.#port;
    for (const [end, atMs] of this.#sleeping) if (atMs > world.nowMs + USUAL_MS) world.after(USUAL_MS, end);
  }

  /** No file can grow while it is full. */
  set full(full: boolean) {
    this.#disk.capacityBytes = full ? this.#disk.usedBytes : Infinity;
  }

  /** Something on it is not what was written any more. */
  damage(): void {
    if (damageSomething(this.#disk, this.#random)) this.#damaged = true;
  }

  #fails(kind: string): boolean {
    if (kind !== "datasync" || !this.#failNextSync) return false;
    this.#failNextSync = false;
    return true;
  }

  /** Whether a call waits; then it goes on with `goOn`. */
  #waits(isSync: boolean, goOn: () => void): boolean {
    if (isSync) {
      this.#sync(goOn);
      return true;
    }
    const ms = this.#port.callMs();
    if (ms > 0) this.#sleep(ms, goOn);
    else if (this.#port.pause.paused) this.#onceAwake(goOn);
    else return false;
    return true;
  }

  #sync(goOn: () => void): void {
    const ms = this.#port.syncMs();
    if (ms === Infinity) this.#port.world.after(HUNG_LOOK_MS, () => this.#sync(goOn));
    else this.#sleep(ms, goOn);
  }

  #sleep(ms: number, goOn: () => void): void {
    const { world } = this.#port;
    const end = (): void => {
      if (this.#sleeping.delete(end)) this.#onceAwake(goOn);
    };
    this.#sleeping.set(end, world.nowMs + ms);
    world.after(ms, end);
  }

  /** Whoever called the disk may have waited for a promise. */
  #onceAwake(goOn: () => void): void {
    const { pause, world } = this.#port;
    if (pause.paused) return pause.waitFor(() => this.#onceAwake(goOn));
    world.expectPromises();
    goOn();
  }
}
