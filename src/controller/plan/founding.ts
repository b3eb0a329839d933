import { MAX_MEMBERS } from "../../paxos/configuration.ts";
import { memberAddress, podName } from "../resource/names.ts";
import type { ObservedMember } from "./observed.ts";
import { claimedOrdinals } from "./replicas.ts";
import { isFounder, ordinalsBelow, type Situation } from "./situation.ts";
import type { Action } from "./actions.ts";
import { votersOf } from "./seats.ts";
import { act, type Step, wait } from "./step.ts";

/**
 * Founds a cluster that never was (rule 13): all its members' incarnations are collected first, and every volume that may be of an
 * earlier time is looked into. One that carries a cluster id ends it: then there is a cluster, and nothing to found.
 */
export function planFounding(situation: Situation): Step | null {
  const { observed: { bootstrap, statefulSet, cluster }, clusterId, desired, members, name } = situation;
  if (bootstrap !== null || clusterId !== null) return null;
  const count = Math.max(desired, Math.min(statefulSet?.replicas ?? 0, MAX_MEMBERS), claimedOrdinals(situation));
  const asked = ordinalsBelow(count).map((ordinal) => members.get(ordinal));
  const silent = ordinalsBelow(count).filter((ordinal) => asked[ordinal] === undefined);
  if (silent.length > 0) {
    return wait("Founding", `Every member must be asked who it is before the cluster is founded. Not answering yet: ${silent.map((ordinal) => podName(name, ordinal)).join(", ")}.`);
  }
  const answers = asked.filter((member) => member !== undefined);
  if (!answers.every(isBlank) || new Set(answers.map(({ incarnation }) => incarnation)).size !== answers.length) {
    return wait("Founding", "Some volumes carry a cluster already or cannot be used, so that no new one is founded. See the condition Degraded.");
  }
  const founders = answers.slice(0, desired).map(({ incarnation, name, ordinal }) => ({ incarnation, name, address: memberAddress(cluster, ordinal) }));
  return act([{ type: "createBootstrap", cluster: null, members: founders }], "Founding", `Founding a cluster of ${desired}: ${founders.map(({ name }) => name).join(", ")}.`);
}

function isBlank({ cluster, fence }: ObservedMember): boolean {
  return cluster === null && fence === null;
}

/** Gives the founding document to those that it names and that have not got it: the same one, however often and however late. */
export function confirmFounding(situation: Situation): Step | null {
  const { observed: { bootstrap }, members } = situation;
  if (bootstrap === null) return null;
  const missing = [...members.values()].filter(({ cluster, fence, incarnation }) => cluster === null && fence === null && isFounder(situation, incarnation));
  if (missing.length === 0) return null;
  const names = missing.map(({ name }) => name).join(", ");
  return act(
    missing.map(({ ordinal, incarnation }) => ({ type: "found", ordinal, incarnation })),
    "Founding", `Giving the founding document of cluster ${bootstrap.cluster} to ${names}.`,
  );
}

/**
 * Writes down again whose volumes these are, where somebody deleted the document, or the cluster was recovered from a volume and never had
 * one. It names those who vote now: all of them know the cluster, so that it is given to nobody.
 */
export function restoreBootstrap({ observed: { bootstrap }, clusterId, stable }: Situation): readonly Action[] {
  if (bootstrap !== null || clusterId === null || stable === null) return [];
  const members = votersOf(stable).map(({ id, name, address }) => ({ incarnation: id, name, address }));
  return [{ type: "createBootstrap", cluster: clusterId, members }];
}
