import { assert } from "../codec/assert.ts";
import { allMembers, type Configuration } from "../paxos/configuration.ts";
import type { Slot } from "../paxos/ids.ts";
import { DEFAULT_TIMINGS, type Effects, type Input, type Limits, type Timings } from "../paxos/interface.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import type { Message, OutgoingMessage } from "../paxos/messages.ts";
import { Changes } from "./changes.ts";
import { Checker } from "./checker.ts";
import { Clients } from "./clients.ts";
import { SimulatedMember } from "./member.ts";
import { memberIncarnation, memberNumber, scenarioConfiguration } from "./names.ts";
import { type Envelope, Network } from "./network.ts";
import type { Note } from "./notes.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface ClusterOptions {
  /** Members 1 to `size`, all voters. */
  readonly size: number;
  /** So many more members, numbered from `size` + 1 on, that can join later. */
  readonly spare?: number;
  readonly seed?: number;
  readonly timings?: Partial<Timings>;
  readonly limits?: Partial<Limits>;
  readonly note?: (note: Note) => void;
}

/** A member whose own inputs go on for longer than this has run into a circle. */
const MAX_SETTLE_TURNS = 1_000;

const encoder = new TextEncoder();

/**
 * Several cores with disks, a network and clients, all in one thread, where every step is a call of one of these methods
 * and nothing happens by itself. Throws `Violation` the moment an invariant breaks.
 */
export class SimulatedCluster {
  readonly network = new Network();
  readonly members: readonly SimulatedMember[];
  readonly configuration: Configuration;
  readonly checker: Checker;
  readonly clients: Clients;
  readonly changes: Changes;
  readonly tickMs: number;
  readonly electionTimeoutMs: number;
  /** Snapshots that a core asks for travel like messages; otherwise only `install` moves them. */
  automaticSnapshots = true;
  /** While set, inputs collect in the cores until `settle`: a turn of a real member's event loop holds several. */
  batching = false;
  /** Time as an onlooker sees it, moved by `tickAll`. */
  nowMs = 0;
  readonly #random: SeededRandom;
  readonly #note: (note: Note) => void;

