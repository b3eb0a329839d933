import { join, resolve } from "node:path";
import { SynodError } from "../errors/synod-error.ts";
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

/**
 * The member to talk to: the one that was named, or the first node of the local cluster in the usual folder that is ready. Where
 * none is, as in an election, one that answers at all: it says best what is wrong.
 */
export async function chooseEndpoint(named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const running = readClusterFile(DEFAULT_DEV_FOLDER).nodes.filter((node) => node.state === "running");
  let answering: string | null = null;
  for (const { url } of running) {
    const ready = await isReady(url);
    if (ready === true) return url;
    if (ready === false) answering ??= url;
  }
  if (answering !== null) return answering;
  throw new SynodError("SYNOD_ERR_UNREACHABLE", "No node of the local cluster is running and answers.");
}

/** Null: it does not answer. */
async function isReady(url: string): Promise<boolean | null> {
  try {
    return (await fetch(new URL("/readyz", url), { signal: AbortSignal.timeout(PROBE_MS) })).ok;
  } catch {
    return null;
  }
}
