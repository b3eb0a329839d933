import { assert } from "../codec/assert.ts";
import { type CoreStatus, PaxosCore } from "../paxos/core.ts";
import type { Effects, Input, Limits, Timings } from "../paxos/interface.ts";
import type { OutgoingMessage } from "../paxos/messages.ts";
import type { Slot } from "../paxos/ids.ts";
import type { ConfigurationInForce } from "./decisions.ts";
import { Disk } from "./disk.ts";
import { memberIncarnation } from "./names.ts";
import { Replica } from "./replica.ts";

export interface MemberSettings {
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
  #founding: ConfigurationInForce | null = null;
  #replica: Replica | null = null;
  #diskLost = false;
  #waiting: OutgoingMessage[] = [];
  /** Until when only ticks come that lead to nothing; -Infinity: something else came. */
  #quietUntilMs = -Infinity;

  constructor(number: number, settings: MemberSettings) {
    this.number = number;
    this.#settings = settings;
  }

  /** Takes the document that makes a member of it: a configuration, and the slot of the entry that set it. */
  found(founding: ConfigurationInForce): void {
    assert(this.#founding === null, `member ${this.number} was founded already`);
    this.#founding = founding;
    this.#replica = new Replica(founding, null);
  }

  /** Whether it has a disk and was founded, so that it can be started. */
  get exists(): boolean {
    return this.#founding !== null && !this.#diskLost;
  }

  get founded(): boolean {
    return this.#founding !== null;
  }

  /** Its disk is gone, so it never comes back: what comes in its place is another member (rule 13). */
  loseDisk(): void {
    assert(this.#core === null, `member ${this.number} is not running when its disk is lost`);
    this.#diskLost = true;
  }

  get running(): boolean {
    return this.#core !== null;
  }

  get replica(): Replica {
    assert(this.#replica !== null, `member ${this.number} was not founded`);
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
    assert(this.#founding !== null && !this.#diskLost, `there is nothing of member ${this.number} that could be started`);
    this.life += 1;
    this.uptimeMs = 0;
    this.#quietUntilMs = -Infinity;
    const { timings, limits } = this.#settings;
    const { configuration, slot } = this.#founding;
    this.#replica = new Replica(this.#founding, this.disk.snapshot);
    this.#core = new PaxosCore({
      self: memberIncarnation(this.number),
      configuration,
      configurationSlot: slot as Slot,
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
    if (input.type !== "tick" || input.nowMs >= this.#quietUntilMs) this.#quietUntilMs = -Infinity;
  }

  /** What the core said beforehand to lead to nothing must lead to nothing: drivers leave such ticks out. */
  takeEffects(): Effects {
    const core = this.#running();
    const effects = core.takeEffects();
    if (this.#quietUntilMs > -Infinity) assert(isEmpty(effects), `no tick before ${this.#quietUntilMs} ms leads to anything`);
    this.#quietUntilMs = core.quietUntilMs;
    return effects;
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
    assert(this.#founding !== null, `member ${this.number} was founded`);
    this.#replica = new Replica(this.#founding, this.disk.snapshot);
  }

  #running(): PaxosCore {
    assert(this.#core !== null, `member ${this.number} is down`);
    return this.#core;
  }
}

function isEmpty(effects: Effects): boolean {
  const { records, messages, chosen, failedProposals, reads, changes, fetchSnapshot, events } = effects;
  return fetchSnapshot === null && [records, messages, chosen, failedProposals, reads, changes, events].every((list) => list.length === 0);
}
