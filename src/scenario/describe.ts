import { unreachable } from "../codec/assert.ts";
import type { ChangeFailure, PaxosEvent } from "../paxos/interface.ts";
import type { ConfigurationChange } from "../paxos/membership.ts";
import type { ReportedEntry, ValueBytes } from "../paxos/messages.ts";
import type { LogRecord, RecoveredState } from "../paxos/records.ts";
import type { ChangeView } from "./changes.ts";
import { ballotName, configurationName, memberNumber, valueName } from "./names.ts";
import type { Payload } from "./network.ts";
import type { ProposalView, ReadView } from "./notes.ts";

/** A message in words, as traces show it. */
export function describePayload(payload: Payload): string {
  switch (payload.type) {
    case "preVote":
      return "pre-vote?";
    case "preVoteReply":
      return payload.granted ? "pre-vote granted" : "pre-vote refused";
    case "prepare":
      return `prepare ${ballotName(payload.ballot)} from slot ${payload.fromSlot}`;
    case "promise": {
      const more = payload.nextSlot === null ? "" : `, more from slot ${payload.nextSlot}`;
      return `promise ${ballotName(payload.ballot)}: ${reported(payload.entries)}${chosenSuffix(payload.chosenThrough)}${more}`;
    }
    case "promiseNeedsSnapshot":
      return `promise ${ballotName(payload.ballot)}, but you need the snapshot of slot ${payload.snapshotSlot}`;
    case "reject":
      return `reject ${ballotName(payload.ballot)}: promised ${ballotName(payload.promised)}`;
    case "accept":
      return `accept ${ballotName(payload.ballot)}: ${slots(payload.firstSlot, payload.values)}${chosenSuffix(payload.chosenThrough)}`;
    case "accepted":
      return `accepted ${ballotName(payload.ballot)}: ${range(payload.from, payload.through)}`;
    case "acceptGap":
      return `gap at ${ballotName(payload.ballot)}: expects slot ${payload.expected}`;
    case "heartbeat":
      return `heartbeat ${ballotName(payload.ballot)}${chosenSuffix(payload.chosenThrough)}`;
    case "heartbeatReply":
      return `heartbeat answered ${ballotName(payload.ballot)}${chosenSuffix(payload.chosenThrough)}`;
    case "catchUp":
      return `what is chosen from slot ${payload.fromSlot}?`;
    case "chosenEntries":
      return `chosen: ${slots(payload.fromSlot, payload.values)}${chosenSuffix(payload.chosenThrough)}`;
    case "needsSnapshot":
      return `you need the snapshot of slot ${payload.snapshotSlot}`;
    case "readIndexRequest":
      return "read index?";
    case "readIndexReply":
      return `read index ${payload.slot}`;
    case "transferLeadership":
      return `take over from ${ballotName(payload.ballot)}`;
    case "snapshot":
      return "snapshot";
    default:
      return unreachable(payload);
  }
}

function chosenSuffix(through: number): string {
  return through === 0 ? "" : `; chosen ≤ ${through}`;
}

function reported(entries: readonly ReportedEntry[]): string {
  if (entries.length === 0) return "nothing accepted";
  return entries.map((entry) => `${entry.slot}=${valueName(entry.value)} ${entry.chosen ? "chosen" : `at ${ballotName(entry.ballot)}`}`).join(", ");
}

function slots(first: number, values: readonly ValueBytes[]): string {
  return values.length === 0 ? "nothing" : values.map((value, index) => `${first + index}=${valueName(value)}`).join(", ");
}

/** `slot 3` or `slots 3 to 5`. */
export function range(from: number, through: number): string {
  return from === through ? `slot ${from}` : `slots ${from} to ${through}`;
}

/** What happened inside a member, in words that follow its number. Null: not worth a line. */
export function describeEvent(member: number, event: PaxosEvent): string | null {
  switch (event.type) {
    case "preVoteStarted":
      return "asks for pre-votes";
    case "campaignStarted":
      return `campaigns at ${ballotName(event.ballot)}`;
    case "promiseGiven":
      return `promises ${ballotName(event.ballot)}`;
    case "promiseReceived":
      return `counts the promise of ${memberNumber(event.from)} to ${ballotName(event.ballot)}`;
    case "electionWon":
      return `wins ${ballotName(event.ballot)} and proposes from slot ${event.fromSlot} on`;
    case "electionLost":
      return `gives up ${ballotName(event.ballot)}: ${ELECTION_LOST_REASONS[event.reason]}`;
    case "leaderReady":
      return `serves: its barrier of ${ballotName(event.ballot)} is chosen`;
    case "leaderChanged":
      if (event.leader === null) return "follows nobody";
      return memberNumber(event.leader) === member ? null : `follows ${memberNumber(event.leader)} at ${ballotName(event.ballot)}`;
    case "steppedDown":
      return `steps down from ${ballotName(event.ballot)}: ${STEP_DOWN_REASONS[event.reason]}`;
    case "configurationProposed":
      return `proposes ${configurationName(event.configuration)} for all slots above ${event.slot}`;
    case "configurationChanged":
      return `learns that ${configurationName(event.configuration)} govern all slots above ${event.slot}`;
    case "configurationEntered":
      return `may propose above slot ${event.slot}: a quorum of its voters promised`;
    case "configurationDone":
      return `sees the change at slot ${event.slot} done`;
    case "transferStarted":
      return `begins to hand over to ${memberNumber(event.to)}`;
    case "transferFailed":
      return `failed to hand over to ${memberNumber(event.to)} and goes on`;
    default:
      return unreachable(event);
  }
}

