import { dirname } from "node:path";
import { SynodError } from "../errors/synod-error.ts";
import { type DurableWriter, twoStepWriter } from "../storage/durable-writer.ts";
import type { FileHandle, FileSystem } from "../storage/interface.ts";
import { SeededRandom } from "../scenario/seeded-random.ts";
import { SimulatedFile } from "./simulated-file.ts";

export type OperationKind = "open" | "write" | "read" | "datasync" | "close" | "rename" | "remove" | "syncFolder" | "list" | "readFile" | "size";

export interface Operation {
  readonly kind: OperationKind;
  readonly path: string;
}

type Names = Map<string, SimulatedFile>;
type NameChange = { readonly folder: string; readonly apply: (names: Names) => void };
type Matcher = (operation: Operation) => boolean;

/** An open file stays what it is, whatever becomes of its name. */
interface OpenFile extends FileHandle {
  readonly path: string;
  readonly file: SimulatedFile;
}

/** A call of a process. It comes to its end once, or never if the process ends before. */
interface Call<T> {
  readonly process: number;
  readonly operation: Operation;
  act(): T;
  /** What is left of it when the process crashes in the middle of it, or when it fails. */
  broken?(crash: boolean): void;
  resolve(value: T): void;
  reject(error: unknown): void;
}

const AT_ONCE = Promise.resolve();

/**
 * A disk in memory with the three levels that matter: what the process holds is lost with it, what the page cache holds is
 * lost with the power, in any part, and what was synced stays. Calls of a process that was killed never return.
 */
export class SimulatedDisk {
  /** Every call, in the order in which they were made, while `traced`. */
  readonly trace: Operation[] = [];
  traced = true;
  /** Syncs for which this is true return without doing anything. */
  ignoreSync: Matcher = () => false;
  /** Calls for which this is true fail with `failCode`. */
  fail: Matcher = () => false;
  failCode: "EIO" | "EROFS" = "EIO";
  /** Writes that would make all files together longer than this fail with ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Whether a call waits before it does anything. If so, `goOn` is called when it has waited. */
  latency: (operation: Operation, goOn: () => void) => boolean = () => false;
  /** Told whenever somebody is given a promise to follow. */
  promises: () => void = () => {};

  readonly #random: SeededRandom;
  readonly #locked = new Set<string>();
  #names: Names = new Map();
  #durableNames: Names = new Map();
  #changes: NameChange[] = [];
  #process = 0;
  /** Calls of this process that have not come to their end. */
  #underWay = 0;
  #callsLeft = Number.POSITIVE_INFINITY;
  #onCrash: () => void = () => {};
  #holds: { readonly matches: Matcher; readonly reached: () => void; readonly released: Promise<void> }[] = [];

  constructor(seed = 1) {
    this.#random = new SeededRandom(seed);
  }

