import type { KubernetesObject, V1StatefulSetSpec } from "@kubernetes/client-node";
import { objectKey } from "../../../src/controller/manifests/desired-objects.ts";
import type { Action } from "../../../src/controller/plan/actions.ts";
import { ordinalOf, podName } from "../../../src/controller/resource/names.ts";
import { applied } from "./resource.ts";
import type { Group, Pod, Seat, World } from "./world.ts";

/** Why an action was not carried out: the pass ends, as with the real ones. */
export class Refused extends Error {}

/** Carries out one action as the API server and the members would, their refusals included. */
export function perform(world: World, action: Action): void {
  switch (action.type) {
    case "apply": return apply(world, action.object);
    case "recreateStatefulSet": return removeStatefulSet(world, action.uid);
    case "deleteObject": return void world.objects.delete(`${action.kind}/${action.name}`);
    case "createKey": return createKey(world, action.rotatedAt);
    case "rotateKey": return rotateKey(world, action.rotatedAt);
    case "dropPreviousKey": return dropPreviousKey(world);
    case "createBootstrap": return createBootstrap(world, action.members);
    case "deleteBootstrap": return deleteBootstrap(world);
    case "found": return found(world, action.ordinal, action.incarnation);
    case "addLearner": return addLearner(world, action);
    case "promote": return promote(world, action);
    case "removeMember": return removeMember(world, action);
    case "transferLeadership": return transfer(world, action.to);
    case "renewMember": return renew(world, action);
    case "deletePod": return deletePod(world, action);
    case "deleteClaim": return deleteClaim(world, action);
    case "nudgeStatefulSet": return;
    case "resizeClaim": return changeClaim(world, action.name, { size: action.size });
    case "ownClaim": return changeClaim(world, action.name, { owned: action.owned });
    case "announceKey": {
      const pod = podNamed(world, action.pod);
      if (pod !== undefined) pod.announced = { key: action.key, atMs: world.nowMs };
      return;
    }
    case "labelLeader": {
      const pod = podNamed(world, action.pod);
      if (pod !== undefined) pod.label = action.leads;
    }
  }
}

function refuse(why: string): never {
  throw new Refused(why);
}

function podNamed({ pods, name }: World, pod: string): Pod | undefined {
  return pods.get(ordinalOf(name, pod) ?? -1);
}

function apply(world: World, object: KubernetesObject): void {
  const key = objectKey(object);
  const before = world.objects.get(key);
  const uid = before?.metadata?.uid ?? world.id("object");
  if (object.kind === "StatefulSet") {
    const { revision } = world;
    checkReplicas(world, (object as { spec?: V1StatefulSetSpec }).spec?.replicas ?? 0);
    world.objects.set(key, applied(object, uid));
    if (world.revision !== revision) world.settled = false;
  } else {
    world.objects.set(key, applied(object, uid));
  }
}

/** A pod goes after its member has left and the change is done, not before (rule 16a). */
function checkReplicas(world: World, replicas: number): void {
  const { group, name, statefulSet } = world;
  if (world.stale || group === null || replicas >= (statefulSet?.spec.replicas ?? 0)) return;
  const cut = group.seats.filter((seat) => (ordinalOf(name, seat.name) ?? -1) >= replicas);
  if (cut.length > 0) world.violations.push(`replicas ${replicas} takes the pods of ${cut.map((seat) => seat.name).join(", ")}`);
  if (group.pending) world.violations.push("pods go while a change is pending");
}

function removeStatefulSet(world: World, uid: string): void {
  if (world.statefulSet?.uid !== uid) refuse("another StatefulSet");
  world.objects.delete(`StatefulSet/${world.name}`);
}

function createKey(world: World, rotatedAt: string | null): void {
  if (world.secret !== null) refuse("exists");
  world.secret = { uid: world.id("secret"), current: world.id("key"), previous: world.rememberedKey, madeMs: world.nowMs, rotatedAt };
  world.rememberedKey = world.secret.current;
}

function rotateKey(world: World, rotatedAt: string): void {
  if (world.secret === null) refuse("no secret");
  world.secret = { ...world.secret, current: world.id("key"), previous: world.secret.current, madeMs: world.nowMs, rotatedAt };
  world.rememberedKey = world.secret.current;
}

function dropPreviousKey(world: World): void {
  const { secret } = world;
  if (secret === null) refuse("no secret");
  for (const pod of world.pods.values()) {
    if (pod.running && pod.keys[0] !== secret.current && !world.stale) world.violations.push(`the key that pod ${pod.ordinal} sends is not valid any more`);
  }
  world.secret = { ...secret, previous: null };
}

function createBootstrap(world: World, members: readonly { incarnation: string; name: string; address: string }[]): void {
  if (world.bootstrap !== null) return;
  const founded = [...world.claims.values()].find(({ volume }) => volume !== null && volume.cluster !== null);
  if (founded !== undefined) world.violations.push(`a cluster is founded although volume ${founded.ordinal} belongs to one`);
  const cluster = world.id("cluster");
  world.bootstrap = { uid: world.id("bootstrap"), cluster, voters: members };
  const seats = members.map(({ incarnation, name, address }): Seat => ({ id: incarnation, name, address, voter: true, caughtUp: true }));
  world.groups.set(cluster, { cluster, slot: 0, seats, removed: [], pending: false, leader: null, round: 0, written: 0 });
}

