import { type Ballot, compareBallots, maxBallot, ZERO_BALLOT } from "../paxos/ballot.ts";
import type { Configuration } from "../paxos/configuration.ts";
import type { Slot } from "../paxos/ids.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import type { ConfigurationInForce } from "../scenario/decisions.ts";
import type { Limits, PaxosEvent } from "../paxos/interface.ts";
import type { Message } from "../paxos/messages.ts";
import type { LogRecord, RecoveredState, SnapshotHandle } from "../paxos/records.ts";
import { Checker, Violation } from "../scenario/checker.ts";
import { describeEvent } from "../scenario/describe.ts";
import { Disk } from "../scenario/disk.ts";
import { memberIncarnation } from "../scenario/names.ts";
import { UnchosenBound } from "./unchosen-bound.ts";
import { OutOfBounds, StatesDiffer } from "./violations.ts";

/** What the watch knows of one machine. */
interface Watched {
  /** What must be on the machine's disk by now. */
  disk: Disk;
  recorded: number;
  readonly unchosen: UnchosenBound;
}

/**
 * Sees all that the members do and holds it against what Paxos allows: one value per slot, promises that never fall, nothing sent before
 * it is durable, one leader per ballot, and the same state at the same slot. It also writes the run's story.
 */
export class Watch {
  readonly #checker: Checker;
  readonly #machines = new Map<number, Watched>();
  #highestWon = ZERO_BALLOT;
  /** The ballots whose leaders began to serve. */
  readonly #served: Ballot[] = [];
  readonly #checksums = new Map<number, { readonly checksum: number; readonly machine: number }>();
  readonly #limits: Pick<Limits, "maxMessageBytes" | "maxUnchosenBytes">;
  readonly #tell: (line: string) => void;
  readonly #reached = { event: new Map<string, number>(), message: new Map<string, number>(), record: new Map<string, number>(), effect: new Map<string, number>() };

  constructor(configuration: Configuration, limits: Pick<Limits, "maxMessageBytes" | "maxUnchosenBytes">, tell: (line: string) => void) {
    this.#checker = new Checker(configuration);
    this.#limits = limits;
    this.#tell = tell;
  }

