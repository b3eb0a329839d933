import type { ServiceEvent, Status } from "../api/service.ts";
import type { LocalNode } from "./local-cluster.ts";

/** What the view knows of a node: the manager's row, and the status it last gave (null: none within the time allowed). */
export interface ViewNode extends LocalNode {
  readonly status: Status | null;
}

/** Turns text into what the terminal shows; identity where there is no colour. */
export type Paint = (style: Style, text: string) => string;
export type Style = "bold" | "dim" | "good" | "warn" | "bad" | "name";

const CODES: Readonly<Record<Style, string>> = { bold: "1", dim: "2", good: "32", warn: "33", bad: "31", name: "36" };

export const plain: Paint = (_style, text) => text;
export const coloured: Paint = (style, text) => `\u001b[${CODES[style]}m${text}\u001b[0m`;

const COLUMNS = [
  ["NODE", 4], ["STATE", 8], ["ROLE", 10], ["BALLOT", 9], ["COMMITTED", 9], ["APPLIED", 9], ["REVISION", 9], ["LINKS", 5], ["URL", 0],
] as const;

/** The table's head, then one line for each node. */
export function statusLines(nodes: readonly ViewNode[], paint: Paint): string[] {
  const head = COLUMNS.map(([title, width]) => title.padEnd(width)).join("  ");
  return [paint("dim", head), ...nodes.map((node) => statusLine(node, paint))];
}

/** One node's line. Numbers that a node does not tell are shown as a dash. */
export function statusLine(node: ViewNode, paint: Paint): string {
  const { status } = node;
  const cells = [
    node.name, node.state, roleOf(node), status === null ? "-" : ballotName(status.ballot), text(status?.committed), text(status?.applied),
    text(status?.revision), status === null ? "-" : linksOf(status), node.url,
  ];
  const padded = cells.map((cell, index) => cell.padEnd(COLUMNS[index]?.[1] ?? 0));
  return padded.map((cell, index) => {
    if (index === 0) return paint("name", cell);
    if (index === 1) return paint(node.state === "running" ? "good" : node.state === "crashed" ? "bad" : "warn", cell);
    return index === 2 && cell.startsWith("leader") ? paint("bold", cell) : cell;
  }).join("  ").trimEnd();
}

/** What of a node's line a reader without a live screen wants to hear about: all but the numbers that grow with every write. */
export function statusDigest(node: ViewNode): string {
  const { status } = node;
  return [node.state, node.url, roleOf(node), status === null ? "-" : `${ballotName(status.ballot)} ${linksOf(status)}`].join(" ");
}

/** One line about an event, or null for one of a kind that people need not see. */
export function eventLine(event: ServiceEvent, paint: Paint): string | null {
  const told = tell(event);
  if (told === null) return null;
  const [style, sentence] = told;
  return `${paint("dim", clock(event.timeMs))}  ${paint("name", event.member.padEnd(3))} ${paint(style, sentence)}`;
}

function tell(event: ServiceEvent): [Style, string] | null {
  const ballot = ballotName(event["ballot"]);
  switch (event.type) {
    case "preVoteStarted": return ["dim", "hears no leader and asks the others whether they do (pre-vote)"];
    case "campaignStarted": return ["warn", `campaigns with ballot ${ballot}`];
    case "promiseGiven": return ["dim", `promises ballot ${ballot}`];
    case "promiseReceived": return ["dim", `has the promise of ${memberName(event["from"])} for ballot ${ballot}`];
    case "electionWon": return ["good", `wins ballot ${ballot}`];
    case "electionLost": return ["warn", `gives ballot ${ballot} up (${reasonOf(event)})`];
    case "leaderReady": return ["good", `leads with ballot ${ballot} and serves`];
    case "leaderChanged": return tellLeader(event, ballot);
    case "steppedDown": return ["warn", `steps down from ballot ${ballot} (${reasonOf(event)})`];
    case "transferStarted": return ["dim", `hands leadership to ${memberName(event["to"])}`];
    case "transferFailed": return ["warn", `could not hand leadership to ${memberName(event["to"])}`];
    case "configurationProposed": return ["warn", `proposes as members ${membersOf(event["configuration"])} (slot ${slotOf(event)})`];
    case "configurationChanged": return ["dim", `knows as members ${membersOf(event["configuration"])} (slot ${slotOf(event)})`];
    case "configurationEntered": return ["dim", `has the promise of a quorum of them for all above slot ${slotOf(event)}`];
    case "configurationDone": return ["good", `says that the change at slot ${slotOf(event)} is done`];
    case "founded": return ["dim", "has the founding document"];
    case "fenced": return ["bad", `fences itself (${reasonOf(event)})`];
    default: return null;
  }
}

