import { assert } from "../codec/assert.ts";
import { crc32 } from "../codec/crc32.ts";
import { type Ballot, maxBallot, ZERO_BALLOT } from "../paxos/ballot.ts";
import type { Slot } from "../paxos/ids.ts";
import type { ChosenEntry } from "../paxos/interface.ts";
import type { SnapshotHandle } from "../paxos/records.ts";
import { decodeValue } from "../paxos/value.ts";
import type { ConfigurationInForce } from "./decisions.ts";
import { commandTexts } from "./names.ts";

/** A snapshot of a replica: its handle and the commands that it stands for. */
export interface ReplicaSnapshot {
  readonly handle: SnapshotHandle;
  readonly commands: readonly string[];
}

/** The cluster id of every scenario. */
const CLUSTER = "c".repeat(32);

const encoder = new TextEncoder();

/** The smallest replicated state there is: the list of the commands applied so far, and what belongs to an applied prefix. */
export class Replica {
  readonly #commands: string[] = [];
  #handle: SnapshotHandle;

  /** A member that joined knows a later configuration than the entries that it begins with. */
  constructor(founding: ConfigurationInForce, snapshot: ReplicaSnapshot | null) {
    const known = { configuration: founding.configuration, configurationSlot: founding.slot as Slot };
    this.#handle = snapshot?.handle ?? { ...known, slot: 0 as Slot, leaderBallot: ZERO_BALLOT, promised: ZERO_BALLOT, cluster: CLUSTER, checksum: 0 };
    this.#commands.push(...(snapshot?.commands ?? []));
  }

  /** The slot applied last. */
  get slot(): Slot {
    return this.#handle.slot;
  }

  get commands(): readonly string[] {
    return this.#commands;
  }

  get leaderBallot(): Ballot {
    return this.#handle.leaderBallot;
  }

  /** Whether the configuration that it knows belongs to what it has applied; before that it is no snapshot to give away. */
  get isWhole(): boolean {
    return this.#handle.slot >= this.#handle.configurationSlot;
  }

  /** Applies the entry of the next slot. */
  apply({ slot, value }: ChosenEntry): void {
    assert(slot === this.#handle.slot + 1, `slot ${slot} is applied after slot ${this.#handle.slot}`);
    const decoded = decodeValue(value);
    const { promised } = this.#handle;
    let { leaderBallot, configuration, configurationSlot, checksum } = this.#handle;
    if (decoded.kind === "barrier") leaderBallot = maxBallot(leaderBallot, decoded.ballot);
    if (decoded.kind === "configuration" && slot > configurationSlot) [configuration, configurationSlot] = [decoded.configuration, slot];
    for (const text of commandTexts(value)) {
      this.#commands.push(text);
      checksum = crc32(encoder.encode(`${text}\n`), checksum);
    }
    this.#handle = { slot, configuration, configurationSlot, leaderBallot, promised, cluster: CLUSTER, checksum };
  }

  /** With what its member has promised, if that is not what the replica began with. */
  snapshot(promised: Ballot = this.#handle.promised): ReplicaSnapshot {
    return { handle: { ...this.#handle, promised }, commands: [...this.#commands] };
  }
}
