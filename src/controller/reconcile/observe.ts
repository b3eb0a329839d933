import type { KubeClient } from "../kube/client.ts";
import { MemberCalls } from "../members/member-calls.ts";
import type { Observed } from "../plan/observed.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";
import type { KeyMemory } from "./key-memory.ts";
import { observeMembers, type UrlOf } from "./observe-members.ts";
import { observeObjects } from "./observe-objects.ts";

export interface Observation {
  readonly observed: Omit<Observed, "refusal">;
  /** With the keys that the Secret has, or had when it was seen last. */
  readonly calls: MemberCalls;
}

/** Everything about one cluster, read anew. */
export async function observe(
  { client, urlOf, keyMemory, nowMs }: { readonly client: Pick<KubeClient, "get" | "list">; readonly urlOf: UrlOf; readonly keyMemory: KeyMemory; readonly nowMs: number },
  cluster: PaxosCluster,
): Promise<Observation> {
  const { keys, ...objects } = await observeObjects(client, cluster);
  const { uid } = cluster.metadata;
  if (keys !== null) keyMemory.note(uid, keys);
  const calls = new MemberCalls(keys ?? keyMemory.of(uid));
  const members = await observeMembers(calls, urlOf, cluster, objects);
  return { observed: { cluster, nowMs, ...objects, ...members }, calls };
}
