import type { Ballot } from "../../src/paxos/ballot.ts";
import { incarnation, slot } from "../../src/paxos/ids.ts";
import type { LogRecord, RecoveredState, SnapshotHandle } from "../../src/paxos/records.ts";
import type { Founding, Storage, StorageListener } from "../../src/storage/interface.ts";
import { openStorage, type StorageOptions } from "../../src/storage/open.ts";
import { ManualTimers } from "./manual-timers.ts";
import type { SimulatedDisk } from "../../src/sim/simulated-disk.ts";

export const FOLDER = "/data";
export const A = incarnation("a".repeat(32));

export const FOUNDING: Founding = {
  cluster: "c".repeat(32),
  configuration: { voters: [{ incarnation: A, name: "one", address: "localhost:1" }], learners: [], removed: [] },
  configurationSlot: slot(0),
};

export const ballot = (round: number): Ballot => ({ round, incarnation: A });
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const promised = (round: number): LogRecord => ({ type: "promised", ballot: ballot(round) });
export const campaign = (round: number): LogRecord => ({ type: "campaign", ballot: ballot(round) });
export const chosen = (through: number): LogRecord => ({ type: "chosen", through: slot(through) });
export const accepted = (at: number, round: number, value: Uint8Array | string): LogRecord =>
  ({ type: "accepted", slot: slot(at), ballot: ballot(round), value: typeof value === "string" ? text(value) : value });
export const learned = (at: number, value: string): LogRecord => ({ type: "learned", slot: slot(at), value: text(value) });

export function snapshotHandle(at: number): SnapshotHandle {
  const { cluster, configuration } = FOUNDING;
  return { slot: slot(at), configuration, configurationSlot: slot(0), leaderBallot: ballot(1), promised: ballot(1), cluster, checksum: at * 7 };
}

export async function* stream(...pieces: Uint8Array[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) yield piece;
}

/** Collects what the storage reports, and lets a test wait for a record. */
export class Recorder implements StorageListener {
  readonly acks: number[] = [];
  readonly failures: Error[] = [];
  readonly repeated: Error[] = [];
  readonly space: boolean[] = [];
  readonly samples: { readonly records: number }[] = [];
  #waiting: { readonly record: number; readonly resolve: () => void }[] = [];
  #failing: (() => void)[] = [];

  get durable(): number {
    return this.acks.at(-1) ?? 0;
  }

  onDurable(record: number): void {
    this.acks.push(record);
    for (const { record: wanted, resolve } of this.#waiting) if (wanted <= record) resolve();
    this.#waiting = this.#waiting.filter(({ record: wanted }) => wanted > record);
  }

  onSyncFailed(error: Error): void {
    this.failures.push(error);
    for (const resolve of this.#failing) resolve();
  }

  onSyncRepeated(error: Error): void {
    this.repeated.push(error);
  }

  onSpace(full: boolean): void {
    this.space.push(full);
  }

  onSync(sample: { readonly records: number }): void {
    this.samples.push(sample);
  }

  reached(record: number): Promise<void> {
    if (this.durable >= record) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ record, resolve }));
  }

  failed(): Promise<void> {
    if (this.failures.length > 0) return Promise.resolve();
    return new Promise((resolve) => this.#failing.push(resolve));
  }
}

/** One process that has the folder open, with a counter for the records it appends. */
export class Life {
  readonly storage: Storage;
  readonly recorder: Recorder;
  readonly timers: ManualTimers;
  #next = 1;

  private constructor(storage: Storage, recorder: Recorder, timers: ManualTimers) {
    this.storage = storage;
    this.recorder = recorder;
    this.timers = timers;
  }

  /** Of a member of a cluster; or of none yet, which records nothing. */
  static async begin(disk: SimulatedDisk, options: StorageOptions = {}, { founded = true } = {}): Promise<Life> {
    const recorder = new Recorder();
    const timers = new ManualTimers();
    const storage = await openStorage({
      fileSystem: disk.fileSystem(), folder: FOLDER, member: "one", listener: recorder,
      options: { segmentBytes: 8192, timers, ...options },
    });
    if (founded && storage.founding === null) await storage.saveFounding(FOUNDING);
    return new Life(storage, recorder, timers);
  }

  get recovered(): RecoveredState {
    return this.storage.recovered;
  }

  /** Appends without waiting; returns the number of the last record. */
  append(...records: LogRecord[]): number {
    this.storage.append(records, this.#next);
    this.#next += records.length;
    return this.#next - 1;
  }

  /** Appends and waits until all of it is durable. */
  async keep(...records: LogRecord[]): Promise<void> {
    await this.recorder.reached(this.append(...records));
  }

  /** Lets the log go idle, so that a mark covers its last batch. */
  async idle(): Promise<void> {
    const syncs = this.storage.stats().syncs;
    if (this.timers.waiting === 0) return;
    this.timers.advance(100);
    while (this.storage.stats().syncs === syncs) await undefined;
  }
}

/** Values as text, so that a failed comparison can be read. */
export function entriesOf(state: RecoveredState): string[] {
  return state.entries.map(({ slot: at, ballot: { round }, value, learned: known }) =>
    `${at}:${known ? "learned" : round}:${new TextDecoder().decode(value)}`);
}
