import { assert } from "../codec/assert.ts";
import type { Configuration } from "../paxos/configuration.ts";
import { type CoreStatus, PaxosCore } from "../paxos/core.ts";
import type { Effects, Input, Limits, Timings } from "../paxos/interface.ts";
import type { OutgoingMessage } from "../paxos/messages.ts";
import { Disk } from "./disk.ts";
import { memberIncarnation } from "./names.ts";
import { Replica } from "./replica.ts";

export interface MemberSettings {
  readonly configuration: Configuration;
  readonly timings: Partial<Timings>;
  readonly limits: Partial<Limits>;
}

/** Nonces of different lives lie this far apart. */
const NONCES_PER_LIFE = 1_000_000;

/** One member of a scenario: a core, the disk and the replica around it, and messages that wait for the disk. */
export class SimulatedMember {
  readonly number: number;
  readonly disk = new Disk();
  /** Counts lives from 1. */
  life = 0;
  /** Milliseconds since this life began, by this member's own clock. */
  uptimeMs = 0;
  /** When set, every draw of this member is this instead of a random one. */
  fixedDraw: number | null = null;
  readonly #settings: MemberSettings;
  #core: PaxosCore | null = null;
  #replica: Replica;
  #waiting: OutgoingMessage[] = [];

  constructor(number: number, settings: MemberSettings) {
    this.number = number;
    this.#settings = settings;
    this.#replica = new Replica(settings.configuration, null);
  }

  get running(): boolean {
    return this.#core !== null;
  }

  get replica(): Replica {
    return this.#replica;
  }

  /** Messages that wait for records to become durable. */
  get waiting(): readonly OutgoingMessage[] {
    return this.#waiting;
  }

  status(): CoreStatus {
    return this.#running().status();
  }

  get leads(): boolean {
    return this.#core?.leads ?? false;
  }

  /** Begins a life with what the disk kept. */
  start(): void {
    assert(this.#core === null, `member ${this.number} runs already`);
    this.life += 1;
    this.uptimeMs = 0;
    const { configuration, timings, limits } = this.#settings;
    this.#replica = new Replica(configuration, this.disk.snapshot);
    this.#core = new PaxosCore({
      self: memberIncarnation(this.number),
      configuration,
      recovered: this.disk.recover(),
      timings,
      limits,
      nonceSeed: this.life * NONCES_PER_LIFE,
    });
  }

  /** Ends a life: memory, undurable records and messages that waited for them are lost. */
  crash(): void {
    this.#core = null;
    this.#waiting = [];
    this.disk.crash();
  }

  step(input: Input): void {
    this.#running().step(input);
  }

  takeEffects(): Effects {
    return this.#running().takeEffects();
  }

  holdBack(message: OutgoingMessage): void {
    this.#waiting.push(message);
  }

  /** The messages that waited for nothing more than what is durable now. */
  releaseDurable(): readonly OutgoingMessage[] {
    const free = this.#waiting.filter((message) => message.afterRecord <= this.disk.durable);
    this.#waiting = this.#waiting.filter((message) => message.afterRecord > this.disk.durable);
    return free;
  }

  /** Puts the disk's snapshot in place of the replica. */
  restoreReplica(): void {
    this.#replica = new Replica(this.#settings.configuration, this.disk.snapshot);
  }

  #running(): PaxosCore {
    assert(this.#core !== null, `member ${this.number} is down`);
    return this.#core;
  }
}
