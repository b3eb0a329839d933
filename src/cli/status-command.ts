import { Command } from "commander";
import type { Status } from "../api/service.ts";
import { ballotName } from "../local/dev-view.ts";
import { fetchStatus } from "../local/node-call.ts";
import { chooseEndpoint } from "./endpoint.ts";
import { send } from "../client/http-call.ts";
import { formatTable } from "./table.ts";
import { parseUrl } from "./values.ts";

const FIRST_MS = 5_000;
/** For each further member: a paused one must not hold up the table. */
const OTHERS_MS = 1_500;
const HEAD = ["MEMBER", "ROLE", "LEADER", "BALLOT", "COMMITTED", "APPLIED", "REVISION", "LINKS", "ADDRESS"];

export function statusCommand(): Command {
  return new Command("status")
    .description("show all members, as seen from one of them")
    .option("--endpoint <url>", "a member's address (default: a node of the local cluster in ./.synod/dev)", parseUrl)
    .option("--json", "print that one member's own status as JSON")
    .action(showStatus);
}

async function showStatus(flags: { endpoint?: string; json?: true }): Promise<void> {
  const endpoint = await chooseEndpoint(flags.endpoint);
  const { body } = await send({ method: "GET", url: new URL("/v1/status", endpoint), timeoutMs: FIRST_MS });
  const status = JSON.parse(body.toString("utf8")) as Status;
  if (flags.json === true) return void process.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
  const others = status.peers.map(async ({ name, address, link, refused }) =>
    statusRow(name, await fetchStatus(`http://${address}`, OTHERS_MS), address, `no answer, link ${refused === null ? link : `refused: ${refused}`}`));
  const rows = [statusRow(status.member, status, new URL(endpoint).host, ""), ...(await Promise.all(others))];
  rows.sort(([a = ""], [b = ""]) => a.localeCompare(b, "en", { numeric: true }));
  process.stdout.write(formatTable(HEAD, rows));
}

function statusRow(name: string, status: Status | null, address: string, otherwise: string): string[] {
  if (status === null) return [name, otherwise, "-", "-", "-", "-", "-", "-", address];
  const links = `${status.peers.filter((peer) => peer.link === "up").length}/${status.peers.length}`;
  return [
    name, roleOf(status), status.leader ?? "-", ballotName(status.ballot), String(status.committed), String(status.applied), String(status.revision),
    links, address,
  ];
}

function roleOf({ fenced, cluster, role, diskFull }: Status): string {
  if (fenced !== null) return `fenced: ${fenced}`;
  if (cluster === null) return "unfounded";
  return diskFull ? `${role}, disk full` : role;
}
