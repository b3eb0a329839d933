import type { KubernetesObject, V1OwnerReference, V1StatefulSetSpec } from "@kubernetes/client-node";
import { desiredObjects, objectKey } from "../manifests/desired-objects.ts";
import { quantity } from "../manifests/quantity.ts";
import { isSubset } from "../manifests/subset.ts";
import { namesOf } from "../resource/names.ts";
import { KIND } from "../resource/paxos-cluster.ts";
import type { Action } from "./actions.ts";
import { statefulSetReplicas } from "./replicas.ts";
import type { Situation } from "./situation.ts";
import type { Remark } from "./step.ts";

export interface ObjectsPlan {
  readonly actions: readonly Action[];
  /** The StatefulSet is there, ours, and its template stays what it is in this pass. */
  readonly statefulSetStands: boolean;
  readonly templateStands: boolean;
  readonly problem: Remark | null;
  /** Some objects of an earlier PaxosCluster of this name are about to go; they are made when they have. */
  readonly awaited: boolean;
}

type Standing = "absent" | "going" | "taken" | "ours";

const IMMUTABLE = ["serviceName", "podManagementPolicy", "selector", "volumeClaimTemplates"] as const;

/** What differs between the objects that a cluster is to have and those that it has. Nothing, when all is well. */
export function planObjects(situation: Situation): ObjectsPlan {
  const { observed: { cluster }, name } = situation;
  const desired = desiredObjects(cluster, statefulSetReplicas(situation));
  const states = desired.map((object) => standing(situation, object));
  const actions = [...desired.flatMap((object) => mend(situation, object)), ...superfluous(situation, desired)];
  const taken = desired.filter((_, at) => states[at] === "taken").map(objectKey);
  const key = `StatefulSet/${namesOf(name).statefulSet}`;
  const set = desired.find((object) => objectKey(object) === key);
  const statefulSetStands = set !== undefined && standing(situation, set) === "ours" && !actions.some(({ type }) => type === "recreateStatefulSet");
  return {
    actions,
    statefulSetStands,
    templateStands: statefulSetStands && !actions.some((action) => action.type === "apply" && action.object === set),
    problem: taken.length === 0 ? null : {
      reason: "NameTaken",
      message: `${taken.join(", ")} belongs to something else. Delete or rename that, or give the PaxosCluster another name.`,
    },
    awaited: states.includes("going"),
  };
}

function mend(situation: Situation, desired: KubernetesObject): Action[] {
  const live = situation.observed.objects.get(objectKey(desired));
  const state = standing(situation, desired);
  if (state === "going" || state === "taken") return [];
  if (state === "ours" && desired.kind === "StatefulSet" && !sameForever(desired, live)) return growing(situation) ? [] : recreate(live);
  return isSubset(desired, live ?? null) ? [] : [{ type: "apply", object: desired }];
}

/** Claims grow first: should their class refuse it, the StatefulSet goes on as it is. */
function growing({ observed: { cluster, claims } }: Situation): boolean {
  const size = quantity(cluster.spec.storage.size) ?? 0;
  return claims.some((claim) => !claim.terminating && size > (quantity(claim.size) ?? Infinity));
}

function recreate(live: KubernetesObject | undefined): Action[] {
  const uid = live?.metadata?.uid;
  return uid === undefined ? [] : [{ type: "recreateStatefulSet", uid }];
}

/** Budgets and policies that this cluster does not want any more. Others' objects of those names stay. */
function superfluous(situation: Situation, desired: readonly KubernetesObject[]): Action[] {
  const { podDisruptionBudget, networkPolicy } = namesOf(situation.name);
  const wanted = new Set(desired.map(objectKey));
  return [`PodDisruptionBudget/${podDisruptionBudget}`, `NetworkPolicy/${networkPolicy}`].filter((key) => !wanted.has(key)).flatMap((key) => {
    const live = situation.observed.objects.get(key);
    const { kind, apiVersion, metadata: { name, uid, deletionTimestamp } = {} } = live ?? {};
    if (kind === undefined || apiVersion === undefined || name === undefined || uid === undefined || deletionTimestamp !== undefined) return [];
    return owner(live)?.uid === situation.observed.cluster.metadata.uid ? [{ type: "deleteObject", kind, apiVersion, name, uid }] : [];
  });
}

function standing({ observed: { cluster, objects }, name }: Situation, desired: KubernetesObject): Standing {
  const live = objects.get(objectKey(desired));
  if (live === undefined) return "absent";
  if (live.metadata?.deletionTimestamp !== undefined) return "going";
  const controller = owner(live);
  if (controller === undefined || controller.uid === cluster.metadata.uid) return "ours";
  // A PaxosCluster of this name that was deleted: what belonged to it is collected soon.
  return controller.kind === KIND && controller.name === name ? "going" : "taken";
}

function owner(object: KubernetesObject | undefined): V1OwnerReference | undefined {
  return object?.metadata?.ownerReferences?.find(({ controller }) => controller === true);
}

function sameForever(desired: KubernetesObject, live: KubernetesObject | undefined): boolean {
  const [wanted, present] = [specOf(desired), specOf(live)];
  return IMMUTABLE.every((field) => isSubset(wanted?.[field], present?.[field]));
}

function specOf(object: KubernetesObject | undefined): V1StatefulSetSpec | undefined {
  return (object as { readonly spec?: V1StatefulSetSpec } | undefined)?.spec;
}
