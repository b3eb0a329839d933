import { assert } from "../codec/assert.ts";
import { type Ballot, maxBallot, ZERO_BALLOT } from "../paxos/ballot.ts";
import type { Slot } from "../paxos/ids.ts";
import type { ChosenEntry } from "../paxos/interface.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import { decodeValue } from "../paxos/value.ts";
import type { Result } from "../state/results.ts";
import type { StateMachine } from "../state/state-machine.ts";
import type { Founding } from "../storage/interface.ts";

export interface ApplierPort {
  nowMs(): number;
  /** Own proposal `proposalId` was applied with these results. */
  applied(proposalId: number, results: readonly Result[]): void;
  /** `slot` is applied and the state has this checksum. */
  checkpoint(slot: Slot, checksum: number): void;
}

/** Longest work at a stretch, so that no turn of the event loop comes near its bound of 20 ms (rule 26). */
const BUDGET_MS = 5;
/** Commands between two looks at the clock. */
const COMMANDS_PER_LOOK = 64;

type AppliedPrefix = Omit<SnapshotHandle, "checksum" | "promised">;

/**
 * Applies chosen entries in slot order: joins the log, where commands are opaque, with the state, which knows no log.
 * What belongs to an applied prefix (configuration, barrier, slot) moves together with the state (rule 6).
 */
export class Applier {
  readonly #port: ApplierPort;
  #state: StateMachine;
  #handle: AppliedPrefix;
  #queue: ChosenEntry[] = [];
  #done = 0;
  /** Commands of the entry at the head of the queue, when it did not fit into one stretch. */
  #partial: { readonly commands: readonly Uint8Array[]; readonly results: Result[] } | null = null;
  #paused = false;

  constructor(port: ApplierPort, start: { state: StateMachine; snapshot: SnapshotHandle | null; founding: Founding }) {
    this.#port = port;
    this.#state = start.state;
    this.#handle = start.snapshot ?? {
      slot: 0 as Slot,
      configuration: start.founding.configuration,
      configurationSlot: start.founding.configurationSlot,
      leaderBallot: ZERO_BALLOT,
      cluster: start.founding.cluster,
    };
  }

  get state(): StateMachine {
    return this.#state;
  }

  get slot(): Slot {
    return this.#handle.slot;
  }

  get leaderBallot(): Ballot {
    return this.#handle.leaderBallot;
  }

  get waiting(): number {
    return this.#queue.length - this.#done;
  }

  /** What a snapshot of the state as it is now stands for. Only between entries. */
  handle(): Omit<SnapshotHandle, "promised"> {
    assert(this.#partial === null, "a snapshot is taken between two entries");
    return { ...this.#handle, checksum: this.#state.checksum };
  }

  /**
   * Whether a snapshot can be taken now: between two entries, and not before a member that joined has applied the configuration
   * that it was given. That one governs only the slots above its own, and a snapshot must not carry it any earlier (rule 16).
   */
  get canSnapshot(): boolean {
    return this.#partial === null && this.#handle.slot >= this.#handle.configurationSlot;
  }

  push(entries: readonly ChosenEntry[]): void {
    for (const entry of entries) this.#queue.push(entry);
  }

  /** Applies for a few milliseconds. True: more is left. */
  run(): boolean {
    if (this.#queue.length === 0) return false;
    const untilMs = this.#port.nowMs() + BUDGET_MS;
    while (!this.#paused && this.#done < this.#queue.length) {
      if (!this.#applyHead(untilMs)) return true;
      this.#done += 1;
      if (this.#port.nowMs() >= untilMs) break;
    }
    if (this.#done === this.#queue.length) {
      this.#queue = [];
      this.#done = 0;
    }
    return !this.#paused && this.waiting > 0;
  }

  /** False: out of time in the middle of the entry. */
  #applyHead(untilMs: number): boolean {
    const { slot, value, proposalId } = this.#queue[this.#done] as ChosenEntry;
    assert(slot === this.#handle.slot + 1, "entries are applied in slot order");
    const decoded = this.#partial === null ? decodeValue(value) : null;
    if (decoded?.kind === "barrier") {
      this.#handle = { ...this.#handle, leaderBallot: maxBallot(this.#handle.leaderBallot, decoded.ballot) };
    } else if (decoded?.kind === "configuration" && slot > this.#handle.configurationSlot) {
      this.#handle = { ...this.#handle, configuration: decoded.configuration, configurationSlot: slot };
    } else if (decoded?.kind === "commands") {
      this.#partial = { commands: decoded.commands, results: [] };
    }
    const results = this.#partial?.results;
    if (!this.#applyCommands(slot, untilMs)) return false;
    this.#partial = null;
    this.#handle = { ...this.#handle, slot };
    if (proposalId !== null) this.#port.applied(proposalId, results ?? []);
    this.#port.checkpoint(slot, this.#state.checksum);
    return true;
  }

  #applyCommands(slot: Slot, untilMs: number): boolean {
    if (this.#partial === null) return true;
    const { commands, results } = this.#partial;
    while (results.length < commands.length) {
      results.push(this.#state.apply(slot, commands[results.length] as Uint8Array));
      if (results.length % COMMANDS_PER_LOOK === 0 && results.length < commands.length && this.#port.nowMs() >= untilMs) return false;
    }
    return true;
  }

  /** Stops between two entries until a snapshot replaces the state: it differs from the majority's (rule 6). */
  pause(): void {
    this.#paused = true;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Puts a snapshot's state in place of this one. Entries at or below its slot are dropped; those above are applied on it. */
  install(handle: SnapshotHandle, state: StateMachine): void {
    assert(handle.slot >= this.slot, "a snapshot never takes the state back");
    assert(state.checksum === handle.checksum, "a restored state has the checksum of its snapshot");
    this.#queue = this.#queue.slice(this.#done).filter((entry) => entry.slot > handle.slot);
    this.#done = 0;
    this.#partial = null;
    this.#state = state;
    const { slot, configuration, configurationSlot, leaderBallot, cluster } = handle;
    this.#handle = { slot, configuration, configurationSlot, leaderBallot, cluster };
    this.#paused = false;
  }
}
