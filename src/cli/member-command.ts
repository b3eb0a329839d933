import { setTimeout as pause } from "node:timers/promises";
import { Command } from "commander";
import { SynodError } from "../errors/synod-error.ts";
import type { MemberEntry, Members } from "../client/types.ts";
import { chooseEndpoint } from "./endpoint.ts";
import { type Call, send } from "./http.ts";
import { formatTable } from "./table.ts";
import { parseAddress, parseCount, parseUrl } from "./values.ts";

/** Longer than a member looks for an answer itself. */
const CALL_MS = 20_000;
/** How often it is looked whether a learner has caught up. */
const LOOK_MS = 200;

interface Flags {
  readonly endpoint?: string;
  readonly configuration?: number;
  readonly force?: true;
}

interface WaitFlags extends Flags {
  readonly wait: number;
}

export function memberCommand(): Command {
  const member = new Command("member").description("show the members, and change who they are");
  member.addCommand(subcommand("list").description("list voters and learners, and how far behind each is").action(list));
  member.addCommand(change("add").description("add the new member that runs at an address, and make it a voter once it has caught up")
    .argument("<host:port>", "where it listens; its data folder must be empty", parseAddress)
    .option("--learner", "leave it a learner, which never votes")
    .option("--wait <ms>", "how long it may take to catch up", parseCount, 600_000).action(add));
  member.addCommand(change("promote").description("make a learner that has caught up a voter")
    .argument("<member>", "its name or id")
    .option("--replaces <member>", "in one step in the place of this voter").action(promote));
  member.addCommand(change("remove").description("remove a member; it is needed until this returns").argument("<member>", "its name or id").action(remove));
  member.addCommand(change("replace").description("put a new member in the place of one that is lost or has fenced itself")
    .argument("<member>", "the name or id of the one that goes")
    .argument("<host:port>", "where the new one listens; its data folder must be empty", parseAddress)
    .option("--wait <ms>", "how long it may take to catch up", parseCount, 600_000).action(replace));
  member.addCommand(subcommand("transfer-leadership").description("hand leadership to a voter").argument("<member>", "its name or id").action(transfer));
  return member;
}

function subcommand(name: string): Command {
  const description = "a member's address (default: a node of the local cluster in ./.synod/dev)";
  return new Command(name).option("--endpoint <url>", description, parseUrl);
}

function change(name: string): Command {
  return subcommand(name)
    .option("--configuration <number>", "only if this configuration, as `member list` shows it, is still in force", parseCount)
    .option("--force", "go on although too few of the voters that there will be are alive");
}

async function list(flags: Flags): Promise<void> {
  show(await call(flags, "GET", "/v1/members"));
}

async function add(address: string, { learner, wait, ...flags }: WaitFlags & { readonly learner?: true }): Promise<void> {
  const { members } = await call(flags, "POST", "/v1/members", { address, ...plan(flags) });
  const newcomer = added(members, address);
  if (learner === true) return void process.stdout.write(`${newcomer.name} learns\n`);
  await caughtUp(flags, newcomer, wait);
  show(await call(flags, "POST", `/v1/members/${newcomer.id}/promote`, force(flags)));
}

async function promote(id: string, { replaces, ...flags }: Flags & { readonly replaces?: string }): Promise<void> {
  const body = { ...plan(flags), ...(replaces === undefined ? {} : { replaces }) };
  show(await call(flags, "POST", `/v1/members/${encodeURIComponent(id)}/promote`, body));
}

async function remove(id: string, flags: Flags): Promise<void> {
  const query = new URLSearchParams(Object.entries(plan(flags)).map(([name, value]) => [name, String(value)]));
  show(await call(flags, "DELETE", `/v1/members/${encodeURIComponent(id)}?${query.toString()}`));
}

/** The old one is looked up before the new one comes, since both may have the same name. */
async function replace(id: string, address: string, { wait, ...flags }: WaitFlags): Promise<void> {
  const before = await call(flags, "GET", "/v1/members");
  const old = before.members.filter((member) => member.id === id || (member.name === id && member.role === "voter"));
  const [goes] = old;
  if (goes === undefined || goes.role !== "voter") throw new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", `There is no voter ${id}.`);
  const { members } = await call(flags, "POST", "/v1/members", { address, ...plan(flags) });
  const newcomer = added(members, address);
  await caughtUp(flags, newcomer, wait);
  show(await call(flags, "POST", `/v1/members/${newcomer.id}/promote`, { replaces: goes.id, ...force(flags) }));
}

async function transfer(id: string, flags: Flags): Promise<void> {
  show(await call(flags, "POST", `/v1/members/${encodeURIComponent(id)}/transfer-leadership`, {}));
}

/** The latest one at that address: a lost member may be known there too. */
function added(members: readonly MemberEntry[], address: string): MemberEntry {
  const newcomer = members.findLast((member) => member.address === address);
  if (newcomer === undefined) throw new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", `${address} was added and removed again meanwhile.`);
  return newcomer;
}

/** Waits until a learner may be promoted. */
async function caughtUp(flags: Flags, { id, name }: MemberEntry, waitMs: number): Promise<void> {
  const untilMs = performance.now() + waitMs;
  process.stderr.write(`${name} learns; waiting until it has caught up\n`);
  for (;;) {
    const { members } = await call(flags, "GET", "/v1/members");
    const learner = members.find((member) => member.id === id);
    if (learner === undefined) throw new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", `${name} was removed meanwhile.`);
    if (learner.caughtUp === true) return;
    if (performance.now() >= untilMs) throw new SynodError("SYNOD_ERR_LEARNER_LAGS", `${name} is still ${learner.behind ?? "?"} slots behind after ${waitMs} ms.`);
    await pause(LOOK_MS);
  }
}

function plan({ configuration, force: forced }: Flags): Record<string, unknown> {
  return { ...(configuration === undefined ? {} : { configuration }), ...force({ ...(forced === true ? { force: forced } : {}) }) };
}

function force({ force: forced }: { readonly force?: true }): Record<string, unknown> {
  return forced === true ? { force: true } : {};
}

async function call(flags: Flags, method: Call["method"], path: string, body?: unknown): Promise<Members> {
  const url = new URL(path, await chooseEndpoint(flags.endpoint));
  const sent = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)), headers: { "content-type": "application/json" } };
  const answer = await send({ method, url, timeoutMs: CALL_MS, ...sent });
  return JSON.parse(answer.body.toString("utf8")) as Members;
}

function show({ configuration, pending, members }: Members): void {
  const rows = members.map(({ name, role, leader, behind, caughtUp: near, id, address }) => [
    name, leader ? "leader" : role, behind === null ? "?" : String(behind), near === null ? "?" : near ? "yes" : "no", id, address,
  ]);
  process.stdout.write(formatTable(["MEMBER", "ROLE", "BEHIND", "CAUGHT UP", "ID", "ADDRESS"], rows));
  const state = pending === null ? "" : pending ? ", its change is not done yet" : "";
  process.stdout.write(`configuration ${configuration}${state}\n`);
}
