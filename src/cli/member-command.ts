import { Command } from "commander";
import { membersNamed } from "../api/members-named.ts";
import { readCallKeys } from "../auth/key-folder.ts";
import { SynodError } from "../errors/synod-error.ts";
import type { MemberEntry, Members } from "../client/types.ts";
import { MembershipCalls } from "../local/membership-calls.ts";
import { chooseEndpoint } from "./endpoint.ts";
import { type KeyFlags, withKeyOptions } from "./key-options.ts";
import { formatTable } from "./table.ts";
import { parseAddress, parseCount, parseUrl } from "./values.ts";

/** For how long a change is asked for again of which it is not known whether it is made. */
const DOUBT_MS = 60_000;

interface Flags extends KeyFlags {
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
  member.addCommand(subcommand("renew").description("have the member at --endpoint, which was removed or is fenced for ever, give up its data and end")
    .argument("<id>", "its id, which it loses").action(renew));
  member.addCommand(subcommand("transfer-leadership").description("hand leadership to a voter").argument("<member>", "its name or id").action(transfer));
  return member;
}

function subcommand(name: string): Command {
  const description = "a member's address (default: a node of the local cluster in ./.synod/dev)";
  return withKeyOptions(new Command(name)).option("--endpoint <url>", description, parseUrl);
}

function change(name: string): Command {
  return subcommand(name)
    .option("--configuration <number>", "only if this configuration, as `member list` shows it, is still in force", parseCount)
    .option("--force", "go on although too few of the voters that there will be are alive");
}

async function list(flags: Flags): Promise<void> {
  show(await (await callsTo(flags)).members());
}

async function add(address: string, { learner, wait, ...flags }: WaitFlags & { readonly learner?: true }): Promise<void> {
  const calls = await callsTo(flags);
  const newcomer = await calls.add(address, flags);
  if (newcomer.role === "learner") await mustNotShareItsName(calls, newcomer);
  if (learner === true) return void process.stdout.write(`${newcomer.name} learns\n`);
  await becomeVoter(calls, newcomer, { waitMs: wait, force: flags.force });
}

async function promote(member: string, { replaces, ...flags }: Flags & { readonly replaces?: string }): Promise<void> {
  const calls = await callsTo(flags);
  const id = await idOf(calls, member, "learner");
  show(await calls.promote(id, { ...flags, replaces: replaces === undefined ? undefined : await idOf(calls, replaces, "voter") }));
}

async function remove(member: string, flags: Flags): Promise<void> {
  const calls = await callsTo(flags);
  show(await calls.remove(await idOf(calls, member), flags));
}

/** Tells the id of a named member: whoever interrupts the command needs it to ask again. */
async function idOf(calls: MembershipCalls, member: string, role?: "voter" | "learner"): Promise<string> {
  const id = await calls.idOf(member, role);
  if (id !== member) process.stderr.write(`${member} is ${id}\n`);
  return id;
}

/** A learner cannot be promoted beside a voter of its name; that is better said at once than when it has caught up. */
async function mustNotShareItsName(calls: MembershipCalls, { id, name }: MemberEntry): Promise<void> {
  const { members } = await calls.members();
  if (!members.some((member) => member.role === "voter" && member.name === name)) return;
  throw new SynodError(
    "SYNOD_ERR_NAME_TAKEN",
    `${name} (${id}) learns now, but a voter has its name. To put it in that voter's place: synod member promote ${id} --replaces ${name}. To undo: synod member remove ${id}.`,
  );
}

/** The old one is looked up before the new one comes, since both may have the same name. */
async function replace(id: string, address: string, { wait, ...flags }: WaitFlags): Promise<void> {
  const calls = await callsTo(flags);
  const before = await calls.members();
  const old = before.members.find((member) => member.id === id) ?? membersNamed(before.members, id, "voter")[0];
  // Asked for again after it was done, it answers as the first time.
  const gone = before.removed.includes(id);
  if (gone && before.members.some((member) => member.address === address)) return show(before);
  if (old === undefined) {
    const way = gone ? `${id} has left already. synod member add ${address} adds the new one.` : `There is no member ${id}. One that has left is named by its id.`;
    throw new SynodError("SYNOD_ERR_NO_SUCH_MEMBER", way);
  }
  if (id !== old.id) process.stderr.write(`${id} is ${old.id}\n`);
  if (old.role === "learner") return await replaceLearner(calls, old, address, flags);
  const newcomer = await calls.add(address, flags);
  if (newcomer.role === "voter") {
    const what = newcomer.id === old.id
      ? `is the voter ${old.name} itself. If that is the new one, it is done. If it is the one that goes, stop it, empty its data folder, start it, and ask again.`
      : `is the voter ${newcomer.name}. A new member, with an empty data folder, must run there.`;
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${address} ${what}`);
  }
  await becomeVoter(calls, newcomer, { waitMs: wait, force: flags.force, replaces: old.id });
}

/** A learner has no vote that would have to pass on in one step: it goes, and then the new one comes. */
async function replaceLearner(calls: MembershipCalls, old: MemberEntry, address: string, flags: Flags): Promise<void> {
  await calls.remove(old.id, flags);
  process.stderr.write(`${old.name} has left\n`);
  const { name } = await calls.add(address, { force: flags.force });
  process.stderr.write(`${name} learns\n`);
  show(await calls.members());
}

async function becomeVoter(calls: MembershipCalls, newcomer: MemberEntry, options: Parameters<MembershipCalls["promoteWhenCaughtUp"]>[1]): Promise<void> {
  process.stderr.write(newcomer.role === "voter" ? `${newcomer.name} votes already\n` : `${newcomer.name} learns; waiting until it has caught up\n`);
  show(await calls.promoteWhenCaughtUp(newcomer, options));
}

/** Whoever keeps the process running starts it again, as a new member. */
async function renew(id: string, flags: Flags): Promise<void> {
  const { member, renewed } = await (await callsTo(flags)).renew(id);
  process.stdout.write(`${member} gives up what it kept as ${renewed} and ends; started again it is a new member\n`);
}

async function transfer(id: string, flags: Flags): Promise<void> {
  show(await (await callsTo(flags)).transferLeadership(id));
}

async function callsTo({ endpoint, ...keyFlags }: Flags): Promise<MembershipCalls> {
  const keys = await readCallKeys(keyFlags);
  return new MembershipCalls(() => chooseEndpoint(endpoint), { keys, patience: { forMs: DOUBT_MS, onDoubt: tellDoubt } });
}

function tellDoubt({ code, message }: SynodError): void {
  process.stderr.write(`${code}: ${message}\nIt is asked for again, for up to a minute.\n`);
}

function show({ configuration, pending, members }: Members): void {
  const rows = members.map(({ name, role, leader, behind, caughtUp: near, id, address }) => [
    name, leader ? "leader" : role, behind === null ? "?" : String(behind), near === null ? "?" : near ? "yes" : "no", id, address,
  ]);
  process.stdout.write(formatTable(["MEMBER", "ROLE", "BEHIND", "CAUGHT UP", "ID", "ADDRESS"], rows));
  const state = pending === null ? ", as this one member knows it: it found no leader to ask" : pending ? ", its change is not done yet" : "";
  process.stdout.write(`configuration ${configuration}${state}\n`);
}
