import type { PaxosCluster, PaxosClusterSpec } from "../../../src/controller/resource/paxos-cluster.ts";
import { BAD_IMAGES, type Group, type Pod, type Seat, type World } from "./world.ts";

type Fault = (world: World) => void;

/** Changes the specification as a user does. */
export function configure(world: World, change: Partial<PaxosClusterSpec>): void {
  const { metadata, spec } = world.cluster;
  world.cluster = { ...world.cluster, metadata: { ...metadata, generation: metadata.generation + 1 }, spec: { ...spec, ...change } };
}

/** What may happen to a cluster in a second, each about as likely as it stands here often. */
export const FAULTS: readonly Fault[] = [
  scale, scale, scale, deletePod, deletePod, deleteManyPods, loseVolume, loseVolume, loseVolume, fence, fence, failDisk, failDisk, setImage, setImage, setImage, fixImage,
  restart, pause, resume, resume, editReplicas, deleteSomeObject, deleteStatefulSet, deleteSecret, rotate, setPolicies, grow, recreateResource, stopPod, stopPod,
];

function scale(world: World): void {
  configure(world, { replicas: world.random.pick([1, 2, 3, 3, 3, 4, 5, 5, 7, 9]) });
}

function deletePod(world: World): void {
  const pod = anyPod(world);
  if (pod !== undefined) pod.terminating = true;
}

function deleteManyPods(world: World): void {
  for (const pod of world.pods.values()) if (world.random.chance(0.7)) pod.terminating = true;
}

/** The process ends, and the kubelet starts it again some time later. */
function stopPod(world: World): void {
  const pod = anyPod(world);
  if (pod !== undefined) pod.running = false;
}

/** Losing a majority of volumes is not to be survived: one at a time, and only while everybody else's is well. */
function mayLose(world: World, incarnation: string): boolean {
  return [...world.groups.values()].every((group) => {
    const voters = group.seats.filter(({ voter }) => voter);
    if (voters.every(({ id }) => id !== incarnation)) return true;
    return canSpareOne(world, group, voters);
  });
}

/** Nor is the only one lost that holds something, while a change makes a smaller majority of those who do. */
function canSpareOne(world: World, group: Group, voters: readonly Seat[]): boolean {
  if (group.pending || voters.length < 3 || voters.some((seat) => !world.isIntact(seat))) return false;
  const holders = [...world.claims.values()].filter(({ volume }) => voters.some(({ id }) => id === volume?.incarnation) && (volume?.data ?? 0) >= group.written);
  return holders.length > Math.floor(voters.length / 2);
}

function loseVolume(world: World): void {
  const claim = world.random.pickIfAny([...world.claims.values()]);
  if (claim === undefined || (claim.volume !== null && !mayLose(world, claim.volume.incarnation))) return;
  claim.terminating = true;
  claim.volume = null;
  const pod = world.pods.get(claim.ordinal);
  if (pod !== undefined) Object.assign(pod, { terminating: true, running: false });
}

function fence(world: World): void {
  const volume = world.random.pickIfAny([...world.claims.values()])?.volume;
  if (volume === null || volume === undefined || volume.cluster === null || volume.fence !== null || !mayLose(world, volume.incarnation)) return;
  volume.fence = { kind: world.random.pick(["corrupt", "copied"]), reason: "segment 3 is damaged." };
}

function failDisk(world: World): void {
  const pod = anyPod(world);
  const volume = pod === undefined ? null : world.volumeOf(pod);
  if (volume !== null && volume.fence === null) volume.fence = { kind: "disk", reason: "EIO." };
}

function setImage(world: World): void {
  configure(world, { image: world.random.chance(0.3) ? world.random.pick(BAD_IMAGES) : `synod:${world.random.below(5)}` });
}

function fixImage(world: World): void {
  configure(world, { image: "synod:good" });
}

function restart(world: World): void {
  configure(world, { restartedAt: world.id("restart") });
}

function pause(world: World): void {
  configure(world, { pause: true });
}

export function resume(world: World): void {
  configure(world, { pause: false });
}

function editReplicas(world: World): void {
  const key = `StatefulSet/${world.name}`;
  const { statefulSet } = world;
  if (statefulSet !== null) world.objects.set(key, { ...world.objects.get(key), spec: { ...statefulSet.spec, replicas: world.random.below(10) } } as never);
}

function deleteSomeObject(world: World): void {
  const key = world.random.pickIfAny([...world.objects.keys()].filter((other) => !other.startsWith("StatefulSet/")));
  if (key !== undefined) world.objects.delete(key);
}

function deleteStatefulSet(world: World): void {
  world.objects.delete(`StatefulSet/${world.name}`);
  if (world.random.chance(0.5)) for (const pod of world.pods.values()) pod.terminating = true;
}

function deleteSecret(world: World): void {
  world.secret = null;
  if (world.random.chance(0.5)) world.rememberedKey = null;
}

function rotate(world: World): void {
  configure(world, { security: { keyRotatedAt: world.id("rotation") } });
}

function setPolicies(world: World): void {
  const policy = () => world.random.pick(["Retain", "Delete"] as const);
  configure(world, { storage: { ...world.cluster.spec.storage, whenScaled: policy(), whenDeleted: policy() }, networkPolicy: { enabled: world.random.chance(0.5) } });
}

function grow(world: World): void {
  const { storage } = world.cluster.spec;
  configure(world, { storage: { ...storage, size: `${Number.parseInt(storage.size, 10) + 1}Gi` } });
}

/** Deleted, with all that it owns, and created again on the volumes that were kept. */
function recreateResource(world: World): void {
  const { metadata, spec } = world.cluster;
  const { status: _, ...rest } = world.cluster;
  const replicas = world.random.pick([1, 3, 5]);
  const cluster: PaxosCluster = { ...rest, metadata: { ...metadata, uid: world.id("uid"), generation: 1 }, spec: { ...spec, replicas, pause: false } };
  world.cluster = cluster;
  world.objects.clear();
  world.secret = null;
  for (const pod of world.pods.values()) pod.terminating = true;
  if ([...world.claims.values()].some(({ owned }) => owned)) for (const claim of world.claims.values()) claim.owned = false;
}

function anyPod(world: World): Pod | undefined {
  return world.random.pickIfAny([...world.pods.values()]);
}
