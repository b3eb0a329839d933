import type { KubernetesObject, V1StatefulSetSpec } from "@kubernetes/client-node";
import { desiredObjects, objectKey } from "../manifests/desired-objects.ts";
import { belonging, controllerOf } from "../manifests/owner.ts";
import { isSubset } from "../manifests/subset.ts";
import { namesOf } from "../resource/names.ts";
import type { Action } from "./actions.ts";
import { nudge } from "./nudge.ts";
import { statefulSetReplicas } from "./replicas.ts";
import type { Situation } from "./situation.ts";
import type { Remark } from "./step.ts";
import { isGrowing } from "./volumes.ts";

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
  // The leader's notice board is written by itself, but its name may be taken as well.
  const keys = [...desired.map(objectKey), `ConfigMap/${namesOf(name).leaderConfigMap}`];
  const states = keys.map((each) => standing(situation, each));
  const actions = [...desired.flatMap((object) => mend(situation, object)), ...superfluous(situation, desired)];
  const taken = keys.filter((_, at) => states[at] === "taken");
  const key = `StatefulSet/${namesOf(name).statefulSet}`;
  const set = desired.find((object) => objectKey(object) === key);
  const statefulSetStands = set !== undefined && standing(situation, key) === "ours" && !actions.some(({ type }) => type === "recreateStatefulSet");
  return {
    actions: statefulSetStands ? [...actions, ...nudge(situation)] : actions,
    statefulSetStands,
    templateStands: statefulSetStands && !actions.some((action) => action.type === "apply" && objectKey(action.object) === key),
    problem: taken.length === 0 ? null : {
      reason: "NameTaken",
      message: `${taken.join(", ")} belongs to something else. Delete or rename that, or give the PaxosCluster another name.`,
    },
    awaited: desired.some((_, at) => states[at] === "going"),
  };
}

function mend(situation: Situation, desired: KubernetesObject): Action[] {
  const live = situation.observed.objects.get(objectKey(desired));
  const state = standing(situation, objectKey(desired));
  if (state === "going" || state === "taken") return [];
  const wanted = state === "ours" && isGrowing(situation) ? withClaimsOf(live, desired) : desired;
  if (state === "ours" && desired.kind === "StatefulSet" && !sameForever(wanted, live)) return recreate(live);
  return isSubset(wanted, live ?? null) ? [] : [{ type: "apply", object: wanted }];
}

/** Claims grow first: should their class refuse it, everything else of the StatefulSet goes on with the volumes that there are. */
function withClaimsOf(live: KubernetesObject | undefined, desired: KubernetesObject): KubernetesObject {
  const [wanted, present] = [specOf(desired), specOf(live)];
  if (desired.kind !== "StatefulSet" || wanted === undefined || present === undefined) return desired;
  return { ...desired, spec: { ...wanted, volumeClaimTemplates: present.volumeClaimTemplates } } as KubernetesObject;
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
    return controllerOf(live)?.uid === situation.observed.cluster.metadata.uid ? [{ type: "deleteObject", kind, apiVersion, name, uid }] : [];
  });
}

function standing({ observed: { cluster, objects } }: Situation, key: string): Standing {
  const live = objects.get(key);
  if (live === undefined) return "absent";
  if (live.metadata?.deletionTimestamp !== undefined) return "going";
  // What belonged to a PaxosCluster of this name that was deleted is collected soon.
  return ({ ours: "ours", former: "going", other: "taken" } as const)[belonging(cluster, live)];
}

function sameForever(desired: KubernetesObject, live: KubernetesObject | undefined): boolean {
  const [wanted, present] = [specOf(desired), specOf(live)];
  return IMMUTABLE.every((field) => isSubset(wanted?.[field], present?.[field]));
}

function specOf(object: KubernetesObject | undefined): V1StatefulSetSpec | undefined {
  return (object as { readonly spec?: V1StatefulSetSpec } | undefined)?.spec;
}
