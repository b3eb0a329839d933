import { loadYaml } from "@kubernetes/client-node";
import { readFile } from "node:fs/promises";
import { SynodError } from "../errors/synod-error.ts";
import type { KubeClient } from "./kube/client.ts";
import { type Clock, pause } from "./kube/clock.ts";
import { isOutcome, type KubeError } from "./kube/kube-error.ts";
import { RELEASE_ANNOTATION } from "./resource/names.ts";
import { KIND, type PaxosCluster } from "./resource/paxos-cluster.ts";

/** The field manager of what the chart applies: the fields that it names are the chart's, and those only. */
const CHART_MANAGER = "synod-chart";
const LOOK_MS = 1_000;
/** Rights that came with the job may not have reached every API server yet. */
const RIGHTS_MS = 10_000;
const NEVER = new AbortController().signal;

export interface JobOptions {
  readonly client: Pick<KubeClient, "get" | "apply" | "delete">;
  readonly clock: Clock;
  /** For how long what is not there yet is waited for, in milliseconds. */
  readonly timeoutMs: number;
}

/** Reads a PaxosCluster from a file of YAML or JSON; `namespace` is where it goes unless the file says it. Throws `SYNOD_ERR_BAD_REQUEST` for another document. */
export async function readCluster(path: string, namespace: string): Promise<PaxosCluster> {
  let document: Partial<PaxosCluster> | null;
  try {
    document = loadYaml<Partial<PaxosCluster>>(await readFile(path, "utf8"));
  } catch (error) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${path} cannot be read: ${(error as Error).message}`);
  }
  if (document?.kind !== KIND || document.metadata?.name === undefined) {
    throw new SynodError("SYNOD_ERR_BAD_REQUEST", `${path} is not a ${KIND} with a name.`);
  }
  return { ...document, metadata: { ...document.metadata, namespace: document.metadata.namespace ?? namespace } } as PaxosCluster;
}

/**
 * Applies a PaxosCluster as soon as the API server knows what that is. Throws the last failure when it still does not after the time-out;
 * `SYNOD_ERR_CLUSTER_REFUSED` at once when the server refuses what it is, and after 10 s when it does not let this caller; and
 * `SYNOD_ERR_CLUSTER_TAKEN` when the cluster names its release and there is one of its name that is not that release's, unless it is to be taken over.
 */
export async function applyCluster(options: JobOptions, cluster: PaxosCluster, { takeOver = false } = {}): Promise<PaxosCluster> {
  const { client, clock, timeoutMs } = options;
  const start = clock.now();
  for (;;) {
    try {
      if (!takeOver) await requireOwn(client, cluster);
      return await client.apply(cluster, { fieldManager: CHART_MANAGER });
    } catch (error) {
      const passed = clock.now() - start;
      const mayPass = isOutcome(error, "notFound", "unavailable", "conflict") || (isOutcome(error, "forbidden") && passed < RIGHTS_MS);
      if (!mayPass || passed >= timeoutMs) throw asRefusal(error, cluster);
    }
    await pause(clock, LOOK_MS, NEVER);
  }
}

/** What would be refused again is told by a code of its own, by which the job ends instead of being started anew. */
function asRefusal(error: unknown, { metadata: { namespace, name } }: PaxosCluster): unknown {
  if (!isOutcome(error, "invalid", "forbidden")) return error;
  return new SynodError("SYNOD_ERR_CLUSTER_REFUSED", `The PaxosCluster ${namespace}/${name} was not applied. ${(error as KubeError).words}`);
}

async function requireOwn(client: JobOptions["client"], { metadata }: PaxosCluster): Promise<void> {
  const release = metadata.annotations?.[RELEASE_ANNOTATION];
  if (release === undefined) return;
  const { namespace, name } = metadata;
  const live = await client.get<PaxosCluster>({ kind: KIND, namespace, name });
  if (live === null || isOf(release, live)) return;
  const other = live.metadata.annotations?.[RELEASE_ANNOTATION];
  throw new SynodError(
    "SYNOD_ERR_CLUSTER_TAKEN",
    `The PaxosCluster ${namespace}/${name} belongs to ${other === undefined ? "no release: somebody else made it" : `the release ${other}`}, and was left as it is. `
    + `Give the cluster of the release ${release} another name (cluster.name), or take this one over with cluster.takeOver=true.`,
  );
}

/** Earlier charts named no release: what they applied is taken for this one's. */
function isOf(release: string, { metadata: { annotations, managedFields } }: PaxosCluster): boolean {
  const owner = annotations?.[RELEASE_ANNOTATION];
  return owner === undefined ? managedFields?.some(({ manager }) => manager === CHART_MANAGER) === true : owner === release;
}

/** Resolves once the cluster is ready as its present spec says. Throws `SYNOD_ERR_TIMEOUT` with what its conditions say. */
export async function awaitReady(options: JobOptions, { metadata: { namespace, name } }: PaxosCluster): Promise<void> {
  let said = "the controller has not told of it yet";
  const ready = await look(options, async () => {
    const cluster = await options.client.get<PaxosCluster>({ kind: KIND, namespace, name });
    const condition = cluster?.status?.conditions?.find(({ type }) => type === "Ready");
    if (condition !== undefined) said = `${condition.reason}: ${condition.message}`;
    return condition?.status === "True" && condition.observedGeneration >= (cluster?.metadata.generation ?? 0);
  });
  if (!ready) throw new SynodError("SYNOD_ERR_TIMEOUT", `${namespace}/${name} is not ready after ${options.timeoutMs} ms. ${said}`);
}

/**
 * Deletes a PaxosCluster, and resolves once it is gone; that there is none is as good. With `release`, one that is not that release's is left
 * alone: "left".
 */
export async function deleteCluster(
  options: JobOptions, place: { readonly namespace: string; readonly name: string }, { release }: { readonly release?: string | undefined } = {},
): Promise<"gone" | "left"> {
  const object = { kind: KIND, ...place } as const;
  let left = false;
  const gone = await look(options, async () => {
    const live = await options.client.get<PaxosCluster>(object);
    left = live !== null && release !== undefined && !isOf(release, live);
    if (live === null || left) return true;
    // The very one that was looked at: another of its name may have been made by another release meanwhile.
    await options.client.delete(object, { uid: live.metadata.uid });
    return (await options.client.get(object)) === null;
  });
  if (left) return "left";
  if (!gone) throw new SynodError("SYNOD_ERR_TIMEOUT", `${place.namespace}/${place.name} is still there after ${options.timeoutMs} ms.`);
  return "gone";
}

/** Looks until it is so, or the time is up. A server that cannot be reached now is asked again. */
async function look({ clock, timeoutMs }: JobOptions, isSo: () => Promise<boolean>): Promise<boolean> {
  const until = clock.now() + timeoutMs;
  for (;;) {
    try {
      if (await isSo()) return true;
    } catch (error) {
      if (!isOutcome(error, "unavailable") || clock.now() >= until) throw error;
    }
    if (clock.now() >= until) return false;
    await pause(clock, LOOK_MS, NEVER);
  }
}
