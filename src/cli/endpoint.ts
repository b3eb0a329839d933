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

/** How long a node may take to say that it is alive before the next one is asked. */
const PROBE_MS = 1_000;

/** The member to talk to: the one that was named, or the first node of the local cluster in the usual folder that answers. */
export async function chooseEndpoint(named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const running = readClusterFile(DEFAULT_DEV_FOLDER).nodes.filter((node) => node.state === "running");
  for (const { url } of running) if (await isAlive(url)) return url;
  throw new SynodError("SYNOD_ERR_UNREACHABLE", "No node of the local cluster is running and answers.");
}

async function isAlive(url: string): Promise<boolean> {
  try {
    return (await fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(PROBE_MS) })).ok;
  } catch {
    return false;
  }
}
