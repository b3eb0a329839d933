import { join, resolve } from "node:path";
import { SynodError } from "../errors/synod-error.ts";
import { fetchStatus } from "../local/node-call.ts";
import { readJson } from "../local/write-json.ts";
import { DEFAULT_DEV_FOLDER } from "./values.ts";

interface ClusterFile {
  readonly manager: string;
  readonly nodes: readonly { readonly name: string; readonly url: string; readonly state: string }[];
}

/** What cluster.json of a running local cluster says. Throws `SYNOD_ERR_UNREACHABLE` when none runs on the folder. */
export function readClusterFile(folder: string): ClusterFile {
  const value = readJson(join(folder, "cluster.json")) as Partial<ClusterFile> | null;
  if (typeof value?.manager === "string" && Array.isArray(value.nodes)) return { manager: value.manager, nodes: value.nodes };
  throw new SynodError("SYNOD_ERR_UNREACHABLE", `No local cluster runs on ${resolve(folder)}. \`synod dev\` starts one.`);
}

/** How long a node may take to say how it is before the next one is asked. */
const PROBE_MS = 1_000;

/** The member to talk to: the one that was named, or one of the local cluster in the usual folder. */
export async function chooseEndpoint(named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const running = readClusterFile(DEFAULT_DEV_FOLDER).nodes.filter((node) => node.state === "running");
  const chosen = await chooseAmong(running.map(({ url }) => url));
  if (chosen === null) throw new SynodError("SYNOD_ERR_UNREACHABLE", "No node of the local cluster is running and answers.");
  return chosen;
}

/**
 * The first member that is ready. Where none is, as in an election, one that answers, as it says best what is wrong: as far as there is
 * one, not a member that was removed, which waits for no leader, or has no part for another reason. Null: none answers.
 */
export async function chooseAmong(urls: readonly string[]): Promise<string | null> {
  const answering: string[] = [];
  for (const url of urls) {
    const ready = await isReady(url);
    if (ready === true) return url;
    if (ready === false) answering.push(url);
  }
  const taking = await Promise.all(answering.map(takesPart));
  return answering.find((_url, index) => taking[index]) ?? answering[0] ?? null;
}

async function takesPart(url: string): Promise<boolean> {
  const status = await fetchStatus(url, PROBE_MS);
  return status !== null && status.cluster !== null && status.fenced === null && status.role !== "removed";
}

/** Null: it does not answer. */
async function isReady(url: string): Promise<boolean | null> {
  try {
    return (await fetch(new URL("/readyz", url), { signal: AbortSignal.timeout(PROBE_MS) })).ok;
  } catch {
    return null;
  }
}