function deleteBootstrap(world: World): void {
  if (world.claims.size > 0 || world.statefulSet !== null) refuse("something is left");
  world.bootstrap = null;
}

function found(world: World, ordinal: number, incarnation: string): void {
  const volume = runningVolume(world, ordinal, incarnation);
  if (world.bootstrap?.voters.every((voter) => voter.incarnation !== incarnation) !== false) refuse("not a founder");
  if (volume.cluster !== null) refuse("already founded");
  volume.cluster = world.bootstrap.cluster;
}

function runningVolume(world: World, ordinal: number, incarnation: string) {
  const pod = world.pods.get(ordinal);
  const volume = pod === undefined ? null : world.volumeOf(pod);
  if (volume === null || volume.incarnation !== incarnation) refuse("another member, or none");
  return volume;
}

function led(world: World): Group {
  const { group } = world;
  if (group === null || group.leader === null || !world.hasQuorum(group)) refuse("no leader");
  return group;
}

function change(world: World, configuration: number, seats: Seat[], gone: readonly string[]): void {
  const group = led(world);
  if (group.pending) refuse("change pending");
  if (group.slot !== configuration) refuse("stale plan");
  if (!world.hasQuorum(group, seats)) {
    if (!world.stale) world.violations.push("a change that leaves no live majority was asked for");
    refuse("no live quorum");
  }
  group.seats = seats;
  group.removed = [...group.removed, ...gone].slice(-8);
  group.slot += 1;
  group.pending = true;
}

function addLearner(world: World, { ordinal, incarnation, address, configuration }: Action & { type: "addLearner" }): void {
  const volume = runningVolume(world, ordinal, incarnation);
  const group = led(world);
  const name = podName(world.name, ordinal);
  if (group.removed.includes(incarnation)) refuse("removed member");
  if (volume.cluster !== null && volume.cluster !== group.cluster) refuse("another cluster's");
  if (group.seats.every(({ id }) => id !== incarnation)) {
    if (group.seats.some((seat) => !seat.voter && seat.name === name)) refuse("name taken");
    change(world, configuration, [...group.seats, { id: incarnation, name, address, voter: false, caughtUp: false }], []);
  }
  if (world.random.chance(world.unreliable)) refuse("outcome unknown");
  volume.cluster = group.cluster;
}

function promote(world: World, { id, replaces, configuration }: Action & { type: "promote" }): void {
  const group = led(world);
  const learner = group.seats.find((seat) => seat.id === id && !seat.voter);
  if (learner === undefined || !learner.caughtUp || !world.isLive(group, id)) refuse("no such learner, or it lags");
  const staying = group.seats.filter((seat) => seat.id !== replaces && seat.id !== id);
  if (staying.some((seat) => seat.voter && seat.name === learner.name)) refuse("name taken");
  change(world, configuration, [...staying, { ...learner, voter: true }], replaces === null ? [] : [replaces]);
}

function removeMember(world: World, { id, configuration }: Action & { type: "removeMember" }): void {
  const group = led(world);
  if (group.removed.includes(id)) return;
  const seats = group.seats.filter((seat) => seat.id !== id);
  if (seats.length === group.seats.length || seats.every(({ voter }) => !voter)) refuse("unknown, or the last voter");
  change(world, configuration, seats, [id]);
}

function transfer(world: World, to: string): void {
  const group = led(world);
  if (group.seats.every(({ id, voter }) => id !== to || !voter) || !world.isLive(group, to)) refuse("no such voter");
  group.leader = to;
  group.round += 1;
}

function renew(world: World, { ordinal, podUid, incarnation }: Action & { type: "renewMember" }): void {
  const volume = runningVolume(world, ordinal, incarnation);
  const pod = world.pods.get(ordinal);
  if (pod?.uid !== podUid) refuse("another pod");
  const ended = volume.removed || volume.cluster === null || (volume.fence !== null && volume.fence.kind !== "disk");
  if (!ended) refuse("it still votes");
  Object.assign(volume, world.blankVolume());
  pod.running = false;
}

function deletePod(world: World, { name, uid }: Action & { type: "deletePod" }): void {
  const pod = podNamed(world, name);
  if (pod === undefined || pod.uid !== uid) refuse("another pod");
  const { group } = world;
  const hadQuorum = group !== null && world.hasQuorum(group);
  const voters = group?.seats.filter(({ voter }) => voter).length ?? 0;
  pod.terminating = true;
  pod.running = false;
  if (hadQuorum && voters > 2 && !world.hasQuorum(group) && !world.stale) world.violations.push(`deleting ${name} took the majority`);
}

function deleteClaim(world: World, { name, uid }: Action & { type: "deleteClaim" }): void {
  const claim = world.claims.get(ordinalOf(world.name, name) ?? -1);
  if (claim === undefined || claim.uid !== uid) refuse("another claim");
  // The fresh read that the action asks for.
  if (world.pods.has(claim.ordinal) || (world.statefulSet?.spec.replicas ?? 0) > claim.ordinal) refuse("in use");
  if (world.group?.seats.some(({ id }) => id === claim.volume?.incarnation) === true) world.violations.push(`the volume of member ${name} is deleted`);
  claim.terminating = true;
}

function changeClaim(world: World, name: string, fields: { size?: string; owned?: boolean }): void {
  const claim = world.claims.get(ordinalOf(world.name, name) ?? -1);
  if (claim !== undefined) Object.assign(claim, fields);
}