const ELECTION_LOST_REASONS = {
  higherBallot: "a higher ballot is at work",
  timeout: "no answers",
  removed: "it is no voter any more",
} as const satisfies Record<Extract<PaxosEvent, { type: "electionLost" }>["reason"], string>;

const STEP_DOWN_REASONS = {
  higherBallot: "a higher ballot is at work",
  quorumLost: "it hears no quorum",
  diskStalled: "its disk does not answer",
  transferred: "it handed over",
  syncFailed: "its disk failed",
  removed: "it is no voter any more",
} as const satisfies Record<Extract<PaxosEvent, { type: "steppedDown" }>["reason"], string>;

/** What became of a proposal, in words that follow its member's number. */
export function describeProposal({ id, texts, outcome, slot }: ProposalView): string {
  const name = `p${id} (${texts.join("+")})`;
  switch (outcome) {
    case "open":
      return `is asked to propose ${name}`;
    case "acknowledged":
      return `acknowledges ${name} in slot ${slot}`;
    case "notLeader":
      return `refuses ${name}: it does not lead`;
    case "busy":
      return `refuses ${name}: too much is unchosen`;
    case "diskFull":
      return `refuses ${name}: its disk is full`;
    case "superseded":
      return `answers ${name}: another value was chosen in its slot`;
    case "unknown":
      return `answers ${name}: the outcome is unknown`;
    case "crashed":
      return `never answers ${name}`;
    default:
      return unreachable(outcome);
  }
}

/** What became of a read, in words that follow its member's number. */
export function describeRead({ id, outcome, answer, slot }: ReadView): string {
  switch (outcome) {
    case "open":
      return `is asked to read (r${id})`;
    case "answered":
      return `answers r${id} at slot ${slot}: ${answer.length === 0 ? "nothing" : answer.join(",")}`;
    case "refused":
      return `does not answer r${id}`;
    default:
      return unreachable(outcome);
  }
}

/** What became of a change of the configuration, in words that follow its member's number. */
export function describeChange({ id, change, force, outcome, slot }: ChangeView): string {
  const name = `c${id} (${changeName(change)}${force ? ", forced" : ""})`;
  if (outcome === "open") return `is asked for ${name}`;
  if (outcome === "done") return `answers ${name}: done, by the configuration of slot ${slot}`;
  if (outcome === "crashed") return `never answers ${name}`;
  return outcome === "unknown" ? `answers ${name}: the outcome is unknown` : `refuses ${name}: ${CHANGE_FAILURES[outcome]}`;
}

function changeName(change: ConfigurationChange): string {
  switch (change.type) {
    case "addLearner":
      return `add ${change.member.name}`;
    case "promote": {
      const replaced = change.replaces === null ? "" : ` in place of ${memberNumber(change.replaces)}`;
      return `promote ${memberNumber(change.incarnation)}${replaced}`;
    }
    case "remove":
      return `remove ${memberNumber(change.incarnation)}`;
    default:
      return unreachable(change);
  }
}

const CHANGE_FAILURES = {
  unknownMember: "there is no such member",
  removedMember: "that member left for ever",
  nameTaken: "the name is taken",
  tooManyMembers: "there are too many members",
  lastVoter: "it is the last voter",
  notLeader: "it does not lead, or just handed over",
  notReady: "it does not serve",
  changePending: "an earlier change is not done",
  stalePlan: "the configuration is another one by now",
  learnerLags: "the learner has not caught up",
  noLiveQuorum: "too few of the voters that there would be are alive",
  noSuccessor: "no other voter could take over",
} as const satisfies Record<Exclude<ChangeFailure, "unknown">, string>;

/** Records of a log, in words. */
export function describeRecords(records: readonly LogRecord[]): string {
  return records.length === 0 ? "nothing" : records.map(describeRecord).join(", ");
}

function describeRecord(record: LogRecord): string {
  switch (record.type) {
    case "promised":
      return `promised ${ballotName(record.ballot)}`;
    case "campaign":
      return `campaign ${ballotName(record.ballot)}`;
    case "accepted":
      return `accepted ${record.slot}=${valueName(record.value)} at ${ballotName(record.ballot)}`;
    case "learned":
      return `learned ${record.slot}=${valueName(record.value)}`;
    case "chosen":
      return `chosen ≤ ${record.through}`;
    case "probe":
      return "probe";
    default:
      return unreachable(record);
  }
}

/** What a restarted member finds on its disk, in words. */
export function describeRecovered({ promised, snapshot, entries, chosenThrough }: RecoveredState): string {
  const parts = [`promised ${ballotName(promised)}`];
  if (snapshot !== null) parts.push(`snapshot of slot ${snapshot.slot}`);
  if (entries.length > 0) {
    parts.push(entries.map((entry) => `${entry.slot}=${valueName(entry.value)} ${entry.learned ? "learned" : `at ${ballotName(entry.ballot)}`}`).join(", "));
  }
  if (chosenThrough > 0) parts.push(`chosen ≤ ${chosenThrough}`);
  return parts.join("; ");
}
