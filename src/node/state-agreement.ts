import { SynodError } from "../errors/synod-error.ts";
import { allMembers, type Configuration } from "../paxos/configuration.ts";
import type { Incarnation, Slot } from "../paxos/ids.ts";
import { ChecksumWatch } from "./checksum-watch.ts";
import type { PeerMessage } from "./peer-messages.ts";

export interface StateAgreementPort {
  configuration(): Configuration;
  isLinked(member: Incarnation): boolean;
  send(to: Incarnation, message: PeerMessage): void;
  /** Whether this member's state is known to be wrong, and waits to be replaced. */
  paused(): boolean;
  /** This member's state differs from that of others: nobody may read it. */
  differs(error: SynodError): void;
  /** It is this member's state that is wrong: nothing is applied to it any more, and it leads no more. */
  pause(): void;
  /** Drawn evenly from [0, 1). */
  random(): number;
  /** Replaces the state by a snapshot of a member that has the right one. */
  replaceBy(source: Incarnation): void;
}

/**
 * What a member does so that all have the same state (rule 6): it tells its checksums and compares them with those of the others. With another
 * state than a majority's it replaces its own; where nobody knows who is right, nobody serves.
 */
export class StateAgreement {
  readonly #self: Incarnation;
  readonly #port: StateAgreementPort;
  readonly #checksums: ChecksumWatch;
  #undecided = false;
  /** The majority whose state is the right one, while this member's is not. */
  #rightful: readonly Incarnation[] = [];

  constructor(self: Incarnation, port: StateAgreementPort) {
    this.#self = self;
    this.#port = port;
    this.#checksums = new ChecksumWatch(self);
  }

  /** The states of voters differ, and nobody knows at present which is right. */
  get undecided(): boolean {
    return this.#undecided;
  }

  /** This member applied `slot`. Cheap unless it is a checkpoint. */
  applied(slot: Slot, checksum: number): void {
    if (this.#checksums.applied(slot, checksum)) this.#judge();
  }

  heard(from: Incarnation, slot: Slot, checksum: number): void {
    this.#checksums.heard(from, slot, checksum);
    this.#judge();
  }

  /** To be called now and then: tells the others. */
  tell(): void {
    if (this.#port.paused()) return;
    for (const { incarnation } of allMembers(this.#port.configuration())) {
      if (incarnation === this.#self || !this.#port.isLinked(incarnation)) continue;
      for (const checkpoint of this.#checksums.newest) this.#port.send(incarnation, { type: "checksum", ...checkpoint });
    }
  }

  #judge(): void {
    if (this.#port.paused()) return;
    const verdict = this.#checksums.judge(this.#port.configuration());
    const known = this.#undecided;
    this.#undecided = verdict.kind === "none";
    if (verdict.kind === "fine" || (known && this.#undecided)) return;
    this.#port.differs(new SynodError("SYNOD_ERR_DIVERGED", `The states of the members differ at slot ${verdict.slot}.`));
    if (verdict.kind === "none") return;
    this.#port.pause();
    this.#rightful = verdict.majority;
    this.replaceState();
  }

  /** To be called again and again while the state is wrong, until one of the majority has a snapshot that is new enough. */
  replaceState(): void {
    const sources = this.#rightful.filter((member) => this.#port.isLinked(member));
    const source = sources[Math.floor(this.#port.random() * sources.length)];
    if (source !== undefined) this.#port.replaceBy(source);
  }

  /** The state was replaced. */
  reset(): void {
    this.#checksums.reset();
  }
}
