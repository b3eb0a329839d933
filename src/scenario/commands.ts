import type { Limits } from "../paxos/interface.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import { readCondition } from "./conditions.ts";
import { describePayload } from "./describe.ts";
import { memberIncarnation, memberInfo, ballotName, MAX_SCENARIO_MEMBERS, valueName } from "./names.ts";
import { elect, enrol, run, write } from "./run.ts";
import type { Stage } from "./stage.ts";
import { type Detail, DETAILS } from "./trace.ts";
import type { Words } from "./words.ts";

export type Action = (stage: Stage, words: Words) => void;

/** Everything that a script can say, but for `repeat`. */
export const COMMANDS: Readonly<Record<string, Action>> = {
  cluster, elect, enrol, run, write, status, pending, log,
  campaign: (stage, words) => words.members().forEach((member) => stage.cluster.input(member, { type: "campaign" })),
  propose: (stage, words) => void stage.cluster.propose(words.member(), words.rest()),
  read: (stage, words) => void stage.cluster.read(words.member()),
  transfer,
  tick,
  draw,

  deliver,
  drop: (stage, words) => forEach(stage, words, (envelope) => stage.cluster.drop(envelope)),
  duplicate: (stage, words) => forEach(stage, words, (envelope) => stage.cluster.duplicate(envelope)),
  hold: (stage, words) => stage.cluster.network.hold(words.selector()),
  release: (stage, words) => stage.cluster.network.release(words.more ? words.selector() : null),
  partition,
  cut: (stage, words) => {
    while (words.more) for (const [from, to] of words.directions()) stage.cluster.network.cut(from, to);
  },
  heal: (stage) => stage.cluster.network.heal(),
  link,
  flap,

  add: (stage, words) => {
    const member = words.member();
    change(stage, words, { type: "addLearner", member: memberInfo(member) });
  },
  promote: (stage, words) => {
    const incarnation = memberIncarnation(words.member());
    const replaces = words.skip("replaces") ? memberIncarnation(words.member()) : null;
    change(stage, words, { type: "promote", incarnation, replaces });
  },
  remove: (stage, words) => change(stage, words, { type: "remove", incarnation: memberIncarnation(words.member()) }),
  join: (stage, words) => words.members().forEach((member) => stage.cluster.join(member)),
  losedisk: (stage, words) => words.members().forEach((member) => stage.cluster.loseDisk(member)),

  disk: (stage, words) => {
    const { disk } = stage.cluster.member(words.member());
    const mode = words.word("manual or automatic");
    if (mode !== "manual" && mode !== "automatic") throw words.error(`a disk is manual or automatic, not ${mode}`);
    disk.automatic = mode === "automatic";
  },
  sync: (stage, words) => {
    const member = words.member();
    if (words.more) stage.cluster.sync(member, words.number("a number of records"));
    else stage.cluster.sync(member);
  },
  syncfail: (stage, words) => stage.cluster.input(words.member(), { type: "syncFailed" }),
  diskfull: (stage, words) => stage.cluster.input(words.member(), { type: "diskFull" }),
  diskfree: (stage, words) => stage.cluster.input(words.member(), { type: "diskFree" }),
  crash: (stage, words) => words.members().forEach((member) => stage.cluster.crash(member)),
  restart: (stage, words) => words.members().forEach((member) => stage.cluster.restart(member)),
  snapshot: (stage, words) => stage.cluster.snapshot(words.member()),
  snapshots: (stage, words) => {
    const mode = words.word("manual or automatic");
    if (mode !== "manual" && mode !== "automatic") throw words.error(`snapshots are manual or automatic, not ${mode}`);
    stage.cluster.automaticSnapshots = mode === "automatic";
  },
  install: (stage, words) => {
    const to = words.member();
    if (!words.skip("from")) throw words.error("from is missing");
    stage.cluster.install(to, words.member());
  },

  expect: (stage, words) => {
    const instead = readCondition(words)(stage);
    if (instead !== null) throw words.error(`expected something else: ${instead}`);
  },
  mark: (stage) => {
    stage.elections = 0;
  },
  show: (stage, words) => {
    const detail = words.word("how much");
    if (!DETAILS.includes(detail as Detail)) throw words.error(`show takes one of ${DETAILS.join(", ")}`);
    stage.trace.detail = detail as Detail;
  },
};

