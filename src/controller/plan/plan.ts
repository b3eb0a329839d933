import type { Action, Notice, Plan } from "./actions.ts";
import { awaitMembers } from "./await-members.ts";
import { restartFenced, reviveOutdated } from "./broken-pods.ts";
import { confirmFounding, planFounding, restoreBootstrap } from "./founding.ts";
import { planGrowth } from "./grow.ts";
import { planAdmission, removeStaleLearner } from "./joining.ts";
import { awaitKey, planKeys } from "./keys.ts";
import { planLeaderLabel } from "./leader-label.ts";
import { type ObjectsPlan, planObjects } from "./objects.ts";
import type { Observed } from "./observed.ts";
import { problemsOf } from "./problems.ts";
import { planRenewal, renewUnseated } from "./renewal.ts";
import { planReplacement } from "./replacement.ts";
import { planRollout } from "./rollout.ts";
import { planShrink } from "./shrink.ts";
import { type Situation, situationOf } from "./situation.ts";
import { planStatus } from "./status.ts";
import { AWAIT_MS, type Remark, type Step, wait } from "./step.ts";
import { planVolumes } from "./volumes.ts";

/** Members' state is not watched: while nothing is awaited they are asked again so often. Null would miss a fenced member. */
const IDLE_MS = 10_000;
const NOTHING: Plan = { actions: [], notices: [], status: null, againMs: null };

/** Looks for the one thing to do about the members. The first with an action is it; those that only wait let the later ones go on. */
const PARTS: readonly ((situation: Situation) => Step | null)[] = [
  planFounding, confirmFounding, restartFenced, awaitChange, planAdmission, planRenewal, removeStaleLearner, planReplacement, planShrink, planGrowth,
];

/**
 * What is to be done so that the cluster becomes what its resource says: a pure function of what was observed. Objects come first,
 * then the key, then at most one step of the members, then volumes. An observation may be stale or partial: every step is either harmless then,
 * or names the uid, the incarnation or the configuration that it was planned from, and is refused.
 */
export function plan(observed: Observed): Plan {
  const { cluster } = observed;
  // Its objects are being deleted with it.
  if (cluster.metadata.deletionTimestamp !== undefined) return NOTHING;
  const situation = situationOf(observed);
  if (cluster.spec.pause === true) return paused(situation);
  return freshStart(situation) ?? planAll(situation);
}

function paused(situation: Situation): Plan {
  const problems = problemsOf(situation);
  return {
    actions: planLeaderLabel(situation),
    notices: warnings(problems),
    status: planStatus(situation, { paused: true, progress: null, problems }, situation.clusterId),
    againMs: IDLE_MS,
  };
}

/** Nothing of an earlier cluster is left but its name: its founding document goes, alone, before anything is made. */
function freshStart(situation: Situation): Plan | null {
  const { observed: { bootstrap, claims, pods, statefulSet, cluster } } = situation;
  if (statefulSet !== null || claims.length > 0 || pods.length > 0) return null;
  if (bootstrap === null && cluster.status?.clusterId === undefined) return null;
  const progress = { reason: "FreshStart", message: "No volume of the former cluster is left. A new one is founded." };
  return {
    actions: bootstrap === null ? [] : [{ type: "deleteBootstrap", uid: bootstrap.uid }],
    notices: [],
    status: planStatus({ ...situation, clusterId: null }, { paused: false, progress, problems: [] }, null),
    againMs: AWAIT_MS,
  };
}

function planAll(situation: Situation): Plan {
  const objects = planObjects(situation);
  const keys = planKeys(situation);
  const steps = stepsOf(situation, objects);
  const step = steps.find(({ actions }) => actions.length > 0) ?? null;
  const volumes = objects.statefulSetStands ? planVolumes(situation) : [];
  const upkeep = [...objects.actions, ...keys, ...restoreBootstrap(situation)];
  const actions: readonly Action[] = [...upkeep, ...planLeaderLabel(situation), ...(step?.actions ?? []), ...volumes];
  const problems = [...(objects.problem === null ? [] : [objects.problem]), ...steps.flatMap(({ problem }) => problem ?? []), ...problemsOf(situation)];
  const progress = step?.progress ?? steps.find((waiting) => waiting.progress !== null)?.progress ?? upkeepRemark(objects, actions);
  return {
    actions,
    notices: warnings(problems),
    status: planStatus(situation, { paused: false, progress, problems }, situation.clusterId),
    againMs: soonest(steps, actions, objects),
  };
}

/** Everything about the members up to the first thing to do. Without their pods, or the key that calls are proved with, there is nothing. */
function stepsOf(situation: Situation, { statefulSetStands, templateStands }: ObjectsPlan): readonly Step[] {
  if (!statefulSetStands || situation.observed.statefulSet === null) return [];
  const steps: Step[] = [];
  const rollout = templateStands ? [planRollout] : [];
  const members = situation.observed.secret === null ? [] : [...PARTS, ...rollout, renewUnseated, awaitKey, awaitMembers];
  for (const part of [...(templateStands ? [reviveOutdated] : []), ...members]) {
    const step = part(situation);
    if (step !== null) steps.push(step);
    if (step !== null && step.actions.length > 0) break;
  }
  return steps;
}

/** Nothing is changed about the members but by their leader, and after its last change is done. */
function awaitChange({ clusterId, configuration, stable }: Situation): Step | null {
  if (clusterId === null || stable !== null) return null;
  if (configuration?.fromLeader !== true) return wait("NoLeader", "Waiting for the members to have a leader.");
  return wait("ChangePending", "Waiting for the last change of the members to be done, or for a majority of them.");
}

function upkeepRemark({ awaited }: ObjectsPlan, actions: readonly Action[]): Remark | null {
  if (awaited) return { reason: "Applying", message: "Waiting for the objects of a former PaxosCluster of this name to be gone." };
  return actions.length > 0 ? { reason: "Applying", message: "Bringing the cluster's objects up to date." } : null;
}

function warnings(problems: readonly Remark[]): readonly Notice[] {
  return problems.map(({ reason, message }) => ({ type: "Warning", reason, message }));
}

function soonest(steps: readonly Step[], actions: readonly Action[], { awaited }: ObjectsPlan): number {
  const wanted = steps.map(({ againMs }) => againMs).filter((ms) => ms !== null);
  return Math.min(IDLE_MS, ...wanted, ...(actions.length > 0 || awaited ? [AWAIT_MS] : []));
}