  constructor(options: ClusterOptions) {
    const { size, spare = 0, seed = 1, timings = {}, limits = {} } = options;
    this.#note = options.note ?? (() => {});
    this.#random = new SeededRandom(seed);
    this.configuration = scenarioConfiguration(size);
    this.checker = new Checker(this.configuration);
    this.clients = new Clients(this.checker, this.#note);
    this.changes = new Changes(this.checker, (member) => this.member(member).disk, this.#note);
    ({ tickMs: this.tickMs, electionTimeoutMs: this.electionTimeoutMs } = { ...DEFAULT_TIMINGS, ...timings });
    this.members = Array.from({ length: size + spare }, (_, index) => new SimulatedMember(index + 1, { timings, limits }));
    for (const member of this.members.slice(0, size)) {
      member.found({ slot: 0, configuration: this.configuration });
      member.start();
      this.settle(member);
    }
  }

  member(number: number): SimulatedMember {
    const member = this.members[number - 1];
    assert(member !== undefined, `there is no member ${number}`);
    return member;
  }

  get running(): readonly SimulatedMember[] {
    return this.members.filter((member) => member.running);
  }

  /** Gives a member one input and carries out what follows. */
  input(number: number, input: Input): void {
    const member = this.member(number);
    member.step(input);
    if (!this.batching) this.settle(member);
  }

  propose(number: number, texts: readonly string[]): number {
    const proposalId = this.clients.propose(this.member(number), texts);
    this.input(number, { type: "propose", proposalId, commands: texts.map((text) => encoder.encode(text)) });
    return proposalId;
  }

  read(number: number): number {
    const readId = this.clients.read(this.member(number));
    this.input(number, { type: "read", readId });
    return readId;
  }

  /** Asks a member for a change of the configuration. */
  change(number: number, change: ConfigurationChange, options: { readonly force?: boolean; readonly plannedFrom?: number | null } = {}): number {
    const { force = false, plannedFrom = null } = options;
    const changeId = this.changes.begin(this.member(number), change, force);
    this.input(number, { type: "changeConfiguration", request: { changeId, change, force, plannedFrom: plannedFrom as Slot | null } });
    return changeId;
  }

  /** Starts a member for the first time, with the configuration of the entry that added it. */
  join(number: number): void {
    const member = this.member(number);
    const founding = this.checker.configurations.find(({ configuration }) => allMembers(configuration).some(({ incarnation }) => incarnation === memberIncarnation(number)));
    assert(founding !== undefined, `no configuration is decided that member ${number} belongs to`);
    member.found(founding);
    this.#note({ type: "joined", member: number, founding });
    this.#begin(member);
  }

  /** A member's disk is lost for good, and its life with it. */
  loseDisk(number: number): void {
    const member = this.member(number);
    if (member.running) this.crash(number);
    member.loseDisk();
    this.#note({ type: "diskLost", member: number });
  }

  /** One tick of one member's own clock. */
  tick(number: number): void {
    const member = this.member(number);
    member.uptimeMs += this.tickMs;
    const random = member.fixedDraw ?? this.#random.next();
    this.input(number, { type: "tick", nowMs: member.uptimeMs, random });
  }

  /** One tick of every clock. */
  tickAll(): void {
    this.nowMs += this.tickMs;
    for (const { number } of this.running) this.tick(number);
  }

  /** Takes an envelope off the network and hands it over, unless its link or its receiver is gone. */
  deliver(envelope: Envelope): void {
    if (!this.network.remove(envelope)) return;
    const { from, to, payload } = envelope;
    const member = this.member(to);
    if (!member.running || (payload.type === "snapshot" && !this.member(from).running)) return this.#note({ type: "lost", envelope, why: "down" });
    if (!this.network.reaches(from, to)) return this.#note({ type: "lost", envelope, why: "cut" });
    this.#note({ type: "delivered", envelope });
    if (payload.type === "snapshot") this.install(to, from);
    else this.input(to, { type: "message", from: memberIncarnation(from), message: payload });
  }

  drop(envelope: Envelope): void {
    if (this.network.remove(envelope)) this.#note({ type: "lost", envelope, why: "dropped" });
  }

  duplicate({ from, to, payload }: Envelope): void {
    this.#note({ type: "duplicated", envelope: this.network.send(from, to, payload) });
  }

  /** Makes the oldest `count` waiting records of a member durable, all by default. */
  sync(number: number, count?: number): void {
    const member = this.member(number);
    this.#sync(member, count);
    this.settle(member);
  }

  /** Ends a member's life. Of what waits for its disk the oldest `kept` records were written, but nobody heard of it; the rest is lost. */
  crash(number: number, kept = 0): void {
    const member = this.member(number);
    for (const record of member.disk.sync(kept)) this.checker.durable(number, record);
    const lost = member.disk.unsynced;
    member.crash();
    this.#note({ type: "crashed", member: number, lost });
    this.clients.crashed(member);
    this.changes.crashed(member);
  }

  restart(number: number): void {
    const member = this.member(number);
    const recovered = member.disk.recover();
    this.checker.recovered(number, recovered);
    this.#note({ type: "started", member: number, recovered });
    this.#begin(member);
  }

  #begin(member: SimulatedMember): void {
    member.start();
    for (const { number } of this.members) {
      if (this.network.isDown(number, member.number)) member.step({ type: "linkDown", peer: memberIncarnation(number) });
    }
    this.settle(member);
  }

  /** Takes a snapshot of what a member has applied; it is durable at once. */
  snapshot(number: number): void {
    const member = this.member(number);
    this.settle(member);
    const snapshot = member.replica.snapshot(member.status().ballot);
    if (snapshot.handle.slot === 0 || !member.replica.isWhole) return;
    member.disk.writeSnapshot(snapshot);
    this.#note({ type: "snapshotTaken", member: number, slot: snapshot.handle.slot });
    this.input(number, { type: "snapshotTaken", handle: snapshot.handle });
  }

  /** Installs the newest snapshot of `from` at `to`, as a member does it: on disk first, then state and core in one turn. */
  install(to: number, from: number): void {
    const member = this.member(to);
    const { snapshot } = this.member(from).disk;
    assert(snapshot !== null, `member ${from} has no snapshot`);
    const { handle } = snapshot;
    this.settle(member);
    member.disk.writeSnapshot(snapshot);
    const advances = handle.slot > member.replica.slot;
    this.#note({ type: advances ? "snapshotInstalled" : "snapshotIgnored", member: to, slot: handle.slot });
    if (advances) {
      member.restoreReplica();
      this.checker.holds(to, member.replica.snapshot());
      member.step({ type: "snapshotInstalled", handle });
    }
    member.step({ type: "snapshotTaken", handle });
    this.settle(member);
    this.clients.answerReads(member);
  }

  /** Closes or opens the link of two members, and both notice. What was under way on a closing link is lost. */
  link(a: number, b: number, up: boolean): void {
    if (this.network.isDown(a, b) === !up) return;
    this.network.setDown(a, b, !up);
    if (!up) this.network.clear(a, b);
    for (const [at, peer] of [[a, b], [b, a]] as const) {
      if (this.member(at).running) this.input(at, { type: up ? "linkUp" : "linkDown", peer: memberIncarnation(peer) });
    }
  }

  /** Carries out what a member's core wants done until it wants nothing more. */
  settle(member: SimulatedMember): void {
    for (let turns = 0; ; turns++) {
      assert(turns < MAX_SETTLE_TURNS, `member ${member.number} goes round in a circle`);
      this.#carryOut(member, member.takeEffects());
      if (!member.disk.automatic || member.disk.unsynced.length === 0) return;
      this.#sync(member);
    }
  }

  #sync(member: SimulatedMember, count?: number): void {
    const records = member.disk.sync(count);
    if (records.length === 0) return;
    for (const record of records) this.checker.durable(member.number, record);
    if (!member.disk.automatic) this.#note({ type: "synced", member: member.number, records });
    member.step({ type: "durable", record: member.disk.durable });
    for (const message of member.releaseDurable()) this.#send(member, message);
  }

