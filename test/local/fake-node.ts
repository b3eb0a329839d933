// Stands in for a real member in tests of the manager: the same command line and the same HTTP, but no consensus. The member named
// by FAKE_LEADER says that it leads once it is founded. FAKE_CRASH=name makes that one end at once. The members stand each
// in a file beside the data folders; a file `refusal` there holds the code that every change ends with.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { runNodeProcess } from "../../src/local/node-process.ts";

const { values } = parseArgs({
  strict: false,
  options: {
    name: { type: "string" }, data: { type: "string" }, listen: { type: "string" }, "peers-file": { type: "string" },
    "stop-with-parent": { type: "boolean" },
  },
});
const name = String(values["name"]);
const data = String(values["data"]);
const [host = "", port = ""] = String(values["listen"]).split(":");
const identityFile = join(data, "fake.json");

interface Identity {
  incarnation: string;
  cluster: string | null;
}

if (process.env["FAKE_CRASH"] === name) {
  process.stderr.write("I was told to crash\n");
  process.exit(3);
}
if (process.env["FAKE_DEAF"] === name) process.on("SIGTERM", () => process.stderr.write("I do not stop\n"));

mkdirSync(data, { recursive: true });
if (!existsSync(identityFile)) save({ incarnation: randomBytes(16).toString("hex"), cluster: null });
const identity = JSON.parse(readFileSync(identityFile, "utf8")) as Identity;
const streams = new Set<ServerResponse>();
const events: object[] = [];
let nextId = Date.now() * 1000;

function save(value: Identity): void {
  writeFileSync(identityFile, JSON.stringify(value));
}

function publish(type: string, fields: object): void {
  const event = { ...fields, id: nextId++, timeMs: Date.now(), member: name, type };
  events.push(event);
  for (const stream of streams) stream.write(frame(event));
}

function frame(event: object): string {
  const { id, type } = event as { id: number; type: string };
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function lead(): void {
  if (identity.cluster === null || process.env["FAKE_LEADER"] !== name) return;
  const ballot = { round: 1, member: name, incarnation: identity.incarnation };
  publish("campaignStarted", { ballot });
  publish("electionWon", { ballot, fromSlot: 1 });
  publish("leaderReady", { ballot });
}

function status(): object {
  const leads = identity.cluster !== null && process.env["FAKE_LEADER"] === name;
  return {
    member: name, incarnation: identity.incarnation, cluster: identity.cluster, role: leads ? "leader" : "follower", leader: null,
    ballot: { round: 1, member: name, incarnation: identity.incarnation }, committed: 7, applied: 7, revision: 3,
    configuration: { voters: [], learners: [], removed: [] }, peers: [], fenced: null, fence: null, keys: [], diskFull: false, version: "fake",
  };
}

interface FakeMember {
  id: string;
  name: string;
  address: string;
  role: string;
  caughtUp: boolean;
}

const shared = (file: string): string => join(dirname(data), file);

function members(): FakeMember[] {
  const files = readdirSync(dirname(data)).filter((file) => file.startsWith("member-"));
  return files.sort().map((file) => JSON.parse(readFileSync(shared(file), "utf8")) as FakeMember);
}

function saveMember(member: FakeMember): void {
  writeFileSync(shared(`member-${member.name}`), JSON.stringify(member));
}

/** The membership routes, without any of what they mean. */
async function changeMembers({ method, url = "" }: IncomingMessage, body: string): Promise<{ readonly added?: string }> {
  const [, , , id = ""] = (url.split("?")[0] ?? "").split("/");
  const known = members().find((member) => member.id === id);
  if (method === "DELETE" && known !== undefined) rmSync(shared(`member-${known.name}`));
  if (method !== "POST") return {};
  if (known !== undefined) {
    saveMember({ ...known, role: "voter" });
    return {};
  }
  const { address } = JSON.parse(body) as { address: string };
  const newcomer = (await (await fetch(`http://${address}/v1/founding`)).json()) as { member: string; incarnation: string };
  saveMember({ id: newcomer.incarnation, name: newcomer.member, address, role: "learner", caughtUp: true });
  return { added: newcomer.incarnation };
}

async function answerMembership(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && existsSync(shared("refusal"))) {
    return void response.writeHead(409).end(JSON.stringify({ code: readFileSync(shared("refusal"), "utf8"), message: "refused by a fake" }));
  }
  const changed = await changeMembers(request, (await buffer(request)).toString());
  response.end(JSON.stringify({ configuration: 1, pending: false, members: members(), removed: [], ...changed }));
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === "POST /v1/founding") {
    const body = JSON.parse((await buffer(request)).toString()) as { founding: { cluster: string } };
    identity.cluster = body.founding.cluster;
    save(identity);
    saveMember({ id: identity.incarnation, name, address: `${host}:${port}`, role: "voter", caughtUp: true });
    response.end(JSON.stringify({ member: name, ...identity }));
    lead();
  } else if (route === "GET /v1/founding") {
    response.end(JSON.stringify({ member: name, ...identity }));
  } else if (route === "GET /v1/status") {
    response.end(JSON.stringify(status()));
  } else if (route === "GET /v1/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": hello\n\n");
    if (request.headers["last-event-id"] !== undefined) for (const event of events) response.write(frame(event));
    streams.add(response.on("close", () => streams.delete(response)));
  } else if (request.url?.startsWith("/v1/members") === true) {
    await answerMembership(request, response);
  } else if (route === "GET /args") {
    response.end(JSON.stringify(process.argv.slice(2)));
  } else {
    response.writeHead(404).end();
  }
}

await runNodeProcess(async () => {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(Number(port), host, resolve));
  lead();
  return {
    url: `http://${host}:${port}`,
    stop: async () => {
      if (process.env["FAKE_DEAF"] === name) await new Promise(() => {});
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}, { name, stopWithParent: values["stop-with-parent"] === true });