const LIMIT_WORDS: Readonly<Record<string, keyof Limits>> = {
  retained: "retainedLogBytes",
  message: "maxMessageBytes",
  inflight: "maxInflightBytes",
  unchosen: "maxUnchosenBytes",
};

/** `cluster 3 spare=2 seed=7 retained=0 message=100`: members 1 to 3 with empty disks, 4 and 5 to join later; bytes kept below a snapshot, bytes a message. */
function cluster(stage: Stage, words: Words): void {
  if (stage.hasCluster) throw words.error("there is a cluster already");
  const size = words.number("a number of members");
  let spare = 0;
  if (size < 1 || size > MAX_SCENARIO_MEMBERS) throw words.error(`a cluster has 1 to ${MAX_SCENARIO_MEMBERS} members`);
  const limits: Partial<Record<keyof Limits, number>> = {};
  let seed = 1;
  while (words.more) {
    const [key, value] = words.word("a setting").split("=") as [string, string | undefined];
    const limit = LIMIT_WORDS[key];
    if (value === undefined || !/^\d+$/.test(value)) throw words.error(`${key} needs a number`);
    if (key === "seed") seed = Number(value);
    else if (key === "spare") spare = Number(value);
    else if (limit !== undefined) limits[limit] = Number(value);
    else throw words.error(`${key} is not a setting of a cluster`);
  }
  if (size + spare > MAX_SCENARIO_MEMBERS) throw words.error(`a cluster and its spare members are at most ${MAX_SCENARIO_MEMBERS}`);
  stage.build({ size, spare, seed, limits });
}

/** `… via 1 planned 5 force`: whom to ask, from which slot's configuration it was planned, and whether to go on without a live quorum. */
function change(stage: Stage, words: Words, wanted: ConfigurationChange): void {
  if (!words.skip("via")) throw words.error("via is missing");
  const member = words.member();
  const plannedFrom = words.skip("planned") ? words.number("a slot") : null;
  stage.cluster.change(member, wanted, { plannedFrom, force: words.skip("force") });
}

/** `transfer 1 2`: member 1 hands over to member 2, or without a second member to whom it likes. */
function transfer(stage: Stage, words: Words): void {
  const from = words.member();
  const target = words.more ? memberIncarnation(words.member()) : null;
  stage.cluster.input(from, { type: "transferLeadership", target });
}

/** `tick 2,3 400`: 400 ms pass at these members alone, `tick all 400` at all; nothing is delivered meanwhile. Without a time: one tick. */
function tick(stage: Stage, words: Words): void {
  const { cluster: all } = stage;
  const members = words.skip("all") ? null : words.members();
  const ticks = words.more ? Math.ceil(words.number("a time in milliseconds") / all.tickMs) : 1;
  for (let count = 0; count < ticks; count++) {
    if (members === null) all.tickAll();
    else for (const member of members) all.tick(member);
  }
}

/** `draw 2,3 0.9`: from now on every random draw of these members, or of `all`, is 0.9; `draw 2 random` ends that. */
function draw(stage: Stage, words: Words): void {
  const { members } = stage.cluster;
  const chosen = words.skip("all") ? members.map(({ number }) => number) : words.members();
  const drawn = words.skip("random") ? null : Number(words.word("a number from 0 to 1"));
  if (drawn !== null && !(drawn >= 0 && drawn < 1)) throw words.error("a draw is at least 0 and below 1");
  for (const member of chosen) stage.cluster.member(member).fixedDraw = drawn;
}