  #carryOut(member: SimulatedMember, effects: Effects): void {
    const { number } = member;
    for (const record of effects.records) this.checker.recorded(number, record);
    member.disk.append(effects.records, effects.firstRecord);
    for (const event of effects.events) {
      if (event.type === "electionWon") this.checker.won(number, member.life, event.ballot);
      if (event.type === "configurationDone") this.checker.done(number, event.slot, (voter) => this.member(voter).disk);
      this.#note({ type: "event", member: number, event });
    }
    for (const message of effects.messages) {
      if (message.afterRecord > member.disk.durable) member.holdBack(message);
      else this.#send(member, message);
    }
    this.#apply(member, effects);
    if (effects.fetchSnapshot !== null) this.#fetchSnapshot(number, effects.fetchSnapshot);
  }

  #send(member: SimulatedMember, { to, message }: OutgoingMessage): void {
    this.checker.leaves(member.number, message satisfies Message, member.disk);
    this.network.send(member.number, memberNumber(to), message);
  }

  #apply(member: SimulatedMember, effects: Effects): void {
    for (const entry of effects.chosen) {
      this.checker.applied(member.number, entry);
      member.replica.apply(entry);
    }
    if (effects.chosen.length > 0) this.#note({ type: "applied", member: member.number, entries: effects.chosen });
    for (const { proposalId, slot } of effects.chosen) if (proposalId !== null) this.clients.acknowledged(member, proposalId, slot);
    for (const { proposalId, failure } of effects.failedProposals) this.clients.failed(member, proposalId, failure);
    for (const outcome of effects.changes) this.changes.answered(member, outcome);
    for (const outcome of effects.reads) this.clients.readOutcome(member, outcome.readId, outcome.ok ? outcome.slot : null);
    if (effects.chosen.length > 0) this.clients.answerReads(member);
  }

  #fetchSnapshot(member: number, { from, slot }: NonNullable<Effects["fetchSnapshot"]>): void {
    const source = memberNumber(from);
    this.#note({ type: "snapshotWanted", member, from: source, slot });
    if (!this.automaticSnapshots) return;
    const asked = this.network.select({ types: ["snapshot"], to: [member] }, { ignoreHolds: true });
    if (asked.length === 0) this.network.send(source, member, { type: "snapshot" });
  }
}