  /** Ends the process in the middle of its `calls`-th call from now. Resolves when that has happened. */
  crashAfter(calls: number): Promise<void> {
    this.#callsLeft = calls;
    return new Promise((resolve) => (this.#onCrash = resolve));
  }

  /** The process ends; the page cache stays. */
  kill(): void {
    this.#process += 1;
    this.#underWay = 0;
    this.#callsLeft = Number.POSITIVE_INFINITY;
    this.#locked.clear();
    this.#holds = [];
  }

  /** The machine goes down: any subset of what was not synced is lost. */
  losePower(probability = [0, 0.5, 0.9, 1][this.#random.integer(0, 3)] as number): void {
    this.kill();
    for (const change of this.#changes) if (this.#random.chance(probability)) change.apply(this.#durableNames);
    this.#changes = [];
    this.#names = new Map(this.#durableNames);
    for (const file of new Set(this.#names.values())) file.losePower(this.#random, probability);
  }

  /** Makes the next matching call wait. */
  hold(matches: Matcher): { readonly reached: Promise<void>; readonly release: () => void } {
    let release = (): void => {};
    let reach = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const reached = new Promise<void>((resolve) => (reach = resolve));
    this.#holds.push({ matches, reached: reach, released });
    return { reached, release };
  }

  count(matches: Matcher): number {
    return this.trace.filter(matches).length;
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  contents(path: string): Uint8Array {
    const file = this.#names.get(path);
    if (file === undefined) throw new Error(`no file ${path}`);
    return file.read();
  }

  /** Puts bytes on the disk behind everybody's back. */
  plant(path: string, bytes: Uint8Array): void {
    const file = new SimulatedFile();
    file.write(bytes, 0);
    file.sync();
    this.#names.set(path, file);
    this.#durableNames.set(path, file);
  }

  get usedBytes(): number {
    return [...new Set(this.#names.values())].reduce((sum, file) => sum + file.length, 0);
  }

  #requireRoom(growth: number): void {
    if (growth <= 0 || this.capacityBytes === Number.POSITIVE_INFINITY || this.usedBytes + growth <= this.capacityBytes) return;
    throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  }

  /** Changes bytes of a file behind everybody's back. */
  damage(path: string, bytes: Uint8Array, position: number): void {
    this.#names.get(path)?.damage(bytes, position);
  }

  /** Another disk with the same synced contents. */
  clone(): SimulatedDisk {
    const copy = new SimulatedDisk();
    for (const path of this.paths()) copy.plant(path, this.contents(path));
    return copy;
  }

  /** The disk as a new process sees it. */
  fileSystem(): FileSystem {
    const process = this.#process;
    const call = <T>(kind: OperationKind, path: string, act: () => T): Promise<T> => this.#call(process, { kind, path }, act);
    return {
      makeFolder: async () => {},
      list: (path) => call("list", path, () => this.paths().filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1))),
      readFile: (path) => call("readFile", path, () => this.#names.get(path)?.read() ?? null),
      open: (path, mode) => call("open", path, () => this.#handle(process, path, this.#open(path, mode))),
      rename: (from, to) => call("rename", from, () => this.#rename(from, to)),
      remove: (path) => call("remove", path, () => this.#remove(path)),
      syncFolder: (path) => call("syncFolder", path, () => this.#syncFolder(path)),
      durableWriter: () => this.#durableWriter(process),
      lock: async (path) => {
        if (this.#locked.has(path)) throw new SynodError("SYNOD_ERR_FOLDER_LOCKED");
        this.#locked.add(path);
        return async () => void (process === this.#process && this.#locked.delete(path));
      },
    };
  }

  #call<T>(process: number, operation: Operation, act: () => T, broken?: (crash: boolean) => void): Promise<T> {
    this.promises();
    return new Promise((resolve, reject) => this.#begin({ process, operation, act, resolve, reject, ...(broken && { broken }) }));
  }

  #begin<T>(call: Call<T>): void {
    if (call.process !== this.#process || this.#callsLeft <= 0) return;
    if (this.traced) this.trace.push(call.operation);
    this.#callsLeft -= 1;
    if (this.#callsLeft <= 0) {
      call.broken?.(true);
      return this.#onCrash();
    }
    this.#underWay += 1;
    if (this.#holds.length > 0) void this.#hold(call.operation).then(() => this.#wait(call));
    else this.#wait(call);
  }

  /** Calls of one moment overtake one another. A call that waited has come to a moment of its own, unless others are under way. */
  #wait<T>(call: Call<T>): void {
    const goOn = (waited: boolean): void => {
      const turns = this.#random.integer(1, 3);
      this.#takeTurns(call, waited && this.#underWay === 1 ? 0 : turns);
    };
    if (!this.latency(call.operation, () => goOn(true))) goOn(false);
  }

  #takeTurns<T>(call: Call<T>, turns: number): void {
    if (turns === 0) this.#end(call);
    else void AT_ONCE.then(() => this.#takeTurns(call, turns - 1));
  }

  #end<T>({ process, operation, act, broken, resolve, reject }: Call<T>): void {
    if (process !== this.#process || this.#callsLeft <= 0) return;
    this.#underWay -= 1;
    if (this.fail(operation)) {
      broken?.(false);
      return reject(Object.assign(new Error(`${this.failCode}: the disk fails`), { code: this.failCode }));
    }
    let value: T;
    try {
      value = act();
    } catch (error) {
      return reject(error);
    }
    resolve(value);
  }

  async #hold(operation: Operation): Promise<void> {
    const held = this.#holds.findIndex(({ matches }) => matches(operation));
    const hold = held === -1 ? undefined : this.#holds.splice(held, 1)[0];
    hold?.reached();
    await hold?.released;
  }

  #open(path: string, mode: "create" | "read" | "write"): SimulatedFile {
    const existing = this.#names.get(path);
    if (mode !== "create") {
      if (existing === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
      return existing;
    }
    if (existing !== undefined) throw Object.assign(new Error(`EEXIST: ${path}`), { code: "EEXIST" });
    const file = new SimulatedFile();
    this.#change(path, (names) => names.set(path, file));
    return file;
  }

  #rename(from: string, to: string): void {
    const file = this.#names.get(from);
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${from}`), { code: "ENOENT" });
    this.#change(from, (names) => {
      names.delete(from);
      names.set(to, file);
    });
  }

  #remove(path: string): void {
    if (this.#names.has(path)) this.#change(path, (names) => names.delete(path));
  }

  #change(path: string, apply: (names: Names) => void): void {
    apply(this.#names);
    this.#changes.push({ folder: dirname(path), apply });
  }

  #syncFolder(folder: string): void {
    if (this.ignoreSync({ kind: "syncFolder", path: folder })) return;
    for (const change of this.#changes) if (change.folder === folder) change.apply(this.#durableNames);
    this.#changes = this.#changes.filter((change) => change.folder !== folder);
  }

  #handle(process: number, path: string, file: SimulatedFile): OpenFile {
    const call = <T>(kind: OperationKind, act: () => T, broken?: (crash: boolean) => void): Promise<T> => this.#call(process, { kind, path }, act, broken);
    const handle: OpenFile = {
      path, file,
      write: (bytes, position) => call("write", () => this.#write(file, bytes, position), () => this.#writePart(file, bytes, position)),
      read: (position, length) => call("read", () => file.read(position, position + length)),
      size: () => call("size", () => file.length),
      datasync: () => call("datasync", () => this.#sync(handle), (crash) => crash || file.failSync()),
      close: () => call("close", () => {}),
    };
    return handle;
  }

  /** Most of what a disk does is to write and sync batches of the log, so that is done without a promise for each step. */
  #durableWriter(process: number): DurableWriter {
    return {
      write: (handle, bytes, position, tell) => {
        if (!isOpenFile(handle)) return twoStepWriter.write(handle, bytes, position, tell);
        const { path, file } = handle;
        this.#begin({
          process, operation: { kind: "write", path }, reject: tell,
          act: () => this.#write(file, bytes, position),
          broken: () => this.#writePart(file, bytes, position),
          resolve: () => this.#begin({
            process, operation: { kind: "datasync", path }, reject: tell,
            act: () => this.#sync(handle),
            broken: (crash) => crash || file.failSync(),
            resolve: () => tell(null),
          }),
        });
      },
      close: async () => {},
    };
  }

  #write(file: SimulatedFile, bytes: Uint8Array, position: number): void {
    this.#requireRoom(position + bytes.length - file.length);
    file.write(bytes, position);
  }

  #writePart(file: SimulatedFile, bytes: Uint8Array, position: number): void {
    const sectors = this.#random.integer(0, Math.ceil(bytes.length / 512));
    file.write(bytes.subarray(0, sectors * 512), position);
  }

  #sync({ path, file }: OpenFile): void {
    if (!this.ignoreSync({ kind: "datasync", path })) file.sync();
  }
}

function isOpenFile(handle: FileHandle): handle is OpenFile {
  return "file" in handle && handle.file instanceof SimulatedFile;
}
