import { type Condition, readCondition } from "./conditions.ts";
import { ballotName, memberInfo } from "./names.ts";
import type { Stage } from "./stage.ts";
import type { Words } from "./words.ts";

/** A quiet network is reached within so many deliveries, or never. */
const MAX_DELIVERIES = 100_000;
/** How long `run until` and `write` wait when the script does not say, in election timeouts. */
const DEFAULT_PATIENCE_TIMEOUTS = 10;

/** `run`: delivers until nothing is left to deliver. `run 400`: lets time pass. `run until CONDITION [within MS]`. */
export function run(stage: Stage, words: Words): void {
  if (!words.more) return deliverAll(stage);
  if (words.skip("until")) return runUntil(stage, words);
  const durationMs = words.number("a time in milliseconds");
  words.end();
  const endMs = stage.cluster.nowMs + durationMs;
  while (stage.cluster.nowMs < endMs) passTime(stage);
  stage.trace.at(null);
}

/** Delivers, oldest first, all that nothing holds back, and what is sent in answer to it. */
export function deliverAll({ cluster }: Stage): void {
  for (let deliveries = 0; deliveries < MAX_DELIVERIES; deliveries++) {
    const envelope = cluster.network.next();
    if (envelope === undefined) return;
    cluster.deliver(envelope);
  }
  throw new RangeError(`the network is not quiet after ${MAX_DELIVERIES} deliveries`);
}

/**
 * `elect 1`: the quick way past an election that is not what the scenario is about. Member 1 campaigns, and time passes until
 * all have applied what its election put into the log; one line tells the result.
 */
export function elect(stage: Stage, words: Words): void {
  const member = words.member();
  words.end();
  const { cluster, trace } = stage;
  const { detail } = trace;
  trace.detail = "nothing";
  cluster.input(member, { type: "campaign" });
  const endMs = cluster.nowMs + 100;
  for (deliverAll(stage); cluster.nowMs < endMs;) passTime(stage);
  trace.detail = detail;
  trace.at(null);
  const { ready, ballot, chosenThrough } = cluster.member(member).status();
  if (!ready) throw words.error(`${member} was not elected`);
  trace.line(`${member} leads at ${ballotName(ballot)}; chosen ≤ ${chosenThrough}`);
}

/**
 * `enrol 4 via 1`: the quick way to a learner when that is not what the scenario is about. Member 1 adds member 4, which joins
 * when that is done, and time passes until it has applied all; one line tells the result.
 */
export function enrol(stage: Stage, words: Words): void {
  const member = words.member();
  if (!words.skip("via")) throw words.error("via is missing");
  const leader = words.member();
  words.end();
  const { cluster, trace } = stage;
  const { detail } = trace;
  trace.detail = "nothing";
  const id = cluster.change(leader, { type: "addLearner", member: memberInfo(member) });
  const endMs = cluster.nowMs + cluster.electionTimeoutMs;
  while (cluster.changes.views.get(id)?.outcome === "open" && cluster.nowMs < endMs) passTime(stage);
  const outcome = cluster.changes.views.get(id)?.outcome;
  if (outcome !== "done") throw words.error(`c${id} is ${outcome}`);
  cluster.join(member);
  while (cluster.member(member).replica.slot < cluster.checker.decidedThrough && cluster.nowMs < endMs) passTime(stage);
  trace.detail = detail;
  trace.at(null);
  trace.line(`${member} learns, added by c${id}; applied ≤ ${cluster.member(member).replica.slot}`);
}

/** One tick of all clocks, and everything delivered that this leads to. */
function passTime(stage: Stage): void {
  stage.trace.at(stage.cluster.nowMs + stage.cluster.tickMs);
  stage.cluster.tickAll();
  for (const { a, b, everyMs } of stage.flapping) {
    if (stage.cluster.nowMs % everyMs === 0) stage.cluster.link(a, b, stage.cluster.network.isDown(a, b));
  }
  deliverAll(stage);
}

function runUntil(stage: Stage, words: Words): void {
  const condition = readCondition(words);
  const withinMs = readPatience(stage, words);
  waitFor(stage, condition, withinMs, words);
}

function readPatience(stage: Stage, words: Words): number {
  const withinMs = words.skip("within") ? words.number("a time in milliseconds") : stage.cluster.electionTimeoutMs * DEFAULT_PATIENCE_TIMEOUTS;
  words.end();
  return withinMs;
}

/** Lets time pass until the condition holds. Fails when that takes longer than it may. */
function waitFor(stage: Stage, condition: Condition, withinMs: number, words: Words): void {
  const { cluster, trace } = stage;
  const startMs = cluster.nowMs;
  for (;;) {
    const instead = condition(stage);
    if (instead === null) break;
    if (cluster.nowMs - startMs >= withinMs) throw words.error(`not so within ${withinMs} ms: ${instead}`);
    passTime(stage);
  }
  trace.at(null);
  if (cluster.nowMs > startMs && trace.detail !== "nothing") trace.line(`after ${cluster.nowMs - startMs} ms`);
}

/**
 * `write x=1 [within MS]`: a client that proposes at whoever serves with the highest ballot, and again at the next such
 * member when an attempt failed or another leader showed up, until one attempt is acknowledged. A second attempt is named
 * `x=1.2`, a third `x=1.3`, so that it can be seen when several were executed: without a session that happens.
 */
export function write(stage: Stage, words: Words): void {
  const text = words.word("a command");
  const withinMs = readPatience(stage, words);
  let attempts = 0;
  let attempt: { readonly id: number; readonly ballot: string } | null = null;
  waitFor(stage, () => {
    const { proposals } = stage.cluster.clients;
    if (attempt !== null && proposals.get(attempt.id)?.outcome === "acknowledged") return null;
    const target = newestLeader(stage);
    if (target === null) return "nobody serves";
    const open = attempt !== null && proposals.get(attempt.id)?.outcome === "open" && attempt.ballot === target.ballot;
    if (!open) {
      attempts += 1;
      attempt = { id: stage.cluster.propose(target.member, [attempts === 1 ? text : `${text}.${attempts}`]), ballot: target.ballot };
    }
    return `${target.member} serves and did not acknowledge it`;
  }, withinMs, words);
}

function newestLeader({ cluster }: Stage): { member: number; ballot: string } | null {
  let newest: { member: number; ballot: string; round: number } | null = null;
  for (const member of cluster.running) {
    const { ready, ballot: { round, incarnation } } = member.status();
    if (ready && (newest === null || round > newest.round)) newest = { member: member.number, ballot: `${round}.${incarnation}`, round };
  }
  return newest;
}
