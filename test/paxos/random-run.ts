import { isMember } from "../../src/paxos/configuration.ts";
import { SimulatedCluster } from "../../src/scenario/cluster.ts";
import type { Note } from "../../src/scenario/notes.ts";
import { memberIncarnation, memberNumber } from "../../src/scenario/names.ts";
import { SeededRandom } from "../../src/scenario/seeded-random.ts";
import { Trace } from "../../src/scenario/trace.ts";
import { Violation } from "../../src/scenario/checker.ts";
import type { ConfigurationInForce } from "../../src/scenario/decisions.ts";
import type { SimulatedMember } from "../../src/scenario/member.ts";
import { MEMBERSHIP_ACTIONS, type MembershipAction, RandomMembership, USUAL_CHANGES } from "./random-membership.ts";

const STEPS = 400;
/** Runs in which the members change take longer, since each change is several steps. */
const STEPS_WITH_CHANGES = 700;
const SPARE_MEMBERS = 4;
const TIMINGS = { tickMs: 40, heartbeatMs: 80, electionTimeoutMs: 400, diskStallMs: 1_000 };
/** After everything is healed a leader must be at work, and a proposal chosen, within this time. */
const RECOVERY_MS = 6_000;
/** An election timeout and a little: enough to grant pre-votes, and seldom enough to ask for them. */
const PATIENCE_TICKS = 11;
const SETTLED_MS = 2_000;
const MAX_DELIVERIES_PER_TICK = 20_000;
const MAX_IN_FLIGHT = 400;

/** How often each thing happens in one run, relative to the others. Every run draws its own mix, so that rare mixes occur too. */
type Mix = Readonly<Record<Action, number>>;
type Action = (typeof ACTIONS)[number];
const ACTIONS = [
  "deliverOldest", "deliverAny", "deliverAll", "drop", "duplicate", "tickAll", "impatience", "propose", "proposeAnywhere", "read",
  "sync", "slowDisk", "fastDisk", "crash", "restart", "isolate", "cutOneWay", "heal", "linkDown", "linkUp", "snapshot", "transfer", "campaign", "settle",
  ...MEMBERSHIP_ACTIONS,
] as const;

const USUAL: Mix = {
  deliverOldest: 160, deliverAny: 30, deliverAll: 40, drop: 6, duplicate: 5, tickAll: 14, impatience: 10, propose: 25, proposeAnywhere: 1, read: 6,
  sync: 20, slowDisk: 3, fastDisk: 2, crash: 2, restart: 8, isolate: 2, cutOneWay: 1.5, heal: 8, linkDown: 1.5, linkUp: 10, snapshot: 4, transfer: 2,
  campaign: 3, settle: 20, ...USUAL_CHANGES,
};

/** One short life of a cluster, drawn from a seed. Throws when anything happens that must not. */
export class RandomRun {
  readonly #random: SeededRandom;
  readonly #cluster: SimulatedCluster;
  readonly #mix: Mix;
  readonly #batching: boolean;
  readonly #membership: RandomMembership;
  readonly #changes: boolean;
  #commands = 0;

  constructor(seed: number, note: (note: Note) => void = () => {}) {
    const random = new SeededRandom(seed);
    this.#random = random;
    const size = random.pick([3, 3, 3, 5, 5, 4, 2, 1]);
    const limits = {
      retainedLogBytes: random.pick([0, 60, 1_000_000]),
      maxMessageBytes: random.pick([40, 200, 100_000]),
      maxInflightBytes: random.pick([100, 1_000_000]),
      maxUnchosenBytes: random.pick([150, 1_000_000]),
    };
    this.#changes = random.chance(0.6);
    this.#cluster = new SimulatedCluster({ size, spare: this.#changes ? SPARE_MEMBERS : 0, seed, timings: TIMINGS, limits, note });
    this.#membership = new RandomMembership(this.#cluster, random);
    this.#mix = this.#drawMix();
    this.#batching = random.chance(0.4);
  }

