import { buffer } from "node:stream/consumers";
import { Command } from "commander";
import { SynodError } from "../errors/synod-error.ts";
import { chooseEndpoint } from "./endpoint.ts";
import { type Call, send } from "../client/http-call.ts";
import { formatTable } from "./table.ts";
import { parseCount, parseUrl } from "./values.ts";

/** Longer than a member waits for a leader before it gives up on a request itself. */
const CALL_MS = 30_000;

interface WriteFlags {
  readonly endpoint?: string;
  readonly prevRevision?: number;
  readonly idempotencyKey?: string;
}

interface ReadFlags {
  readonly endpoint?: string;
  readonly local?: true;
}

export function kvCommand(): Command {
  const kv = new Command("kv").description("read and write keys");
  kv.addCommand(readCommand("get").description("print a key's value").argument("<key>").action(get));
  kv.addCommand(writeCommand("put").description("set a key; the value comes from standard input when it is not given")
    .argument("<key>").argument("[value]").action(put));
  kv.addCommand(writeCommand("del").description("delete a key").argument("<key>").action(del));
  kv.addCommand(readCommand("list").description("list keys with their revisions").argument("[prefix]", "what they begin with", "")
    .option("--limit <count>", "at most this many", parseCount, 100).action(list));
  return kv;
}

function withEndpoint(name: string): Command {
  const description = "a member's address (default: a node of the local cluster in ./.synod/dev)";
  return new Command(name).option("--endpoint <url>", description, parseUrl);
}

function readCommand(name: string): Command {
  return withEndpoint(name).option("--local", "answer from that member's state, which may lag behind");
}

function writeCommand(name: string): Command {
  return withEndpoint(name)
    .option("--prev-revision <revision>", "only if the key has this revision; 0: only if it does not exist", parseCount)
    .option("--idempotency-key <key>", "makes it safe to send the same write again");
}

async function get(key: string, flags: ReadFlags): Promise<void> {
  const { body } = await send(await readCall(flags, keyPath(key), {}));
  process.stdout.write(body);
  if (process.stdout.isTTY) process.stdout.write("\n");
}

async function put(key: string, value: string | undefined, flags: WriteFlags): Promise<void> {
  const body = value === undefined ? Buffer.from(await buffer(process.stdin)) : Buffer.from(value);
  const answer = await send({ ...(await writeCall(flags, key)), method: "PUT", body });
  printRevision(answer.body);
}

async function del(key: string, flags: WriteFlags): Promise<void> {
  const answer = await send({ ...(await writeCall(flags, key)), method: "DELETE" });
  printRevision(answer.body);
}

async function list(prefix: string, { limit, ...flags }: ReadFlags & { readonly limit: number }): Promise<void> {
  const { body } = await send(await readCall(flags, "/v1/kv", { prefix, limit: String(limit) }));
  const { items, more } = JSON.parse(body.toString("utf8")) as { items: ListedItem[]; more: boolean };
  const bytesOf = (item: ListedItem): number => Buffer.byteLength(item.value, "base64");
  const rows = items.map((item) => [nameOf(item), String(item.modRevision), String(item.version), String(bytesOf(item))]);
  process.stdout.write(formatTable(["KEY", "REVISION", "VERSION", "BYTES"], rows));
  if (more) process.stderr.write("There are more keys; --limit takes a higher number.\n");
}

interface ListedItem {
  readonly key?: string;
  readonly keyBase64?: string;
  /** Base64. */
  readonly value: string;
  readonly modRevision: number;
  readonly version: number;
}

function nameOf({ key, keyBase64 }: ListedItem): string {
  return key ?? `base64:${keyBase64}`;
}

async function readCall({ endpoint, local }: ReadFlags, path: string, query: Readonly<Record<string, string>>): Promise<Call> {
  const url = new URL(path, await chooseEndpoint(endpoint));
  const parameters = { ...query, ...(local === true ? { consistency: "local" } : {}) };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { method: "GET", url, timeoutMs: CALL_MS };
}

async function writeCall({ endpoint, prevRevision, idempotencyKey }: WriteFlags, key: string): Promise<Omit<Call, "method">> {
  const url = new URL(keyPath(key), await chooseEndpoint(endpoint));
  if (prevRevision !== undefined) url.searchParams.set("prevRevision", String(prevRevision));
  const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
  return { url, headers, timeoutMs: CALL_MS };
}

/** The keys "." and ".." cannot be written in a URL, however they are encoded: they would be taken for steps along the path. */
function keyPath(key: string): string {
  if (key === "." || key === "..") throw new SynodError("SYNOD_ERR_BAD_REQUEST", `The key "${key}" cannot be named in a URL.`);
  return `/v1/kv/${encodeURIComponent(key)}`;
}

function printRevision(body: Buffer): void {
  const { revision, deleted } = JSON.parse(body.toString("utf8")) as { revision: number; deleted?: 0 | 1 };
  process.stdout.write(`revision ${revision}${deleted === 0 ? " (there was no such key)" : ""}\n`);
}