  /** How often each event, message, record and effect was seen; which of these it is comes first in its name. */
  get reached(): Map<string, number> {
    return new Map(Object.entries(this.#reached).flatMap(([kind, counts]) => [...counts].map(([name, count]): [string, number] => [`${kind} ${name}`, count])));
  }

  /** The highest ballot that was won. */
  get highestWon(): Ballot {
    return this.#highestWon;
  }

  /** How many leaders of ballots above this one began to serve. Of two candidates at once both may win, and the first yield before it serves. */
  servedAbove(ballot: Ballot): number {
    return this.#served.filter((served) => compareBallots(served, ballot) > 0).length;
  }

  /** The newest configuration in force. */
  get configuration(): Configuration {
    return (this.#checker.configurations.at(-1) as ConfigurationInForce).configuration;
  }

  /** Its change is done, and no other may come into force. */
  get steady(): boolean {
    const { configurations, doneSlot } = this.#checker;
    return configurations.at(-1)?.slot === doneSlot && this.#checker.undecidedConfigurations().length === 0;
  }

  /** Somebody was told that a change is done. */
  changed(change: ConfigurationChange, slot: Slot): void {
    this.#count("effect", `change:${change.type}`);
    this.#checker.changed(change, slot, (member) => this.#diskOf(member));
  }

  /** Something came of a fault that is worth knowing to have happened, such as a change that was refused. */
  came(what: string): void {
    this.#count("effect", what);
  }

  /** A process began its life with what its disk kept, which the storage has synced again (rule 5b). */
  recovered(machine: number, recovered: RecoveredState): void {
    this.#checker.recovered(machine, recovered);
    this.#checkKept(machine, recovered);
    const disk = new Disk();
    const records: LogRecord[] = [{ type: "promised", ballot: maxBallot(recovered.promised, recovered.snapshot?.promised ?? ZERO_BALLOT) }];
    if (recovered.ownRound > 0) records.push({ type: "campaign", ballot: { round: recovered.ownRound, incarnation: memberIncarnation(machine) } });
    if (recovered.snapshot !== null) disk.writeSnapshot({ handle: recovered.snapshot, commands: [] });
    for (const { slot, ballot, value, learned } of recovered.entries) {
      records.push(learned ? { type: "learned", slot, value } : { type: "accepted", slot, ballot, value });
    }
    records.push({ type: "chosen", through: recovered.chosenThrough });
    disk.append(records, 1);
    for (const record of disk.sync()) this.#checker.durable(machine, record);
    disk.crash();
    this.#machines.set(machine, { disk, recorded: 0, unchosen: new UnchosenBound(machine, this.#limits.maxUnchosenBytes) });
    this.#tell(`${machine} starts, with the promise of round ${recovered.promised.round} and slots up to ${recovered.entries.at(-1)?.slot ?? recovered.snapshot?.slot ?? 0}`);
  }

  /**
   * Every slot that was once durable above the snapshot is still held: at that ballot or a higher one, or as chosen; what was known as chosen
   * may have been accepted again since, and that may be on the disk without having been told durable (rules 5b and 14).
   */
  #checkKept(machine: number, { snapshot, entries }: RecoveredState): void {
    const held = new Map(entries.map((entry) => [entry.slot as number, entry]));
    for (const [slot, before] of this.#machines.get(machine)?.disk.entries ?? []) {
      const now = held.get(slot);
      if (slot <= (snapshot?.slot ?? 0)) continue;
      const kept = now !== undefined && (now.learned || before.learned || compareBallots(now.ballot, before.ballot) >= 0);
      if (!kept) throw new Violation(`member ${machine} forgot slot ${slot}, which was durable`);
    }
  }

  recorded(machine: number, records: readonly LogRecord[]): void {
    const watched = this.#of(machine);
    for (const record of records) {
      this.#count("record", record.type);
      this.#checker.recorded(machine, record);
      if (record.type === "accepted" && record.ballot.incarnation === memberIncarnation(machine)) {
        watched.unchosen.proposed(record.slot, record.ballot, record.value, this.#checker.decidedThrough);
      }
    }
    watched.disk.append(records, watched.recorded + 1);
    watched.recorded += records.length;
  }

  durable(machine: number, through: number): void {
    const { disk } = this.#of(machine);
    for (const record of disk.sync(through - disk.durable)) this.#checker.durable(machine, record);
  }

  snapshot(machine: number, handle: SnapshotHandle): void {
    this.#of(machine).disk.writeSnapshot({ handle, commands: [] });
    this.#count("effect", "snapshot");
  }

  /** A message beside the protocol leaves. */
  sent(type: string): void {
    this.#count("message", type);
  }

  leaves(machine: number, message: Message): void {
    this.#count("message", message.type);
    this.#checkSize(machine, message);
    this.#checker.leaves(machine, message, this.#of(machine).disk);
  }

  /** A message holds values up to its bound, or one that is larger (rule 26). */
  #checkSize(machine: number, message: Message): void {
    const values = message.type === "promise" ? message.entries.map(({ value }) => value)
      : message.type === "accept" || message.type === "chosenEntries" ? message.values : [];
    if (values.length < 2) return;
    const bytes = values.reduce((sum, value) => sum + value.length, 0);
    if (bytes > this.#limits.maxMessageBytes) throw new OutOfBounds(`member ${machine} sent ${message.type} with ${bytes} bytes of ${values.length} values`);
  }

  event(machine: number, life: number, event: PaxosEvent): void {
    this.#count("event", event.type);
    const line = describeEvent(machine, event);
    if (line !== null) this.#tell(`${machine} ${line}`);
    if (event.type === "leaderReady") this.#served.push(event.ballot);
    if (event.type === "electionWon") {
      this.#highestWon = maxBallot(this.#highestWon, event.ballot);
      this.#checker.won(machine, life, event.ballot);
    }
    if (event.type === "configurationDone") this.#checker.done(machine, event.slot, (member) => this.#diskOf(member));
  }

  #diskOf(machine: number): Disk {
    return this.#machines.get(machine)?.disk ?? new Disk();
  }

  warning(machine: number, message: string, error: unknown): void {
    this.#count("effect", "warning");
    this.#tell(`${machine} warns: ${message} (${String(error)})`);
  }

  /** Members that applied the same slots have the same state. */
  state(machine: number, slot: Slot, checksum: number): void {
    const known = this.#checksums.get(slot);
    if (known === undefined) this.#checksums.set(slot, { checksum, machine });
    else if (known.checksum !== checksum) throw new StatesDiffer(`members ${known.machine} and ${machine} have different states at slot ${slot}`);
  }

  #count(kind: "event" | "message" | "record" | "effect", name: string): void {
    const counts = this.#reached[kind];
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  #of(machine: number): Watched {
    const watched = this.#machines.get(machine);
    if (watched === undefined) throw new Error(`machine ${machine} was never started`);
    return watched;
  }
}