  #drawMix(): Mix {
    const drawn = ACTIONS.map((action) => [action, USUAL[action] * (this.#random.pick([0, 1, 1, 1, 3]))] as const);
    const none = this.#changes ? {} : Object.fromEntries(MEMBERSHIP_ACTIONS.map((action) => [action, 0]));
    return { ...(Object.fromEntries(drawn) as Mix), ...none, deliverOldest: USUAL.deliverOldest, tickAll: USUAL.tickAll };
  }

  run(): void {
    if (this.#random.chance(0.8)) this.#proposeUntilChosen();
    for (let step = 0; step < (this.#changes ? STEPS_WITH_CHANGES : STEPS); step++) {
      this.#cluster.batching = this.#batching && this.#random.chance(0.5);
      this.#act(this.#draw());
    }
    this.#recover();
  }

  #draw(): Action {
    const total = ACTIONS.reduce((sum, action) => sum + this.#mix[action], 0);
    let at = this.#random.next() * total;
    return ACTIONS.find((action) => (at -= this.#mix[action]) < 0) ?? "deliverOldest";
  }

  #act(action: Action): void {
    const { network, running } = this.#cluster;
    const any = this.#random.pickIfAny(network.inFlight);
    const member = this.#random.pickIfAny(running)?.number;
    if (isMembershipAction(action)) return this.#membership.act(action);
    switch (action) {
      case "deliverOldest":
        return this.#deliver(network.inFlight[0]);
      case "deliverAny":
        return this.#deliver(any);
      case "deliverAll":
        for (const envelope of [...network.inFlight]) this.#deliver(envelope);
        return;
      case "drop":
        if (any !== undefined) this.#cluster.drop(any);
        return;
      case "duplicate":
        if (any !== undefined && network.inFlight.length < MAX_IN_FLIGHT) this.#cluster.duplicate(any);
        return;
      case "tickAll":
        return this.#tickAll();
      case "settle":
        for (const each of running) this.#cluster.settle(each);
        return;
      default:
        if (member !== undefined || action === "restart" || action === "heal") this.#actOn(action, member ?? 1);
    }
  }

  #actOn(action: Exclude<Action, MembershipAction>, member: number): void {
    const cluster = this.#cluster;
    const other = this.#random.pickIfAny(cluster.members)?.number ?? member;
    switch (action) {
      case "impatience":
        return this.#losePatience();
      case "propose":
        return this.#propose(this.#leader() ?? member);
      case "proposeAnywhere":
        return this.#propose(member);
      case "read":
        cluster.read(member);
        return;
      case "sync":
        return cluster.sync(member, this.#random.chance(0.5) ? undefined : 1 + this.#random.below(3));
      case "slowDisk":
        cluster.member(member).disk.automatic = false;
        return;
      case "fastDisk":
        cluster.member(member).disk.automatic = true;
        return cluster.sync(member);
      case "crash": {
        const { unsynced } = cluster.member(member).disk;
        return cluster.crash(member, this.#random.below(unsynced.length + 1));
      }
      case "snapshot":
        return cluster.snapshot(member);
      case "transfer":
        return cluster.input(member, { type: "transferLeadership", target: this.#random.chance(0.3) ? null : memberIncarnation(other) });
      case "campaign":
        return cluster.input(member, { type: "campaign" });
      default:
        return this.#actOnLinks(action, member, other);
    }
  }

  #actOnLinks(action: Exclude<Action, MembershipAction>, member: number, other: number): void {
    const cluster = this.#cluster;
    switch (action) {
      case "restart": {
        const down = this.#random.pickIfAny(cluster.members.filter(({ running, exists }) => exists && !running));
        if (down !== undefined) cluster.restart(down.number);
        return;
      }
      case "isolate":
        for (const each of cluster.members) if (each.number !== member && this.#random.chance(0.8)) this.#cut(member, each.number);
        return;
      case "cutOneWay":
        if (member !== other) cluster.network.cut(member, other);
        return;
      case "heal":
        return cluster.network.heal();
      case "linkDown":
      case "linkUp":
        if (member !== other) cluster.link(member, other, action === "linkUp");
        return;
      default:
        throw new Error(`nothing is known of ${action}`);
    }
  }

  #cut(a: number, b: number): void {
    this.#cluster.network.cut(a, b);
    this.#cluster.network.cut(b, a);
  }

  #deliver(envelope: Parameters<SimulatedCluster["deliver"]>[0] | undefined): void {
    if (envelope !== undefined) this.#cluster.deliver(envelope);
  }

  #tickAll(): void {
    const ticks = this.#random.chance(0.05) ? 12 : 1;
    for (let tick = 0; tick < ticks; tick++) this.#cluster.tickAll();
  }

  /** Some members' clocks run ahead until they would let another one campaign, and one of them does, while the old leader's messages are still under way. */
  #losePatience(): void {
    const impatient = this.#cluster.running.filter(({ leads }) => !leads && this.#random.chance(0.8));
    for (const { number } of impatient) for (let tick = 0; tick < PATIENCE_TICKS; tick++) this.#cluster.tick(number);
    const candidate = this.#random.pickIfAny(impatient);
    if (candidate === undefined) return;
    this.#cluster.input(candidate.number, { type: "campaign" });
    if (this.#random.chance(0.3)) return;
    // What belongs to the election overtakes everything else.
    for (const type of ["preVote", "preVoteReply", "prepare", "promise"] as const) {
      if (this.#random.chance(0.15)) return;
      for (const envelope of this.#cluster.network.select({ types: [type] })) if (!this.#random.chance(0.15)) this.#deliver(envelope);
    }
  }

  #leader(): number | undefined {
    return this.#cluster.running.find((member) => member.leads)?.number;
  }

  #propose(member: number): void {
    this.#commands += 1;
    const text = `c${this.#commands}`;
    this.#cluster.propose(member, this.#random.chance(0.2) ? [text, `${text}b`] : [text]);
  }

  /** Everything is mended; from here on the cluster must come to a leader, take a proposal and agree. */
  #recover(): void {
    const cluster = this.#cluster;
    cluster.batching = false;
    for (const member of cluster.members) {
      member.disk.automatic = true;
      if (member.running) cluster.sync(member.number);
      else if (member.exists) cluster.restart(member.number);
    }
    cluster.network.heal();
    this.#membership.joinAll();
    for (const a of cluster.members) for (const b of cluster.members) if (a.number < b.number) cluster.link(a.number, b.number, true);
    // Operators who insisted, or asked just when a disk was lost, may have left a configuration that nobody can help.
    if (!this.#membership.canServe) return;
    const chosenBy = this.#proposeUntilChosen();
    const settledMs = cluster.nowMs + SETTLED_MS;
    while (cluster.nowMs < settledMs) this.#passTime();
    this.#checkAgreement(chosenBy);
    this.#checkConfiguration();
  }

  #proposeUntilChosen(): string {
    const cluster = this.#cluster;
    const deadlineMs = cluster.nowMs + RECOVERY_MS;
    let open: { id: number; text: string } | null = null;
    while (cluster.nowMs < deadlineMs) {
      this.#passTime();
      const outcome = open === null ? null : cluster.clients.proposals.get(open.id)?.outcome;
      if (open !== null && outcome === "acknowledged") return open.text;
      const leader = cluster.running.find((member) => member.status().ready);
      if (leader === undefined || outcome === "open") continue;
      const text = `final${cluster.nowMs}`;
      open = { id: cluster.propose(leader.number, [text]), text };
    }
    throw new Violation(`nothing was chosen within ${RECOVERY_MS} ms after all was healed`);
  }

  #passTime(): void {
    const { network } = this.#cluster;
    this.#cluster.tickAll();
    for (let deliveries = 0; network.inFlight[0] !== undefined; deliveries++) {
      if (deliveries >= MAX_DELIVERIES_PER_TICK) throw new Violation("the network never becomes quiet");
      this.#cluster.deliver(network.inFlight[0]);
    }
  }

  #checkAgreement(last: string): void {
    const { running, clients } = this.#cluster;
    const leader = running.find((member) => member.status().ready) as SimulatedMember;
    const { configuration } = leader.status();
    for (const { number, replica } of running) {
      if (!isMember(configuration, memberIncarnation(number))) continue;
      if (replica.slot === leader.replica.slot && replica.commands.includes(last)) continue;
      throw new Violation(`member ${number} applied up to ${replica.slot}, its leader up to ${leader.replica.slot}, long after all was healed`);
    }
    const applied = new Set(leader.replica.commands);
    for (const { id, outcome, texts } of clients.proposals.values()) {
      if (outcome === "acknowledged" && !texts.every((text) => applied.has(text))) throw new Violation(`p${id} was acknowledged and is gone`);
      if (outcome === "open") throw new Violation(`p${id} was never answered`);
    }
    // A read at a member that left may wait for a slot that it never applies.
    for (const { id, outcome, member } of clients.reads.values()) {
      if (outcome === "open" && isMember(configuration, memberIncarnation(member))) throw new Violation(`r${id} was never answered`);
    }
  }

  /** No change is left half done, everybody knows the configuration in force, and nobody who left takes part. */
  #checkConfiguration(): void {
    const { running, changes, checker } = this.#cluster;
    const newest = checker.configurations.at(-1) as ConfigurationInForce;
    for (const { number, leads, ...member } of running.map((each) => ({ number: each.number, leads: each.leads, ...each.status() }))) {
      const belongs = isMember(newest.configuration, memberIncarnation(number));
      if (belongs && member.configurationSlot !== newest.slot) throw new Violation(`member ${number} knows the configuration of slot ${member.configurationSlot}, not that of ${newest.slot}`);
      // Who was cut off until everybody that it knew had gone has nobody to ask.
      const knowsVoter = member.configuration.voters.some(({ incarnation }) => this.#cluster.member(memberNumber(incarnation)).running);
      if (!belongs && knowsVoter && member.role !== "removed") throw new Violation(`member ${number} left, and is ${member.role}`);
      if (leads && member.configurationDone !== true) throw new Violation(`the change at slot ${newest.slot} is not done long after all was healed`);
    }
    for (const { id, outcome } of changes.views.values()) if (outcome === "open") throw new Violation(`c${id} was never answered`);
  }
}

function isMembershipAction(action: Action): action is MembershipAction {
  return (MEMBERSHIP_ACTIONS as readonly string[]).includes(action);
}

/** Plays the run of a seed again with a trace of its end, for the report of a failure. */
export function traceOf(seed: number, lines = 400): string {
  const trace = new Trace();
  trace.detail = "heartbeats";
  let failure = "no failure the second time";
  try {
    new RandomRun(seed, (note) => trace.note(note)).run();
  } catch (error) {
    failure = String(error);
  }
  return [`seed ${seed}: ${failure}`, ...trace.lines.slice(-lines)].join("\n");
}
