import type { KubernetesObject } from "@kubernetes/client-node";
import { desiredObjects, objectKey } from "../../../src/controller/manifests/desired-objects.ts";
import type { Action, Plan } from "../../../src/controller/plan/actions.ts";
import type {
  Observed, ObservedClaim, ObservedConfiguration, ObservedMember, ObservedPod, ObservedSeat,
} from "../../../src/controller/plan/observed.ts";
import { plan } from "../../../src/controller/plan/plan.ts";
import { memberAddress, podName } from "../../../src/controller/resource/names.ts";
import type { PaxosCluster, PaxosClusterSpec } from "../../../src/controller/resource/paxos-cluster.ts";
import { applied, resource } from "./resource.ts";

export const CLUSTER = "c".repeat(32);
export const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

export function pod(ordinal: number, changes: Partial<ObservedPod> = {}): ObservedPod {
  return {
    ordinal, name: podName("demo", ordinal), uid: `pod-${ordinal}`, ip: "10.0.0.1", running: true, ready: true, terminating: false, revision: "r1",
    leaderLabel: ordinal === 0, announced: null, waiting: null, createdMs: NOW_MS - HOUR_MS, ...changes,
  };
}

export function claim(ordinal: number, changes: Partial<ObservedClaim> = {}): ObservedClaim {
  return { ordinal, name: `data-demo-${ordinal}`, uid: `claim-${ordinal}`, terminating: false, size: "1Gi", owned: false, ...changes };
}

/** The member that has always been in the pod: its incarnation is "i" and the ordinal. */
export function member(ordinal: number, changes: Partial<ObservedMember> = {}): ObservedMember {
  return {
    ordinal, podUid: `pod-${ordinal}`, name: podName("demo", ordinal), incarnation: `i${ordinal}`, cluster: CLUSTER,
    role: ordinal === 0 ? "leader" : "follower", fence: null, keys: ["k1"], ...changes,
  };
}

/** A member with an empty folder. */
export function blank(ordinal: number, changes: Partial<ObservedMember> = {}): ObservedMember {
  return member(ordinal, { incarnation: `new${ordinal}`, cluster: null, role: "learner", ...changes });
}

export function seat(ordinal: number, changes: Partial<ObservedSeat> = {}): ObservedSeat {
  return {
    id: `i${ordinal}`, name: podName("demo", ordinal), address: memberAddress(resource(), ordinal), role: "voter", leader: ordinal === 0, live: true, caughtUp: true, ...changes,
  };
}

export function learner(ordinal: number, changes: Partial<ObservedSeat> = {}): ObservedSeat {
  return seat(ordinal, { id: `new${ordinal}`, role: "learner", ...changes });
}

export function configuration(seats: readonly ObservedSeat[], changes: Partial<ObservedConfiguration> = {}): ObservedConfiguration {
  return {
    cluster: CLUSTER, slot: 40, pending: false, fromLeader: true, seats, removed: [], leader: { name: "demo-0", ballot: { round: 7, incarnation: "i0" } }, ...changes,
  };
}

/** The live form of every object of a cluster. */
export function liveObjects(cluster: PaxosCluster, replicas: number): Map<string, KubernetesObject> {
  return new Map(desiredObjects(cluster, replicas).map((object) => [objectKey(object), applied(object, `uid of ${objectKey(object)}`)]));
}

export interface Scene {
  readonly spec?: Partial<PaxosClusterSpec>;
  readonly status?: PaxosCluster["status"];
  /** How many pods the StatefulSet has; as many as are wanted unless it is said. */
  readonly replicas?: number;
}

/** A healthy cluster of the wanted size in every detail, and what is different in this case. */
export function observe({ spec, status, replicas: given }: Scene, changes: Partial<Observed> = {}): Observed {
  const cluster = { ...resource(spec), ...(status === undefined ? {} : { status }) };
  const replicas = given ?? cluster.spec.replicas;
  const ordinals = Array.from({ length: replicas }, (_, ordinal) => ordinal);
  return {
    cluster,
    nowMs: NOW_MS,
    objects: liveObjects(cluster, replicas),
    statefulSet: { uid: "uid of StatefulSet/demo", replicas, updateRevision: "r1", settled: true },
    pods: ordinals.map((ordinal) => pod(ordinal)),
    claims: ordinals.map((ordinal) => claim(ordinal)),
    members: ordinals.map((ordinal) => member(ordinal)),
    configuration: configuration(ordinals.map((ordinal) => seat(ordinal))),
    bootstrap: { uid: "bootstrap-uid", cluster: CLUSTER, voters: ordinals.map((ordinal) => ({ incarnation: `i${ordinal}`, name: podName("demo", ordinal), address: "" })) },
    secret: { uid: "secret-uid", current: "k1", previous: null, madeMs: NOW_MS - HOUR_MS, rotatedAt: null },
    refusal: null,
    ...changes,
  };
}

/** Replaces what has this ordinal. */
export function replaced<T extends { readonly ordinal: number }>(list: readonly T[], ...others: readonly T[]): T[] {
  return list.map((element) => others.find(({ ordinal }) => ordinal === element.ordinal) ?? element);
}

export function without<T extends { readonly ordinal: number }>(list: readonly T[], ...ordinals: readonly number[]): T[] {
  return list.filter(({ ordinal }) => !ordinals.includes(ordinal));
}

/** Actions in short, as "addLearner demo-3". */
export function inShort({ actions }: Plan): string[] {
  return actions.map(short);
}

function short(action: Action): string {
  switch (action.type) {
    case "apply": return `apply ${objectKey(action.object)}`;
    case "deleteObject": return `deleteObject ${action.kind}/${action.name}`;
    case "createBootstrap": return `createBootstrap ${action.members.map(({ incarnation }) => incarnation).join(",")}`;
    case "found": case "renewMember": return `${action.type} ${action.ordinal} ${action.incarnation}`;
    case "addLearner": return `addLearner ${action.ordinal} ${action.incarnation}`;
    case "promote": return `promote ${action.id}${action.replaces === null ? "" : ` replacing ${action.replaces}`}`;
    case "removeMember": return `removeMember ${action.id}`;
    case "transferLeadership": return `transferLeadership ${action.to}`;
    case "deletePod": case "deleteClaim": return `${action.type} ${action.name}`;
    case "nudgeStatefulSet": return "nudgeStatefulSet";
    case "resizeClaim": return `resizeClaim ${action.name} ${action.size}`;
    case "ownClaim": return `ownClaim ${action.name} ${action.owned}`;
    case "announceKey": return `announceKey ${action.pod} ${action.key}`;
    case "labelLeader": return `labelLeader ${action.pod} ${action.leads}`;
    case "rotateKey": return `rotateKey ${action.rotatedAt}`;
    case "recreateStatefulSet": case "createKey": case "dropPreviousKey": case "deleteBootstrap": return action.type;
  }
}

/** What is planned, in short. */
export function planned(observed: Observed): string[] {
  return inShort(plan(observed));
}

/** The reason of a condition that is planned for the status, with its truth: "True ShrinkRefused". */
export function condition(observed: Observed, type: string): string {
  const { status } = plan(observed);
  const found = (status ?? observed.cluster.status)?.conditions?.find((candidate) => candidate.type === type);
  return `${found?.status} ${found?.reason}`;
}
