import type { V1ConfigMap } from "@kubernetes/client-node";
import { SynodError } from "../../errors/synod-error.ts";
import { isIncarnation } from "../../paxos/ids.ts";
import { objectLabels } from "../manifests/labels.ts";
import type { FoundingDocument } from "../members/member-calls.ts";
import type { ObservedBootstrap } from "../plan/observed.ts";
import { namesOf } from "../resource/names.ts";
import type { PaxosCluster } from "../resource/paxos-cluster.ts";

type Voter = ObservedBootstrap["voters"][number];

/**
 * The one object that says with whom a cluster was founded (rule 13): immutable, so that no second founding can overwrite the first, and without
 * an owner, as it has to be there for as long as a volume is. That only one can be made is the API server's part: it creates a name once.
 */
export function makeBootstrap({ metadata }: PaxosCluster, cluster: string, voters: readonly Voter[]): V1ConfigMap {
  return {
    apiVersion: "v1", kind: "ConfigMap",
    metadata: { name: namesOf(metadata.name).bootstrapConfigMap, namespace: metadata.namespace, labels: objectLabels(metadata.name) },
    immutable: true,
    data: { cluster, voters: JSON.stringify(voters) },
  };
}

/** Throws `SYNOD_ERR_CORRUPT` for one of another form: it must not be taken for none. */
export function readBootstrap({ metadata, data }: V1ConfigMap): ObservedBootstrap {
  const cluster = data?.["cluster"] ?? "";
  const voters = parseVoters(data?.["voters"] ?? "");
  if (!isIncarnation(cluster) || voters === null) {
    throw new SynodError("SYNOD_ERR_CORRUPT", `The ConfigMap ${metadata?.name} is not a founding document. Nothing is done for its cluster.`);
  }
  return { uid: metadata?.uid ?? "", cluster, voters };
}

export function foundingOf({ cluster, voters }: ObservedBootstrap): FoundingDocument {
  return { cluster, configuration: { voters, learners: [], removed: [] }, configurationSlot: 0 };
}

function parseVoters(text: string): readonly Voter[] | null {
  try {
    const voters = JSON.parse(text) as readonly Partial<Voter>[];
    const wellFormed = Array.isArray(voters) && voters.length > 0 && voters.every(({ incarnation, name, address }: Partial<Voter>) =>
      typeof incarnation === "string" && isIncarnation(incarnation) && typeof name === "string" && typeof address === "string");
    return wellFormed ? (voters as readonly Voter[]) : null;
  } catch {
    return null;
  }
}