function tellLeader(event: ServiceEvent, ballot: string): [Style, string] | null {
  const leader = event["leader"] === null ? null : memberName(event["leader"]);
  if (leader === event.member) return null;
  return leader === null ? ["warn", "knows no leader"] : ["dim", `follows ${leader} (ballot ${ballot})`];
}

const REASONS: Readonly<Record<string, string>> = {
  higherBallot: "there is a higher one",
  timeout: "no quorum promised in time",
  quorumLost: "it cannot reach a quorum",
  diskStalled: "its disk does not get on",
  transferred: "leadership was handed over",
  syncFailed: "a sync failed",
  removed: "it is a voter no more",
};

function reasonOf(event: ServiceEvent): string {
  const reason = typeof event["reason"] === "string" ? event["reason"] : "no reason told";
  return REASONS[reason] ?? reason;
}

/** `3.n2`: round and owner. */
export function ballotName(value: unknown): string {
  const ballot = value as { round?: unknown; member?: unknown; incarnation?: unknown } | null | undefined;
  if (typeof ballot?.round !== "number" || ballot.round === 0) return "-";
  return `${ballot.round}.${typeof ballot.member === "string" ? ballot.member : String(ballot.incarnation).slice(0, 6)}`;
}

/** `n1, n2 and the learner n3`. */
function membersOf(value: unknown): string {
  const { voters, learners } = (value ?? {}) as { voters?: unknown; learners?: unknown };
  const names = (members: unknown): string[] => (Array.isArray(members) ? members.map(memberName) : []);
  const learning = names(learners).map((name) => `the learner ${name}`);
  return [names(voters).join(", "), ...learning].join(" and ");
}

function slotOf(event: ServiceEvent): string {
  return typeof event["slot"] === "number" ? String(event["slot"]) : "?";
}

function memberName(value: unknown): string {
  if (typeof value === "string") return value;
  const { name, member } = (value ?? {}) as { name?: unknown; member?: unknown };
  return typeof name === "string" ? name : typeof member === "string" ? member : "?";
}

function roleOf({ state, status }: ViewNode): string {
  if (state !== "running") return "-";
  if (status === null) return "no answer";
  return status.cluster === null ? "unfounded" : status.role;
}

function linksOf(status: Status): string {
  return `${status.peers.filter((peer) => peer.link === "up").length}/${status.peers.length}`;
}

function text(value: number | undefined): string {
  return value === undefined ? "-" : String(value);
}

/** Local time of day, to the millisecond. */
function clock(timeMs: number): string {
  const date = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** How to use the cluster, once a leader serves. `flags` is what the other terminal's commands need to find it. */
export function usageLines(leader: { readonly name: string; readonly url: string }, other: string, flags: string, paint: Paint): string[] {
  return [
    "",
    `${paint("bold", "Store and read")} (any node takes it):`,
    `  curl -X PUT --data 'hello' ${other}/v1/kv/greeting`,
    `  curl ${leader.url}/v1/kv/greeting`,
    `${paint("bold", "Take the leader away")}, from another terminal:`,
    `  npx synod dev kill ${leader.name}${flags}`,
    `  npx synod dev start ${leader.name}${flags}`,
    `${paint("bold", "Grow and shrink")}, while it serves:`,
    `  npx synod dev add${flags}`,
    `  npx synod dev remove ${leader.name}${flags}`,
    `Ctrl-C stops everything.`,
    "",
  ];
}