/** `deliver 3 drop=2`: one pass over what is under way now; answers to it stay under way. */
function deliver(stage: Stage, words: Words): void {
  let dropFrom: number[] = [];
  const selector = words.selector((members) => (dropFrom = members));
  for (const envelope of stage.cluster.network.select(selector)) {
    if (dropFrom.includes(envelope.from)) stage.cluster.drop(envelope);
    else stage.cluster.deliver(envelope);
  }
}

function forEach(stage: Stage, words: Words, action: (envelope: ReturnType<typeof stage.cluster.network.select>[number]) => void): void {
  const { network } = stage.cluster;
  const selector = words.selector();
  for (const envelope of network.select(selector, { ignoreHolds: selector.held === undefined })) action(envelope);
}

/** `partition 1,2|3,4,5`: nothing passes between the groups any more. */
function partition(stage: Stage, words: Words): void {
  const groups = words.word("groups like 1,2|3").split("|").map((group) => group.split(",").map(Number));
  const known = stage.cluster.members.map(({ number }) => number);
  if (groups.flat().some((member) => !known.includes(member))) throw words.error("the groups name members that there are not");
  for (const from of groups) {
    for (const to of groups) if (from !== to) for (const a of from) for (const b of to) stage.cluster.network.cut(a, b);
  }
}

/** `link down 1 2` closes one link, `link down 1` all links of 1; both ends notice, unlike after a `cut`. */
function link(stage: Stage, words: Words): void {
  const direction = words.word("up or down");
  if (direction !== "up" && direction !== "down") throw words.error(`a link goes up or down, not ${direction}`);
  const member = words.member();
  const others = words.more ? words.members() : stage.cluster.members.map(({ number }) => number);
  for (const other of others) if (other !== member) stage.cluster.link(member, other, direction === "up");
}

/** `flap 1-2 50`: from now on this link goes down, and up again, every 50 ms; `flap off` ends that for all links, and they are up. */
function flap(stage: Stage, words: Words): void {
  if (words.skip("off")) {
    for (const { a, b } of stage.flapping) stage.cluster.link(a, b, true);
    stage.flapping = [];
    return;
  }
  const [[a, b] = [0, 0]] = words.directions();
  const everyMs = words.number("a time in milliseconds");
  if (everyMs === 0 || everyMs % stage.cluster.tickMs !== 0) throw words.error(`a link flaps every so many ticks of ${stage.cluster.tickMs} ms`);
  stage.flapping = [...stage.flapping, { a, b, everyMs }];
}

/** Prints a line for each member. */
function status({ cluster: { members }, trace }: Stage): void {
  for (const member of members) {
    if (!member.running) {
      trace.line(`${member.number} ${member.exists ? "down" : member.founded ? "lost its disk" : "has not joined"}`);
      continue;
    }
    const { role, ready, ballot, chosenThrough, lastSlot, snapshotSlot } = member.status();
    const waits = role === "leader" && !ready ? " (not serving yet)" : "";
    const parts = [`${role}${waits}`, `promised ${ballotName(ballot)}`, `log to ${lastSlot}`, `chosen ≤ ${chosenThrough}`];
    if (snapshotSlot > 0) parts.push(`snapshot ${snapshotSlot}`);
    trace.line(`${member.number} ${parts.join(", ")}; applied ${member.replica.commands.join(",") || "nothing"}`);
  }
}

/** Prints what is under way. */
function pending({ cluster: { network }, trace }: Stage): void {
  for (const envelope of network.inFlight) {
    trace.line(`under way ${envelope.from}→${envelope.to} ${describePayload(envelope.payload)}${network.isHeld(envelope) ? " (held)" : ""}`);
  }
}

/** Prints what a member's disk holds. */
function log(stage: Stage, words: Words): void {
  const { number, disk } = stage.cluster.member(words.member());
  const entries = [...disk.entries.values()].sort((a, b) => a.slot - b.slot);
  const texts = entries.map((entry) => `${entry.slot}=${valueName(entry.value)} ${entry.learned ? "learned" : `at ${ballotName(entry.ballot)}`}`);
  stage.trace.line(`disk of ${number}: promised ${ballotName(disk.promised)}; ${texts.join(", ") || "no slots"}`);
}
