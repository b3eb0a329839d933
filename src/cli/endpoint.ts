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

/** The member to talk to: the one that was named, or a running node of the local cluster in the usual folder. */
export function chooseEndpoint(named: string | undefined): string {
  if (named !== undefined) return named;
  const running = readClusterFile(DEFAULT_DEV_FOLDER).nodes.find((node) => node.state === "running");
  if (running === undefined) throw new SynodError("SYNOD_ERR_UNREACHABLE", "No node of the local cluster is running.");
  return running.url;
}
